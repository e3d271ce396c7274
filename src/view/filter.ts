/** `--filter`: which connections are reported. The words of filter-words.ts, joined by and/or/not and parentheses. */
import type { Keep } from '../explain/explain.ts';
import { END_WORDS, WORDS } from './filter-words.ts';
import { didYouMean } from './suggest.ts';

type Predicate = Keep;

/** Throws SyntaxError, worded for the command line, when the expression makes no sense. */
export function parseFilter(text: string): Predicate {
  const tokens = text
    .replaceAll(/[()!]/g, ' $& ')
    .replaceAll('&&', ' and ')
    .replaceAll('||', ' or ')
    .split(/\s+/)
    .filter(Boolean);
  const parser = new FilterParser(tokens);
  return parser.parse();
}

/** Recursive descent; `and` binds tighter than `or`, as in most languages (pcap-filter gives them equal rank). */
class FilterParser {
  readonly #tokens: string[];
  #at = 0;

  constructor(tokens: string[]) {
    this.#tokens = tokens;
  }

  parse(): Predicate {
    const predicate = this.#or();
    if (this.#at < this.#tokens.length)
      throw new SyntaxError(`filter: unexpected "${this.#tokens[this.#at]}"`);
    return predicate;
  }

  #or(): Predicate {
    let left = this.#and();
    while (this.#accept('or')) {
      const [a, b] = [left, this.#and()];
      left = (row, f) => a(row, f) || b(row, f);
    }
    return left;
  }

  #and(): Predicate {
    let left = this.#not();
    while (this.#accept('and')) {
      const [a, b] = [left, this.#not()];
      left = (row, f) => a(row, f) && b(row, f);
    }
    return left;
  }

  #not(): Predicate {
    if (this.#accept('not') || this.#accept('!')) {
      const inner = this.#not();
      return (row, f) => !inner(row, f);
    }
    if (this.#accept('(')) {
      const inner = this.#or();
      if (!this.#accept(')')) throw new SyntaxError('filter: a parenthesis is not closed');
      return inner;
    }
    return this.#primitive();
  }

  #primitive(): Predicate {
    const word = this.#next();
    const side = own(ENDS, word);
    if (side) return this.#ofEnd(side);
    const ofEither = own(END_WORDS, word);
    if (ofEither) {
      const holds = ofEither(this.#value(word));
      return ({ client, server }) => holds(client) || holds(server);
    }
    const make = own(WORDS, word);
    if (make) return make(this.#value(word));
    const known = [...Object.keys(ENDS), ...Object.keys(END_WORDS), ...Object.keys(WORDS)];
    throw new SyntaxError(
      `filter: unknown word "${word}"${didYouMean(word, known)} (known: ${known.join(', ')})`,
    );
  }

  /** `server port 443`, and `server 10.0.0.1` for `server host 10.0.0.1`. */
  #ofEnd(side: 'client' | 'server'): Predicate {
    const make = own(END_WORDS, this.#tokens[this.#at] ?? '');
    const word = make ? this.#next() : 'host';
    const holds = (make ?? END_WORDS.host!)(this.#value(word));
    return (c) => holds(c[side]);
  }

  #next(): string {
    const word = this.#tokens[this.#at++];
    if (word === undefined) throw new SyntaxError('filter: something is missing at the end');
    return word;
  }

  #value(word: string): string {
    const value = this.#tokens[this.#at++];
    if (value === undefined || value === ')') throw new SyntaxError(`filter: "${word}" needs a value`);
    return value;
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

/** As in tcpdump, of the first SYN. */
const ENDS: Record<string, 'client' | 'server'> = {
  client: 'client',
  src: 'client',
  server: 'server',
  dst: 'server',
};

/** The table's own entry: `constructor` is no word. */
function own<T>(table: Record<string, T>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

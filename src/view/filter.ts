/**
 * `--filter`: which connections are reported. Words as in pcap-filter(7), so that tcpdump users know them:
 * `host A`, `port N`, `net A/B`, and our `rule ID`, joined by and/or/not and parentheses.
 */
import type { Keep } from '../explain/explain.ts';
import { ruleById } from '../explain/rules/index.ts';
import { parseWords } from '../model/address.ts';

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
    const word = this.#tokens[this.#at++];
    if (word === undefined) throw new SyntaxError('filter: something is missing at the end');
    const make = PRIMITIVES[word];
    if (!make)
      throw new SyntaxError(`filter: unknown word "${word}" (known: ${Object.keys(PRIMITIVES).join(', ')})`);
    const value = this.#tokens[this.#at++];
    if (value === undefined || value === ')') throw new SyntaxError(`filter: "${word}" needs a value`);
    return make(value);
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

const PRIMITIVES: Record<string, (value: string) => Predicate> = {
  host(value) {
    const words = parseWords(value);
    if (!words) throw new SyntaxError(`filter: "host ${value}" is not an address`);
    return network(words, 128);
  },
  net(value) {
    const [address, bits] = value.split('/');
    const words = parseWords(address!);
    const v4 = !address!.includes(':');
    const length = Number(bits ?? Number.NaN);
    if (!words || !(length >= 0 && length <= (v4 ? 32 : 128))) {
      throw new SyntaxError(`filter: "net ${value}" is not ADDRESS/BITS`);
    }
    return network(words, v4 ? length + 96 : length);
  },
  port(value) {
    const port = Number(value);
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new SyntaxError(`filter: "port ${value}" is not a port`);
    return (row) => row.client.port === port || row.server.port === port;
  },
  rule(value) {
    if (!ruleById(value)) throw new SyntaxError(`filter: no rule is called ${value}; see tcpautopsy rules`);
    return (_row, findings) => findings.some((f) => f.rule === value);
  },
};

function network(words: readonly number[], bits: number): Predicate {
  const inside = (address: string) => {
    const other = parseWords(address);
    if (!other) return false;
    for (let i = 0; i < 4; i++) {
      const left = Math.min(32, Math.max(0, bits - 32 * i));
      const mask = left === 0 ? 0 : (-1 << (32 - left)) | 0;
      if (((words[i]! ^ other[i]!) & mask) !== 0) return false;
    }
    return true;
  };
  return (row) => inside(row.client.address) || inside(row.server.address);
}

/** Replaces what names machines and programs: addresses, host names, process names. The same key, the same names. */
import { formatWords, isLoopback, isWildcard, MAPPED_WORD, parseWords } from '../model/address.ts';
import { displayAddress, hostNameWords } from '../model/hostnames.ts';
import { hmacSha256 } from '../platform/ciphers.ts';
import { captureFormats, lineFormats } from '../read/formats.ts';
import { AddressMap, type Words } from './addresses.ts';
import { CryptoPan } from './crypto-pan.ts';

export type { Words } from './addresses.ts';

/** What can be an address in running text; parseWords() decides. `1.2.3.4.80` is an address and a port. */
const ADDRESS =
  /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\d)|(?=[\da-f]*:[\da-f:]*:)[\da-f:]{2,}(?:[\d.]+)?)(?![\w])/gi;

/** The folder of a user. */
const HOME = /((?:\/home|\/Users)\/|[A-Z]:\\Users\\)[^\s/\\"'`:;,)\]]+/g;

/** Words of our own sentences, and tools whose formats we name: renamed where a name is expected, not in sentences. */
const OUR_WORDS = new Set([
  ...[...captureFormats, ...lineFormats].map((f) => f.id),
  ...'client server host process kernel tcp state packet listener socket reset connection capture path user root'.split(
    ' ',
  ),
]);
/** Threads of the kernel: they name no program. */
const KERNEL_THREAD = /^(?:swapper|ksoftirqd|kworker|rcu_\w+|migration|idle_inject)(?:$|[/:[])/;

export class Redactor {
  readonly #key: Uint8Array;
  readonly #map: AddressMap;
  readonly #addresses = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #files = new Map<string, string>();
  #filePattern: RegExp | null = null;
  #pattern: RegExp | null = null;
  #ownWords: RegExp | null = null;

  /** @param secret any bytes; the same secret gives the same replacements */
  constructor(secret: Uint8Array) {
    this.#key = hmacSha256(secret, 'tcpautopsy redaction');
    this.#map = new AddressMap(new CryptoPan(this.#key), this.#key);
  }

  /** Makes names known, so that they are found in sentences too. */
  know(kind: 'host' | 'process', names: Iterable<string>): void {
    for (const name of names) {
      if (name === '' || this.#names.has(name) || parseWords(name)) continue;
      if (kind === 'process' && KERNEL_THREAD.test(name)) continue;
      const mark = Buffer.from(hmacSha256(this.#key, name)).toString('hex').slice(0, 6);
      this.#names.set(name, `${kind}-${mark}`);
    }
    this.#pattern = null;
    this.#ownWords = null;
  }

  /** Makes files known: what is left of their paths is the name of the file, with a number where several have the same. */
  knowFiles(paths: Iterable<string>): void {
    for (const path of paths) {
      if (this.#files.has(path) || !path.includes('/')) continue;
      const name = this.#words(path.slice(path.lastIndexOf('/') + 1));
      const taken = new Set(this.#files.values());
      let free = name;
      for (let n = 2; taken.has(free); n++) free = `${n}-${name}`;
      this.#files.set(path, free);
    }
    this.#filePattern = anyOf([...this.#files.keys()]);
  }

  /** What was replaced by what, for whoever keeps the original. */
  replacements(): { addresses: [string, string][]; names: [string, string][]; files: [string, string][] } {
    return { addresses: [...this.#addresses], names: [...this.#names], files: [...this.#files] };
  }

  /** A field that holds one name. */
  name(text: string): string {
    return this.#names.get(text) ?? this.text(text);
  }

  /** An address; loopback, wildcards, and what is neither address nor known name, stay. */
  address(text: string): string {
    const shown = displayAddress(text);
    if (shown !== text) {
      this.know('host', [shown]);
      return formatWords(...hostNameWords(this.#names.get(shown)!));
    }
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const words = parseWords(text);
    if (words === null || isWildcard(text) || isLoopback(formatWords(...words))) return text;
    const replaced = formatWords(...this.#map.replace(words));
    this.#addresses.set(text, replaced);
    return replaced;
  }

  words(words: Words): Words {
    return parseWords(this.address(formatWords(...words))) ?? [0, 0, MAPPED_WORD, 0];
  }

  /** A sentence, or anything else that may hold addresses and names. */
  text(text: string): string {
    if (!this.#filePattern) return this.#words(text);
    // what stands for a file is not replaced once more
    const between = text.split(this.#filePattern).map((part) => this.#words(part));
    const found = text.match(this.#filePattern) ?? [];
    return between.map((part, i) => part + (this.#files.get(found[i] ?? '') ?? '')).join('');
  }

  #words(text: string): string {
    const without = text.replace(HOME, '$1user').replace(ADDRESS, (found) => this.#found(found));
    this.#pattern ??= anyOf(this.#inSentences((name) => !OUR_WORDS.has(name)));
    // a word of ours is a name where a process id follows it
    this.#ownWords ??= anyOf(
      this.#inSentences((name) => OUR_WORDS.has(name)),
      '(?=\\[\\d+\\]| \\(\\d+\\))',
    );
    const named = (found: string) => this.#names.get(found) ?? this.#names.get(uncapital(found)) ?? found;
    return without.replace(this.#pattern, named).replace(this.#ownWords, named);
  }

  /** A colon at either end belongs to the sentence: `10.0.0.1:`, `fe80::1:`. */
  #found(found: string): string {
    if (parseWords(found)) return this.address(found);
    const inner = found.replace(/(?<!:):$/, '').replace(/^:(?!:)/, '');
    return parseWords(inner) ? found.replace(inner, this.address(inner)) : found;
  }

  /** Also as a sentence begins with them. */
  #inSentences(wanted: (lowerCase: string) => boolean): string[] {
    const names = [...this.#names.keys()].filter((n) => wanted(n.toLowerCase()) && !/^\d*$/.test(n));
    return [...new Set([...names, ...names.map(capital)])];
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Any of the names as a word of its own, before what `then` matches. */
function anyOf(names: readonly string[], then = ''): RegExp {
  if (names.length === 0) return /(?!)/g;
  const longest = [...names].sort((a, b) => b.length - a.length);
  const escaped = longest.map((n) => n.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?<![\\w])(?:${escaped.join('|')})(?![\\w])${then}`, 'g');
}

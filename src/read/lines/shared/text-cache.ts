/** What was made of texts that come again and again, found without cutting them out of their line. */

/** A power of two. Two texts in one slot take turns. */
const SLOTS = 1 << 14;

export class TextCache<T> {
  readonly #make: (text: string) => T;
  /** Copies that do not keep the block of the file alive (see Interner). */
  readonly #copy: (text: string) => string;
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');
  readonly #values: T[] = [];

  constructor(make: (text: string) => T, copy: (text: string) => string) {
    this.#make = make;
    this.#copy = copy;
  }

  /** What is made of a part of a line, of which `codes` are the UTF-16 units. */
  of(line: string, codes: Uint16Array, start: number, end: number): T {
    if (start >= end) return this.#make('');
    let hash = 0;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + codes[i]!) | 0;
    const slot = (hash ^ (hash >>> 14)) & (SLOTS - 1);
    const known = this.#texts[slot]!;
    if (known.length === end - start && line.startsWith(known, start)) return this.#values[slot]!;
    const text = this.#copy(line.slice(start, end));
    const value = this.#make(text);
    this.#texts[slot] = text;
    this.#values[slot] = value;
    return value;
  }
}

/** What was made of short texts that come again and again, found without cutting them out of their line. */
import { ownText } from '../../../model/own-text.ts';

/** A power of two. Two texts in one slot take turns. */
const SLOTS_LOG = 13;
/** UTF-16 units; longer texts are made anew each time. */
const LONGEST = 32;

export class TextCache<T> {
  readonly #make: (text: string) => T;
  #codes: Uint16Array | null = null;
  readonly #lengths = new Uint8Array(1 << SLOTS_LOG);
  readonly #values: T[] = [];

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** What is made of a part of a line, of which `codes` are the UTF-16 units. */
  of(line: string, codes: Uint16Array, start: number, end: number): T {
    const length = end - start;
    if (length <= 0) return this.#make('');
    // of their own, not a part of the line: that would keep the whole block of the file alive
    if (length > LONGEST) return this.#make(ownText(line.slice(start, end)));
    let hash = 0;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + codes[i]!) | 0;
    const slot = Math.imul(hash, 0x9e3779b1) >>> (32 - SLOTS_LOG);
    this.#codes ??= new Uint16Array(LONGEST << SLOTS_LOG);
    const known = this.#codes;
    const at = slot * LONGEST;
    if (this.#lengths[slot] === length) {
      let i = 0;
      while (i < length && known[at + i] === codes[start + i]) i++;
      if (i === length) return this.#values[slot]!;
    }
    for (let i = 0; i < length; i++) known[at + i] = codes[start + i]!;
    this.#lengths[slot] = length;
    const value = this.#make(String.fromCharCode(...codes.subarray(start, end)));
    this.#values[slot] = value;
    return value;
  }
}

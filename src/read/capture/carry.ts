/**
 * Cuts blocks of bytes into records where they lie: only a record that straddles two blocks is put together in a
 * buffer, which grows with the bytes that arrive and never with what a length field claims.
 */

export interface RecordParser {
  /** How many bytes, from the position that parse() returned, it has to see before it can go on. */
  readonly need: number;
  /**
   * Takes the whole records in bytes[start .. end) and returns where the first incomplete one starts. The byte at
   * index i lies at `origin + i` in the file. `last`: no byte follows these.
   */
  parse(bytes: Uint8Array, start: number, end: number, origin: number, last: boolean): number;
}

export class Carry {
  readonly #parser: RecordParser;
  #held = new Uint8Array(1 << 12);
  #start = 0;
  #end = 0;
  /** Offset in the file of the first byte not pushed yet. */
  #offset = 0;

  constructor(parser: RecordParser) {
    this.#parser = parser;
  }

  push(bytes: Uint8Array): void {
    let used = 0;
    while (this.#end > this.#start && used < bytes.length) {
      const missing = this.#parser.need - (this.#end - this.#start);
      const count = Math.min(Math.max(missing, 1), bytes.length - used);
      this.#hold(bytes, used, used + count);
      used += count;
      if (count >= missing) this.#parseHeld(false, used);
    }
    if (used < bytes.length) {
      const stop = this.#parser.parse(bytes, used, bytes.length, this.#offset, false);
      if (stop < bytes.length) this.#hold(bytes, stop, bytes.length);
    }
    this.#offset += bytes.length;
  }

  /** End of input: what is held is parsed as the last there is. Returns how many bytes remain of an incomplete record. */
  end(): number {
    this.#parseHeld(true, 0);
    return this.#end - this.#start;
  }

  /** Offset in the file of the incomplete record that end() found. */
  get position(): number {
    return this.#offset - (this.#end - this.#start);
  }

  #parseHeld(last: boolean, used: number): void {
    const origin = this.#offset + used - this.#end;
    this.#start = this.#parser.parse(this.#held, this.#start, this.#end, origin, last);
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const kept = this.#end - this.#start;
    const size = kept + to - from;
    if (this.#end + to - from > this.#held.length) {
      const target = size > this.#held.length ? new Uint8Array(size * 2) : this.#held;
      target.set(this.#held.subarray(this.#start, this.#end));
      this.#held = target;
      this.#start = 0;
      this.#end = kept;
    } else if (kept === 0) {
      this.#start = 0;
      this.#end = 0;
    }
    this.#held.set(bytes.subarray(from, to), this.#end);
    this.#end += to - from;
  }
}

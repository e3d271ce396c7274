/**
 * Fixed-size records in one growing buffer. A record is named by the offset of its first word, which stays valid
 * until it is released; offset 0 is never handed out, so that 0 in a link means none. Released records are reused.
 */
export interface RowsState {
  words: Int32Array<ArrayBuffer>;
  live: number;
  end: number;
  free: number;
}

export class Rows {
  /** The records as words, and the same bytes as doubles (index = offset / 2). Replaced when the buffer grows. */
  words: Int32Array<ArrayBuffer>;
  doubles: Float64Array;
  /** Words per record, even. */
  readonly stride: number;
  /** Records in use. */
  live = 0;
  #end: number;
  #free = 0;

  constructor(stride: number, capacity = 4) {
    this.stride = stride;
    this.words = new Int32Array(stride * (capacity + 1));
    this.doubles = new Float64Array(this.words.buffer);
    this.#end = stride;
  }

  /** Offset behind the last record ever handed out; the first is at `stride`. */
  get end(): number {
    return this.#end;
  }

  /** Offset of a record of zeros. */
  allocate(): number {
    this.live++;
    const reused = this.#free;
    if (reused !== 0) {
      this.#free = this.words[reused]!;
      // A loop: the built-in fill costs more for so few words.
      for (let i = reused; i < reused + this.stride; i++) this.words[i] = 0;
      return reused;
    }
    const at = this.#end;
    this.#end += this.stride;
    if (this.#end > this.words.length) this.#resize(2 * this.words.length);
    return at;
  }

  /** All there is; whoever takes it goes on with it. */
  state(): RowsState {
    return { words: this.words, live: this.live, end: this.#end, free: this.#free };
  }

  /** The same for who goes on with a copy. */
  copy(): RowsState {
    return { ...this.state(), words: this.words.slice(0, this.#end) };
  }

  adopt({ words, live, end, free }: RowsState): void {
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
    this.live = live;
    this.#end = end;
    this.#free = free;
  }

  /** Makes room for just so many more: then `words` stays the same array until they are used up. */
  fit(records: number): void {
    const length = this.#end + records * this.stride;
    if (length !== this.words.length) this.#resize(length);
  }

  release(at: number): void {
    this.words[at] = this.#free;
    this.#free = at;
    this.live--;
  }

  #resize(length: number): void {
    const words = new Int32Array(length);
    words.set(this.words.subarray(0, length));
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}

/**
 * Small integers in few bytes. A control byte says of the four numbers behind it how many bytes each takes: two bits for
 * none (it is zero), one, two and four, in two's complement, the lowest first.
 */
const PER_CONTROL = 4;
/** Numbers at a time: whole groups. */
const AHEAD = 32;
/** A group takes at most so many bytes, which there must be behind a record: a reader looks ahead. */
export const BEHIND = 1 + 4 * PER_CONTROL;

/** Takes numbers one by one, and makes bytes of all of them at once. */
export class PackedWriter {
  bytes = new Uint8Array(4096);
  #values = new Int32Array(1024);
  #count = 0;

  restart(): void {
    this.#count = 0;
  }

  /** A 32-bit integer. */
  put(value: number): void {
    if (this.#count === this.#values.length) this.#grow();
    this.#values[this.#count++] = value;
  }

  /** A whole number in a double. */
  putLong(value: number): void {
    if (value === (value | 0) && value >= 0) {
      this.put(value);
      this.put(0);
      return;
    }
    const high = Math.floor(value / 2 ** 32);
    this.put((value - high * 2 ** 32) | 0);
    this.put(high);
  }

  /** Puts all that was taken into `bytes`; how many they are. */
  finish(): number {
    const [values, count, bytes] = [this.#values, this.#count, this.bytes];
    let length = 0;
    for (let i = 0; i < count; ) {
      const control = length++;
      let sizes = 0;
      for (let shift = 0; shift < 2 * PER_CONTROL && i < count; shift += 2) {
        const value = values[i++]!;
        if (value === 0) continue;
        bytes[length++] = value;
        if (value === (value << 24) >> 24) {
          sizes |= 1 << shift;
          continue;
        }
        bytes[length++] = value >> 8;
        if (value === (value << 16) >> 16) {
          sizes |= 2 << shift;
          continue;
        }
        bytes[length++] = value >> 16;
        bytes[length++] = value >> 24;
        sizes |= 3 << shift;
      }
      bytes[control] = sizes;
    }
    return length;
  }

  #grow(): void {
    const larger = new Int32Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
    // four bytes a number, and their sizes
    this.bytes = new Uint8Array(larger.length * 5);
  }
}

export class PackedReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #values = new Int32Array(AHEAD);
  #next = AHEAD;

  /** Goes on at the beginning of what a writer wrote. */
  open(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#next = AHEAD;
  }

  get(): number {
    if (this.#next === AHEAD) this.#read();
    return this.#values[this.#next++]!;
  }

  getLong(): number {
    const low = this.get() >>> 0;
    return low + this.get() * 2 ** 32;
  }

  /** What comes next; behind the last number of a record, that of another one or nothing, which nobody asks for. */
  #read(): void {
    const [bytes, values] = [this.#bytes, this.#values];
    let at = this.#at;
    for (let i = 0; i < AHEAD && at <= bytes.length - BEHIND; ) {
      const sizes = bytes[at++]!;
      for (let shift = 0; shift < 2 * PER_CONTROL; shift += 2) {
        const size = (sizes >> shift) & 3;
        if (size === 0) values[i++] = 0;
        else if (size === 1) values[i++] = (bytes[at++]! << 24) >> 24;
        else if (size === 2) {
          values[i++] = bytes[at]! | ((bytes[at + 1]! << 24) >> 16);
          at += 2;
        } else {
          values[i++] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
          at += 4;
        }
      }
    }
    this.#at = at;
    this.#next = 0;
  }
}

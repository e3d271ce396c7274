/**
 * Small integers in few bytes. A control byte says of the four numbers behind it how many bytes each takes: two bits for
 * none (it is zero), one, two and four, in two's complement, the lowest first.
 */
const PER_CONTROL = 4;

export class PackedWriter {
  bytes = new Uint8Array(4096);
  /** Bytes written. */
  length = 0;
  #view = new DataView(this.bytes.buffer);
  #control = 0;
  #count = PER_CONTROL;

  restart(): void {
    this.length = 0;
    this.#count = PER_CONTROL;
  }

  /** A 32-bit integer. */
  put(value: number): void {
    if (this.#count === PER_CONTROL) {
      this.#count = 0;
      // four numbers more may come before this is asked again
      if (this.length + 32 > this.bytes.length) this.#grow();
      this.#control = this.length++;
      this.bytes[this.#control] = 0;
    }
    const shift = 2 * this.#count++;
    if (value === 0) return;
    const at = this.length;
    if (value === (value << 24) >> 24) {
      this.bytes[at] = value;
      this.bytes[this.#control]! |= 1 << shift;
      this.length = at + 1;
    } else if (value === (value << 16) >> 16) {
      this.#view.setInt16(at, value, true);
      this.bytes[this.#control]! |= 2 << shift;
      this.length = at + 2;
    } else {
      this.#view.setInt32(at, value, true);
      this.bytes[this.#control]! |= 3 << shift;
      this.length = at + 4;
    }
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

  #grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

export class PackedReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #control = 0;
  #count = PER_CONTROL;

  /** Goes on at the beginning of what a writer wrote. */
  open(bytes: Uint8Array, at: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#at = at;
    this.#count = PER_CONTROL;
  }

  get(): number {
    if (this.#count === PER_CONTROL) {
      this.#count = 0;
      this.#control = this.#bytes[this.#at++]!;
    }
    const size = (this.#control >> (2 * this.#count++)) & 3;
    if (size === 0) return 0;
    const at = this.#at;
    if (size === 1) {
      this.#at = at + 1;
      return (this.#bytes[at]! << 24) >> 24;
    }
    if (size === 2) {
      this.#at = at + 2;
      return this.#view.getInt16(at, true);
    }
    this.#at = at + 4;
    return this.#view.getInt32(at, true);
  }

  getLong(): number {
    const low = this.get() >>> 0;
    return low + this.get() * 2 ** 32;
  }
}

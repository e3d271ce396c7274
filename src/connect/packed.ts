/**
 * Small integers in few bytes. A control byte says of the eight numbers behind it which are not zero; those follow with
 * seven bits a byte, the sign lowest (as LEB128 with zigzag).
 */
export class PackedWriter {
  bytes = new Uint8Array(4096);
  /** Bytes written. */
  length = 0;
  #control = 0;
  #count = 8;

  restart(): void {
    this.length = 0;
    this.#count = 8;
  }

  /** A 32-bit integer. */
  put(value: number): void {
    if (this.#count === 8) {
      this.#count = 0;
      // nine numbers more may come before this is asked again
      if (this.length + 64 > this.bytes.length) this.#grow();
      this.#control = this.length++;
      this.bytes[this.#control] = 0;
    }
    if (value !== 0) {
      const { bytes } = this;
      let at = this.length;
      bytes[this.#control]! |= 1 << this.#count;
      let rest = ((value << 1) ^ (value >> 31)) >>> 0;
      while (rest > 127) {
        bytes[at++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      bytes[at++] = rest;
      this.length = at;
    }
    this.#count++;
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
  }
}

export class PackedReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #control = 0;
  #count = 8;

  /** Goes on at the beginning of what a writer wrote. */
  open(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#count = 8;
  }

  get(): number {
    const bytes = this.#bytes;
    if (this.#count === 8) {
      this.#count = 0;
      this.#control = bytes[this.#at++]!;
    }
    if ((this.#control & (1 << this.#count++)) === 0) return 0;
    let byte = bytes[this.#at++]!;
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[this.#at++]!;
      value |= (byte & 127) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  getLong(): number {
    const low = this.get() >>> 0;
    return low + this.get() * 2 ** 32;
  }
}

/** Integers in the byte order of a file, which is an argument: one code path reads both. Nothing is bounds-checked. */

export function u16(bytes: Uint8Array, at: number, big: boolean): number {
  return big ? (bytes[at] << 8) | bytes[at + 1] : bytes[at] | (bytes[at + 1] << 8);
}

/** A signed view of 32 bits, which V8 keeps unboxed; `>>> 0` gives the unsigned value. */
export function i32(bytes: Uint8Array, at: number, big: boolean): number {
  return big
    ? (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]
    : bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

export function u32(bytes: Uint8Array, at: number, big: boolean): number {
  return i32(bytes, at, big) >>> 0;
}

/** 64 bits: for the rare fields that are no time of a packet. */
export function i64(bytes: Uint8Array, at: number, big: boolean): bigint {
  const high = i32(bytes, big ? at : at + 4, big);
  const low = u32(bytes, big ? at + 4 : at, big);
  return (BigInt(high) << 32n) | BigInt(low);
}

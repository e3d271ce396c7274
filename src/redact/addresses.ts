/**
 * What stands for an address: private for private, and for public ones addresses that belong to nobody, so that no host of
 * somebody else is named. Prefixes that two addresses share are kept as far as the range allows.
 */
import { formatWords, MAPPED_WORD } from '../model/address.ts';
import { hmacSha256 } from '../platform/ciphers.ts';
import type { CryptoPan } from './crypto-pan.ts';

export type Words = readonly [number, number, number, number];

/** Ranges that are what they are to everybody: [first address, bits that stay]. RFC 1918, 6598, 3927, 5771. */
const PRIVATE_V4: readonly (readonly [number, number])[] = [
  [0x0a000000, 8],
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0x64400000, 10],
  [0xa9fe0000, 16],
  [0xe0000000, 4],
];
const BROADCAST = 0xffffffff;
/** RFC 5737: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24. */
const DOCUMENTATION_V4 = [0xc0000200, 0xc6336400, 0xcb007100];
const SLOTS = 256 * DOCUMENTATION_V4.length;
/** RFC 1112 §4: reserved, and routed by nobody. */
const RESERVED_V4 = 0xf0000000;
const RESERVED_BITS = 28;
/** RFC 3849. */
const DOCUMENTATION_V6 = 0x20010db8;
/** [first word, bits that stay]: RFC 4193, 4291 (link-local with the zeros behind it, multicast with flags and scope). */
const PRIVATE_V6: readonly (readonly [number, number, number])[] = [
  [0xfc000000, 7, 8],
  [0xfe800000, 10, 64],
  [0xff000000, 8, 16],
];
/** 64:ff9b::/96 (RFC 6052): an IPv4 address in its last word. */
const NAT64: Words = [0x0064ff9b, 0, 0, 0];

/** No two get the same; the same key and the same order give the same. */
export class AddressMap {
  readonly #pan: CryptoPan;
  readonly #key: Uint8Array;
  readonly #given = new Set<number>();
  #documented = 0;

  constructor(pan: CryptoPan, key: Uint8Array) {
    this.#pan = pan;
    this.#key = key;
  }

  replace([a, b, c, d]: Words): Words {
    if ((a | b) === 0 && c >>> 0 === MAPPED_WORD) return [0, 0, MAPPED_WORD, this.#v4(d >>> 0) | 0];
    if (a === NAT64[0] && (b | c) === 0) return [a, b, c, this.#v4(d >>> 0) | 0];
    return this.#v6([a, b, c, d]);
  }

  #v4(address: number): number {
    if (address === BROADCAST) return address;
    const pan = this.#pan.replace(bytesOf([address]), 32).readUInt32BE(0);
    const own = PRIVATE_V4.find(([first, bits]) => address >>> (32 - bits) === first >>> (32 - bits));
    if (own) return (own[0] | (pan & (0xffffffff >>> own[1]))) >>> 0;
    return this.#documented < SLOTS ? this.#documentation(address) : this.#reserved(pan);
  }

  #documentation(address: number): number {
    const mark = hmacSha256(this.#key, `v4 ${formatWords(0, 0, MAPPED_WORD, address | 0)}`);
    for (let slot = Buffer.from(mark).readUInt32BE(0); ; slot++) {
      const at = slot % SLOTS;
      const one = (DOCUMENTATION_V4[at >> 8]! | (at & 0xff)) >>> 0;
      if (one === address || this.#given.has(one)) continue;
      this.#given.add(one);
      this.#documented++;
      return one;
    }
  }

  #reserved(pan: number): number {
    const mask = 2 ** RESERVED_BITS - 1;
    for (let one = pan & mask; ; one = (one + 1) & mask) {
      const found = (RESERVED_V4 | one) >>> 0;
      if (found === BROADCAST || this.#given.has(found)) continue;
      this.#given.add(found);
      return found;
    }
  }

  #v6(words: Words): Words {
    const pan = this.#pan.replace(bytesOf(words), 128);
    const first = words[0] >>> 0;
    const own = PRIVATE_V6.find(([start, bits]) => first >>> (32 - bits) === start >>> (32 - bits));
    if (own) bytesOf(words).copy(pan, 0, 0, own[2] / 8);
    else pan.writeUInt32BE(DOCUMENTATION_V6, 0);
    return [0, 4, 8, 12].map((at) => pan.readInt32BE(at)) as unknown as Words;
  }
}

function bytesOf(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * words.length);
  for (const [i, word] of words.entries()) bytes.writeInt32BE(word | 0, 4 * i);
  return bytes;
}

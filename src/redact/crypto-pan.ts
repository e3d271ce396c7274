/**
 * Prefix-preserving, keyed replacement of addresses: two addresses that share their first n bits share the first n
 * bits of what replaces them (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002; over 128
 * bits for IPv6). With AES and a padding as in their Crypto-PAn, but for one thing: of each block it takes another bit.
 * Where address and padding agree two lengths have the same block, and with the first bit of each, as Crypto-PAn takes
 * it, flips repeat: one address in some 600 stood for itself.
 */
import { aesBlocks } from '../platform/ciphers.ts';

const KEY_BYTES = 32;

export class CryptoPan {
  readonly #encrypt: (block: Uint8Array) => Uint8Array;
  readonly #pad: Uint8Array;

  /** @param key 32 bytes: the AES key, then what makes the padding */
  constructor(key: Uint8Array) {
    this.#encrypt = aesBlocks(key.subarray(0, 16));
    this.#pad = this.#encrypt(key.subarray(16, KEY_BYTES));
  }

  /** Replaces the `bits` first bits (32 or 128) of an address in network order. */
  replace(address: Buffer, bits: 32 | 128): Buffer {
    const flips = Buffer.alloc(bits / 8);
    for (let bit = 0; bit < bits; bit++) {
      if (this.#flips(address, bit)) flips[bit >> 3]! |= 0x80 >> (bit & 7);
    }
    return Buffer.from(flips.map((byte, i) => byte ^ address[i]!));
  }

  /** Whether bit number `length` changes: decided by the bits before it alone. */
  #flips(address: Buffer, length: number): boolean {
    const input = Buffer.from(this.#pad);
    const whole = length >> 3;
    address.copy(input, 0, 0, whole);
    const rest = length & 7;
    if (rest > 0) {
      const mask = (0xff00 >> rest) & 0xff;
      input[whole] = (address[whole]! & mask) | (this.#pad[whole]! & ~mask & 0xff);
    }
    return (this.#encrypt(input)[whole]! & (0x80 >> rest)) !== 0;
  }
}

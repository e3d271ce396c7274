import { createCipheriv, createHmac } from 'node:crypto';

export function hmacSha256(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}

/** AES-128 of single blocks (16 bytes). */
export function aesBlocks(key: Uint8Array): (block: Uint8Array) => Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', key, null);
  cipher.setAutoPadding(false);
  return (block) => cipher.update(block);
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** Stays in the cache from being read to being hashed. */
const buffer = new Uint8Array(1 << 18);

/**
 * SHA-256 of a file, in hexadecimal; null when it cannot be read (any more). Reads into one buffer again and again: a
 * stream, which makes a new one for every block, takes two thirds more CPU.
 */
export async function sha256OfFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    const file = openSync(path, 'r');
    try {
      for (let n = readSync(file, buffer); n > 0; n = readSync(file, buffer))
        hash.update(buffer.subarray(0, n));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
  return hash.digest('hex');
}

/** SHA-256 of bytes that come one after the other. */
export function sha256(): { add(bytes: Uint8Array | string): void; hex(): string } {
  const hash = createHash('sha256');
  return { add: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
}

/** SHA-256 of a text in base64, as Content-Security-Policy wants it. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

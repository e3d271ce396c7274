import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Of a file, in hexadecimal; null when it cannot be read (any more): then the report does without. */
export async function sha256(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(block as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}

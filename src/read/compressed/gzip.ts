/** gzip (RFC 1952), any number of members, through Node's zlib. */
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';
import type { Damage, Packed } from './compression.ts';

/**
 * zlib hands out nothing of the chunk it fails in, so damage costs up to one chunk of what came before it: chunks are
 * a small part of the file, as far as speed allows.
 */
const MIN_CHUNK = 512;
const MAX_CHUNK = 1 << 17;

function chunkFor(size: number | null): number {
  return size === null ? MAX_CHUNK : Math.min(Math.max(size >> 6, MIN_CHUNK), MAX_CHUNK);
}

/** Codes: `gzip-truncated`, `gzip-damaged`. */
export async function* gunzip(packed: Packed, damage: Damage): AsyncGenerator<Uint8Array, void> {
  const stream = createGunzip({ chunkSize: chunkFor(packed.size) });
  const fed = feed(stream, packed, damage);
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') {
      damage('gzip-truncated', packed.consumed, 'the gzip stream is cut short; what was there is read');
    } else {
      const what = `the gzip stream is damaged (${message}); what came before is read`;
      damage('gzip-damaged', stream.bytesWritten, what);
    }
  } finally {
    stream.destroy();
    await fed;
  }
}

/** Ends quietly when the stream fails or is given up: the reading side reports it. */
async function feed(stream: ReturnType<typeof createGunzip>, packed: Packed, damage: Damage): Promise<void> {
  const closed = once(stream, 'close').catch(() => undefined);
  for await (const block of packed.chunks(damage)) {
    const written = new Promise((resolve) => stream.write(block, resolve));
    await Promise.race([written, closed]);
    if (stream.destroyed) return;
  }
  // Everything that came is handed out before the end of the stream is found missing.
  await Promise.race([new Promise<void>((resolve) => stream.flush(resolve)), closed]);
  if (!stream.destroyed) stream.end();
}

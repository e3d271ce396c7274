/** gzip (RFC 1952), any number of members, through Node's zlib. */
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';
import type { Damage, Packed } from './compression.ts';

/** Each chunk is a task of its own for another thread: the larger, the fewer. */
const CHUNK = 1 << 17;
/**
 * zlib hands out nothing of the chunk it fails in, so that damage would cost up to one chunk of what came before it. A
 * damaged file is read once more, in chunks that are a small part of it, as far as speed allows.
 */
const MIN_CHUNK = 512;

interface Fault {
  code: 'gzip-truncated' | 'gzip-damaged';
  at: number;
  message: string;
}

/** Codes: `gzip-truncated`, `gzip-damaged`. */
export async function* gunzip(packed: Packed, damage: Damage): AsyncGenerator<Uint8Array, void> {
  let { fault, size } = yield* inflate(packed, damage, CHUNK, 0);
  const again = fault?.code === 'gzip-damaged' ? await packed.again() : null;
  if (again) {
    const chunk = Math.min(Math.max(again.size! >> 6, MIN_CHUNK), CHUNK);
    ({ fault } = yield* inflate(again, () => undefined, chunk, size));
  }
  if (fault) damage(fault.code, fault.at, fault.message);
}

/** Hands out what unpacks behind the first `skip` bytes; what ended it, and how much there was. */
async function* inflate(
  packed: Packed,
  damage: Damage,
  chunkSize: number,
  skip: number,
): AsyncGenerator<Uint8Array, { fault: Fault | null; size: number }> {
  const stream = createGunzip({ chunkSize });
  const fed = feed(stream, packed, damage);
  let fault: Fault | null = null;
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      const known = Math.min(Math.max(skip - size, 0), chunk.length);
      size += chunk.length;
      if (known < chunk.length) yield chunk.subarray(known);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = `the gzip stream is damaged (${message}); what came before is read`;
    fault =
      code === 'Z_BUF_ERROR'
        ? {
            code: 'gzip-truncated',
            at: packed.consumed,
            message: 'the gzip stream is cut short; what was there is read',
          }
        : { code: 'gzip-damaged', at: stream.bytesWritten, message: what };
  } finally {
    stream.destroy();
    await fed;
  }
  return { fault, size };
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

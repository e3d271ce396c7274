/** gzip through Node's zlib, any number of members. */
import { once } from 'node:events';
import { createGunzip } from 'node:zlib';
import type { GzipEnd } from './types.ts';

/** Hands out what the blocks unpack to, as far as it is sound. A block may be overwritten once the next one is asked for. */
export async function* inflate(
  blocks: AsyncIterable<Uint8Array>,
  chunkSize: number,
): AsyncGenerator<Uint8Array, GzipEnd> {
  const stream = createGunzip({ chunkSize });
  const fed = feed(stream, blocks);
  try {
    yield* stream as AsyncIterable<Uint8Array>;
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { fault: code === 'Z_BUF_ERROR' ? 'truncated' : 'damaged', at: stream.bytesWritten, message };
  } finally {
    stream.destroy();
    await fed;
  }
}

/** Ends quietly when the stream fails or is given up: the reading side reports it. */
async function feed(
  stream: ReturnType<typeof createGunzip>,
  blocks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const closed = once(stream, 'close').catch(() => undefined);
  for await (const block of blocks) {
    const written = new Promise((resolve) => stream.write(block, resolve));
    await Promise.race([written, closed]);
    if (stream.destroyed) return;
  }
  // Everything that came is handed out before the end of the stream is found missing.
  await Promise.race([new Promise<void>((resolve) => stream.flush(resolve)), closed]);
  if (!stream.destroyed) stream.end();
}

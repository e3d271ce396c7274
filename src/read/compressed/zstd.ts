/** Zstandard (RFC 8878), any number of frames, through zstd's own decoder in WebAssembly. */
import type { Damage, Packed } from './compression.ts';

/** What the decoder is given at once. Bounds how much comes out of it before anyone can say stop. */
const PIECE = 1 << 14;

const TRUNCATED = 'the zstd stream is cut short; what was there is read';
const DAMAGED =
  'the zstd stream is damaged, or unpacks only with more than 128 MB of memory (zstd -d --long=31); what came before is read';

/** Codes: `zstd-truncated`, `zstd-damaged`. */
export async function* unzstd(packed: Packed, damage: Damage): AsyncGenerator<Uint8Array, void> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  let waiting: Uint8Array | null = null;
  let idle = 0;
  const input = (function* () {
    while (waiting !== null) {
      const piece: Uint8Array = waiting;
      waiting = null;
      idle = 0;
      yield piece;
    }
  })();
  const pieces = cut(packed.chunks(damage));
  const output = decoder.decodeStreaming(input);
  try {
    // The decoder takes at most one piece at a call. Each call but the one after damage takes a byte or gives one.
    while (idle <= PIECE) {
      waiting ??= (await pieces.next()).value ?? null;
      const { done, value } = output.next();
      if (done) return;
      if (value.length === 0) idle++;
      else yield value;
    }
    damage('zstd-damaged', packed.consumed, DAMAGED);
  } catch (error) {
    if (isIncomplete(error)) damage('zstd-truncated', packed.consumed, TRUNCATED);
    else damage('zstd-damaged', packed.consumed, DAMAGED);
  } finally {
    waiting = null;
    if (idle <= PIECE) drain(output);
    await pieces.return();
  }
}

/** Blocks in pieces. */
async function* cut(blocks: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  for await (const block of blocks) {
    for (let at = 0; at < block.length; at += PIECE) yield block.subarray(at, at + PIECE);
  }
}

/** Lets a decoder that was given up run to the end of its piece, where it frees its memory. */
function drain(output: Generator<Uint8Array, void>): void {
  try {
    for (let idle = 0; idle <= PIECE; ) {
      const { done, value } = output.next();
      if (done) return;
      idle = value.length === 0 ? idle + 1 : 0;
    }
  } catch (error) {
    if (!isIncomplete(error)) throw error;
  }
}

/** The one error that the library throws of itself: the input has ended within a frame. */
function isIncomplete(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Incomplete stream');
}

/** gzip (RFC 1952). */
import { inflate } from '../../platform/gzip.ts';
import type { GzipEnd } from '../../platform/types.ts';
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
  let { fault, size } = yield* unpacked(packed, damage, CHUNK, 0);
  const again = fault?.code === 'gzip-damaged' ? await packed.again() : null;
  if (again) {
    const chunk = Math.min(Math.max(again.size! >> 6, MIN_CHUNK), CHUNK);
    ({ fault } = yield* unpacked(again, () => undefined, chunk, size));
  }
  if (fault) damage(fault.code, fault.at, fault.message);
}

/** Hands out what unpacks behind the first `skip` bytes; what ended it, and how much there was. */
async function* unpacked(
  packed: Packed,
  damage: Damage,
  chunkSize: number,
  skip: number,
): AsyncGenerator<Uint8Array, { fault: Fault | null; size: number }> {
  const chunks = inflate(packed.chunks(damage), chunkSize);
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) return { fault: value && faultOf(value, packed), size };
      const known = Math.min(Math.max(skip - size, 0), value.length);
      size += value.length;
      if (known < value.length) yield value.subarray(known);
    }
  } finally {
    await chunks.return(null);
  }
}

function faultOf({ fault, at, message }: NonNullable<GzipEnd>, packed: Packed): Fault {
  if (fault === 'truncated') {
    const what = 'the gzip stream is cut short; what was there is read';
    return { code: 'gzip-truncated', at: packed.consumed, message: what };
  }
  const what = `the gzip stream is damaged (${message}); what came before is read`;
  return { code: 'gzip-damaged', at, message: what };
}

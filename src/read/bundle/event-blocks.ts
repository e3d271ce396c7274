/** The blocks of events.bin (docs/bundle.md): whole ones in their order; what is damaged or cut off is said and stepped over. */
import type { Diagnostics } from '../../model/diagnostic.ts';
import type { Files } from '../../platform/types.ts';
import { BLOCK_BYTES, openBytes } from '../bytes.ts';
import { SIGNATURE } from './is-bundle.ts';

const SIGNATURE_BYTES = 16;
const HEAD_BYTES = 32;
/** `TAB1`, read in the order of the file's bytes. */
const MARK = 0x54414231;
/** Longer blocks are none of ours: the recorder writes 256 kB at a time; a head with many symbols stays below this. */
const LONGEST = 1 << 24;

/** JSON text (head, names, status) or records; `at` is its offset in the file. */
export interface EventBlock {
  what: 'json' | 'records';
  bytes: Uint8Array;
  at: number;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 as zlib's. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = CRC[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** True for numbers in little-endian order; null when the bytes are no events.bin. */
function byteOrder(bytes: Uint8Array): boolean | null {
  if (bytes.length < SIGNATURE_BYTES) return null;
  for (let i = 0; i < SIGNATURE.length; i++) if (bytes[i] !== SIGNATURE.charCodeAt(i)) return null;
  return bytes[14] === 2 && bytes[15] === 1;
}

/** Calls `take` with each whole block; segments of a flight recorder stand one behind the other, each a file by itself. */
export async function readEventBlocks(
  path: string,
  files: Files,
  diagnostics: Diagnostics,
  take: (block: EventBlock, little: boolean) => void,
): Promise<void> {
  const source = await openBytes(path, path, diagnostics, BLOCK_BYTES, files);
  if (!source) return;
  const lost = (code: string, at: number, message: string) =>
    diagnostics.add({ code, severity: 'data-loss', source: path, locator: `byte ${at}`, message });
  let rest = new Uint8Array(0);
  let at = 0;
  let little: boolean | null = null;
  let damagedFrom: number | null = null;
  let expected = 0;
  const resume = (number: number) => {
    if (damagedFrom !== null || number > expected)
      lost('bundle-block', damagedFrom ?? at, `${number - expected} blocks of events are damaged or missing`);
    damagedFrom = null;
    expected = number + 1;
  };
  /** Bytes of `rest` that are done with; 0: more are needed. */
  const step = (order: boolean, from: number): number => {
    const view = new DataView(rest.buffer, rest.byteOffset + from, rest.length - from);
    if (view.byteLength < HEAD_BYTES) return 0;
    const length = Number(view.getBigUint64(8, order));
    const sound =
      view.getUint32(0) === MARK &&
      length <= LONGEST &&
      crc32(rest.subarray(from, from + 28)) === view.getUint32(28, order);
    const whole = HEAD_BYTES + length + (-length & 7);
    if (!sound && byteOrder(rest.subarray(from, from + SIGNATURE_BYTES)) !== null) {
      if (damagedFrom !== null)
        lost('bundle-block', damagedFrom, 'blocks of events are damaged, up to the next segment');
      damagedFrom = null;
      expected = 0;
      return SIGNATURE_BYTES;
    }
    if (!sound) {
      damagedFrom ??= at + from;
      // blocks begin at multiples of 8
      return 8;
    }
    if (view.byteLength < whole) return 0;
    const bytes = rest.slice(from + HEAD_BYTES, from + HEAD_BYTES + length);
    if (crc32(bytes) !== view.getUint32(24, order)) {
      damagedFrom ??= at + from;
      return whole;
    }
    resume(Number(view.getBigUint64(16, order)));
    take({ what: view.getUint32(4, order) === 1 ? 'json' : 'records', bytes, at: at + from }, order);
    return whole;
  };
  for await (const chunk of source.blocks()) {
    const both: Uint8Array<ArrayBuffer> = new Uint8Array(rest.length + chunk.length);
    both.set(rest);
    both.set(chunk, rest.length);
    rest = both;
    let done = 0;
    if (little === null) {
      little = byteOrder(rest);
      if (little === null) {
        lost('bundle-block', 0, 'these are not the events of a recorder');
        return;
      }
      done = SIGNATURE_BYTES;
    }
    for (let n = step(little, done); n > 0; n = step(little, done)) done += n;
    at += done;
    rest = rest.slice(done);
  }
  if (rest.length > 0 || damagedFrom !== null)
    lost(
      'bundle-cut-off',
      damagedFrom ?? at,
      'the last block has no end: the file was cut off or damaged here',
    );
}

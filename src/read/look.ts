/** What the first and the last bytes of a capture file say of it. */
import { Diagnostics } from '../model/diagnostic.ts';
import type { Frame } from '../model/packet.ts';
import type { Source } from '../model/source.ts';
import type { Files } from '../platform/types.ts';
import { openBytes } from './bytes.ts';
import { compressionOf } from './compressed/compression.ts';
import { captureFormats } from './formats.ts';
import type { CaptureFormat } from './importer.ts';

/** What can be seen of a capture file without reading it. Times are ns of the Unix epoch. */
export interface Look {
  /** What the files of one capture have in common: format, byte order, link types, snap lengths, ticks. */
  kind: string;
  first: bigint;
  /** Null when only reading the whole file would tell: it is packed, or cut. */
  last: bigint | null;
}

const HEAD = 1 << 16;
/** More than the largest record. */
export const TAIL_BYTES = 1 << 19;

/** Null for what is no capture with times. */
export async function lookAt(path: string, files: Files): Promise<Look | null> {
  const file = await files.open(path);
  try {
    const { size } = file;
    if (size === null) return null;
    let head = new Uint8Array(Math.min(HEAD, size));
    head = head.subarray(0, await file.read(head, 0));
    const isPacked = compressionOf(head) !== undefined;
    if (isPacked) head = new Uint8Array(await headOf(path, files));
    const format = captureFormats.find((f) => f.sniff(head));
    const header = format?.header(head) ?? null;
    if (!format || header === null) return null;
    const times = timesIn(format, [head]);
    if (times === null || isPacked || size === head.length)
      return times && { ...times, kind: header.kind, last: isPacked ? null : times.last };
    const tail = new Uint8Array(Math.min(TAIL_BYTES, size - header.length));
    const read = await file.read(tail, size - tail.length);
    const at = read === tail.length ? format.lastRecords(head, tail) : null;
    const ends = at === null ? null : timesIn(format, [head.subarray(0, header.length), tail.subarray(at)]);
    return { kind: header.kind, first: times.first, last: ends?.last ?? null };
  } finally {
    await file.close();
  }
}

async function headOf(path: string, files: Files): Promise<Uint8Array> {
  const bytes = await openBytes(path, path, new Diagnostics(), HEAD, files);
  const head = bytes?.head.slice() ?? new Uint8Array(0);
  await bytes?.close();
  return head;
}

/** Of a capture of which no more can be looked at than its beginning. */
export function lookIn(format: CaptureFormat, head: Uint8Array): Look | null {
  const header = format.header(head);
  const times = header && timesIn(format, [head]);
  return times && { kind: header.kind, first: times.first, last: null };
}

/** First and latest time of the packets in parts of a file; null when there are none. */
function timesIn(
  format: CaptureFormat,
  parts: readonly Uint8Array[],
): { first: bigint; last: bigint } | null {
  let first: number | null = null;
  let last = 0;
  const source = framesIn(format, parts, (frame) => {
    first ??= frame.time;
    last = first === frame.time ? frame.time : Math.max(last, frame.time);
  });
  if (first === null || source === null || source.clock.kind !== 'realtime') return null;
  const at = (time: number) => source.clock.base + BigInt(Math.round(time));
  return { first: at(first), last: at(last) };
}

/** Hands out the frames in the first bytes of a file, or in parts that fit together. */
export function framesIn(
  format: CaptureFormat,
  parts: readonly Uint8Array[],
  take: (frame: Frame) => void,
): Source | null {
  let source: Source | null = null;
  const reader = format.open('', {
    diagnostics: new Diagnostics(),
    source: (init) => {
      source = { ...init, id: 0, records: 0 };
      return source;
    },
    sink: { frame: (_, frame) => take(frame), packet: () => undefined, event: () => undefined },
    progress: () => undefined,
  });
  for (const part of parts) reader.push(part);
  reader.end();
  return source;
}

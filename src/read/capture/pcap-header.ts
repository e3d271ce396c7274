/** What the header of a libpcap file says of its records, and where the last of them stand. */
import { NS_PER_S, NS_PER_US } from '../../model/time.ts';
import type { CaptureFormat } from '../importer.ts';
import { i32, u16, u32 } from './byte-order.ts';
import { MAX_CAPTURED } from './frames.ts';

export const FILE_HEADER = 24;
/** Seconds that a capture may take. */
const PLAUSIBLE_SPAN = 400 * 86_400;

interface Variant {
  magic: number;
  recordHeader: number;
  /** Nanoseconds per unit of the record's fraction of a second. */
  unit: number;
}

export const VARIANTS: readonly Variant[] = [
  { magic: 0xa1b2c3d4, recordHeader: 16, unit: NS_PER_US },
  { magic: 0xa1b23c4d, recordHeader: 16, unit: 1 },
  { magic: 0xa1b2cd34, recordHeader: 24, unit: NS_PER_US },
];

export function readMagic(bytes: Uint8Array, at: number): { variant: Variant; big: boolean } | null {
  for (const big of [false, true]) {
    const variant = VARIANTS.find(({ magic }) => magic === u32(bytes, at, big));
    if (variant) return { variant, big };
  }
  return null;
}

/** As libpcap: the lengths were swapped before version 2.3 and in DG/UX's 543.0. */
export const hasSwapped = (major: number, minor: number) => (major === 2 && minor < 3) || major === 543;

/** As CaptureFormat has it: what files of one rotation have in common is the version, snap length and link type. */
export const headerOf: CaptureFormat['header'] = (head) =>
  head.length < FILE_HEADER
    ? null
    : { length: FILE_HEADER, kind: `pcap ${head.subarray(0, 8)} ${head.subarray(16, FILE_HEADER)}` };

/** Offset in `tail`, the end of a file, from which records follow each other to its end; null where none do. */
export function lastRecords(head: Uint8Array, tail: Uint8Array): number | null {
  const { variant, big } = readMagic(head, 0)!;
  if (hasSwapped(u16(head, 4, big), u16(head, 6, big))) return null;
  const first = u32(head, FILE_HEADER, big);
  const isRecord = (at: number) => {
    if (at + variant.recordHeader > tail.length) return false;
    const captured = i32(tail, at + 8, big);
    const isLong = captured > 0 && captured <= MAX_CAPTURED && captured <= u32(tail, at + 12, big);
    const isNear = Math.abs(u32(tail, at, big) - first) <= PLAUSIBLE_SPAN;
    return isLong && isNear && u32(tail, at + 4, big) < NS_PER_S / variant.unit;
  };
  for (let start = 0; start < tail.length; start++) {
    let at = start;
    while (isRecord(at)) at += variant.recordHeader + i32(tail, at + 8, big);
    if (at === tail.length && at > start) return start;
  }
  return null;
}

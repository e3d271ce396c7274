/** Blocks of pcapng files: their types, and how a whole one is told from a damaged one. */
import { i32, u32 } from './byte-order.ts';
import { MAX_CAPTURED } from './frames.ts';
import { padded } from './pcapng-options.ts';

export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE = 1;
export const PACKET = 2;
export const SIMPLE_PACKET = 3;
export const INTERFACE_STATISTICS = 5;
export const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** True for a big-endian section, null when there is no byte-order magic. */
export function sectionByteOrder(bytes: Uint8Array, at: number): boolean | null {
  for (const big of [false, true]) if (u32(bytes, at + 8, big) === BYTE_ORDER_MAGIC) return big;
  return null;
}

/** Known types without packets: names, journals, secrets, processes, custom. */
export const SKIPPED = new Set([4, 7, 8, 9, 10, 11, 0xbad, 0x40000bad]);

export const isPacket = (type: number): boolean =>
  type === ENHANCED_PACKET || type === SIMPLE_PACKET || type === PACKET;

/** Shortest whole block by type: fixed fields with the 12 bytes around them. */
const MIN_LENGTH = new Map([
  [SECTION_HEADER, 28],
  [INTERFACE, 20],
  [PACKET, 32],
  [SIMPLE_PACKET, 16],
  [INTERFACE_STATISTICS, 24],
  [ENHANCED_PACKET, 32],
]);
/** A packet with generous room for its options. */
export const MAX_PACKET_BLOCK = MAX_CAPTURED + (1 << 16);
const MAX_BLOCK = 1 << 26;

/** What is wrong with a block's header, '' when nothing is. */
export function headerFault(type: number, length: number): string {
  if (type === ENHANCED_PACKET && length >= 32 && length <= MAX_PACKET_BLOCK && (length & 3) === 0) return '';
  const hex = (type >>> 0).toString(16);
  if (length < 0 || length > (isPacket(type) ? MAX_PACKET_BLOCK : MAX_BLOCK)) {
    return `the block claims ${length >>> 0} bytes, more than a block of its type (0x${hex}) can have`;
  }
  if (length < (MIN_LENGTH.get(type) ?? 12)) {
    return `the block claims ${length} bytes, too few for its type (0x${hex})`;
  }
  if ((length & 3) !== 0) return `the block claims ${length} bytes, which is no multiple of 4`;
  return '';
}

/** What is wrong with the length at the end of a whole block, '' when nothing is. */
export function trailerFault(bytes: Uint8Array, pos: number, length: number, big: boolean): string {
  const trailer = i32(bytes, pos + length - 4, big);
  if (trailer === length) return '';
  return `the block says ${length} bytes at its start and ${trailer >>> 0} at its end`;
}

/** True when an incomplete packet block claims more than header and packet: options, or a damaged length. */
export function isOverlong(
  type: number,
  bytes: Uint8Array,
  pos: number,
  end: number,
  length: number,
  big: boolean,
): boolean {
  if ((type !== ENHANCED_PACKET && type !== PACKET) || end - pos < 28) return false;
  return length > 32 + padded(u32(bytes, pos + 20, big));
}

/** True when a whole block of a type that describes packets stands at `pos` and its two lengths agree. */
export function isSoundBlock(bytes: Uint8Array, pos: number, end: number, sectionBig: boolean): boolean {
  if (end - pos < 12) return false;
  const type = i32(bytes, pos, sectionBig);
  if (!MIN_LENGTH.has(type)) return false;
  const big = type === SECTION_HEADER ? sectionByteOrder(bytes, pos) : sectionBig;
  if (big === null) return false;
  const length = i32(bytes, pos + 4, big);
  if (headerFault(type, length) !== '' || length > end - pos) return false;
  return i32(bytes, pos + length - 4, big) === length;
}

/** The sections and interfaces before the first packet of a file. The length of a section says nothing of its kind. */
export function headerOf(head: Uint8Array): { length: number; kind: string } | null {
  const big = sectionByteOrder(head, 0);
  const parts: string[] = [];
  for (let pos = 0; big !== null && head.length - pos >= 12; ) {
    const type = i32(head, pos, big);
    const length = i32(head, pos + 4, big);
    if (type !== SECTION_HEADER && type !== INTERFACE && !SKIPPED.has(type)) {
      return { length: pos, kind: `pcapng ${parts.join(' ')}` };
    }
    if (headerFault(type, length) !== '' || length > head.length - pos) return null;
    if (type === SECTION_HEADER) parts.push(String(head.subarray(pos + 24, pos + length)));
    if (type === INTERFACE) parts.push(String(head.subarray(pos, pos + length)));
    pos += length;
  }
  return null;
}

/** Blocks at the end that are enough to hold a packet. */
const ENOUGH = 64;

/** Back from the end: each block ends with its length. */
export function lastBlocks(head: Uint8Array, tail: Uint8Array): number | null {
  const big = sectionByteOrder(head, 0) ?? false;
  let pos = tail.length;
  let packets = 0;
  for (let n = 0; n < ENOUGH && pos >= 12; n++) {
    const length = i32(tail, pos - 4, big);
    if (length < 12 || length > pos) break;
    const type = i32(tail, pos - length, big);
    if (headerFault(type, length) !== '' || i32(tail, pos - length + 4, big) !== length) return null;
    if (type === ENHANCED_PACKET || type === PACKET) packets++;
    pos -= length;
  }
  return packets > 0 ? pos : null;
}

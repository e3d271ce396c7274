/** Blocks of pcapng files (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds of the Unix epoch. */

import { ENHANCED_PACKET, INTERFACE, SECTION_HEADER } from '../read/capture/pcapng-blocks.ts';
import { type PcapngOption as Option, padded } from '../read/capture/pcapng-options.ts';
import { COMMENT } from '../read/capture/pcapng-packet-options.ts';

const SHB_USERAPPL = 4;
export const IF_NAME = 2;
export const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const NANOSECONDS = 9;
/** An option's length has 16 bits; a comment that long is no comment. */
const MAX_TEXT = 8_000;

export const comment = (value: string): Option => text(COMMENT, value);

export function text(code: number, value: string): Option {
  const bytes = Buffer.from(value);
  if (bytes.length <= MAX_TEXT) return [code, bytes];
  // cut before a character, not in it
  let end = MAX_TEXT - 3;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return [code, Buffer.concat([bytes.subarray(0, end), Buffer.from('…')])];
}

/** A whole block: type and both lengths around `fixed`, `body` (padded) and options. */
function block(type: number, fixed: Uint8Array, body: Uint8Array, options: readonly Option[]): Buffer {
  let size = 12 + fixed.length + padded(body.length);
  for (const [, value] of options) size += 4 + padded(value.length);
  if (options.length > 0) size += 4;
  const out = Buffer.alloc(size);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(size, 4);
  out.set(fixed, 8);
  out.set(body, 8 + fixed.length);
  let at = 8 + fixed.length + padded(body.length);
  for (const [code, value] of options) {
    out.writeUInt16LE(code, at);
    out.writeUInt16LE(value.length, at + 2);
    out.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  out.writeUInt32LE(size, size - 4);
  return out;
}

const NO_BYTES = new Uint8Array(0);

export function sectionHeader(application: string, comments: readonly Option[]): Buffer {
  const fixed = Buffer.alloc(16);
  fixed.writeUInt32LE(0x1a2b3c4d, 0);
  fixed.writeUInt16LE(1, 4);
  fixed.writeBigInt64LE(-1n, 8);
  return block(SECTION_HEADER, fixed, NO_BYTES, [text(SHB_USERAPPL, application), ...comments]);
}

/** @param snapLength 0: no limit. @param options all but the resolution of times */
export function interfaceBlock(linkType: number, snapLength: number, options: readonly Option[]): Buffer {
  const fixed = Buffer.alloc(8);
  fixed.writeUInt16LE(linkType, 0);
  fixed.writeUInt32LE(snapLength, 4);
  return block(INTERFACE, fixed, NO_BYTES, [...options, [IF_TSRESOL, Uint8Array.of(NANOSECONDS)]]);
}

/** `time`: nanoseconds of the Unix epoch; earlier ones cannot be written and become 0. `length`: on the wire. */
export function packetBlock(
  interfaceId: number,
  time: bigint,
  length: number,
  bytes: Uint8Array,
  options: readonly Option[],
): Buffer {
  const fixed = Buffer.alloc(20);
  const ticks = time < 0n ? 0n : time;
  fixed.writeUInt32LE(interfaceId, 0);
  fixed.writeUInt32LE(Number(ticks >> 32n), 4);
  fixed.writeUInt32LE(Number(ticks & 0xffffffffn), 8);
  fixed.writeUInt32LE(bytes.length, 12);
  fixed.writeUInt32LE(length, 16);
  return block(ENHANCED_PACKET, fixed, bytes, options);
}

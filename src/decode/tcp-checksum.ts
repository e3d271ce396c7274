/** The checksum of TCP segments (RFC 9293 §3.1). */
import type { Packet } from '../model/packet.ts';

const PROTOCOL_TCP = 6;
const GOOD = 1;
const BAD = 2;

/**
 * Sets packet.checksum from the whole segment in bytes[pos .. pos + length), whose addresses `packet` holds. Segments
 * that a capturing host sends are often bad: the network card fills their checksum in later (transmit offload).
 */
export function verifyChecksum(bytes: Uint8Array, pos: number, length: number, packet: Packet): void {
  // The pseudo header. The prefix of a mapped IPv4 address adds 0xffff, which is 0 in one's complement.
  let sum = PROTOCOL_TCP + length;
  sum += halves(packet.src0) + halves(packet.src1) + halves(packet.src2) + halves(packet.src3);
  sum += halves(packet.dst0) + halves(packet.dst1) + halves(packet.dst2) + halves(packet.dst3);
  const end = pos + length;
  let at = pos;
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  packet.checksum = sum === 0xffff ? GOOD : BAD;
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

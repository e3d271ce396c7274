import { MAPPED_WORD } from '../../model/address.ts';
import type { Packet } from '../../model/packet.ts';
import { type Cursor, ipProtocol, type Layer, word } from '../cursor.ts';
import { ICMP_ERROR, NOT_TCP } from '../outcomes.ts';

const HEADER = 8;
/** Ports, and with the sequence number as much as an error must quote (RFC 792); a snap length of 68 leaves the ports. */
const PORTS = 4;
const QUOTED = 8;
const PROTOCOL_ICMP = 1;
const PROTOCOL_TCP = 6;
const PROTOCOL_ICMP6 = 58;
const OFFSET_MASK = 0x1fff;

/** Errors of ICMP (RFC 792) and ICMPv6 (RFC 4443) that quote a TCP segment; all else of them is no TCP. */
export const icmp: Layer = {
  id: 'icmp',
  over: [ipProtocol(PROTOCOL_ICMP), ipProtocol(PROTOCOL_ICMP6)],
  role: 'plain',
  decode(cursor, packet) {
    const { bytes, pos, icmp: error } = cursor;
    if (cursor.end - pos < HEADER + 1) return NOT_TCP;
    const type = bytes[pos];
    // the version of the quoted packet is that of the one around it
    const isV6 = bytes[pos + HEADER] >> 4 === 6;
    if (isV6 ? type < 1 || type > 4 : type !== 3 && type !== 4 && type !== 11 && type !== 12) return NOT_TCP;
    error.isV6 = isV6;
    error.type = type;
    error.code = bytes[pos + 1];
    error.word = word(bytes, pos + 4);
    error.by0 = packet.src0;
    error.by1 = packet.src1;
    error.by2 = packet.src2;
    error.by3 = packet.src3;
    const quoted = pos + HEADER;
    const segment = isV6 ? quotedIpv6(cursor, packet, quoted) : quotedIpv4(cursor, packet, quoted);
    if (segment < 0 || cursor.end - segment < PORTS) return NOT_TCP;
    packet.srcPort = (bytes[segment] << 8) | bytes[segment + 1];
    packet.dstPort = (bytes[segment + 2] << 8) | bytes[segment + 3];
    error.isCut = cursor.end - segment < QUOTED;
    packet.seq = error.isCut ? 0 : word(bytes, segment + 4);
    return ICMP_ERROR;
  },
};

/** Where the quoted segment begins; -1 when none does. */
function quotedIpv4({ bytes, end, icmp: error }: Cursor, packet: Packet, at: number): number {
  if (end - at < 20 || bytes[at] >> 4 !== 4 || bytes[at + 9] !== PROTOCOL_TCP) return -1;
  const header = (bytes[at] & 15) << 2;
  if (header < 20 || (((bytes[at + 6] << 8) | bytes[at + 7]) & OFFSET_MASK) !== 0) return -1;
  error.size = (bytes[at + 2] << 8) | bytes[at + 3];
  packet.src0 = packet.src1 = packet.dst0 = packet.dst1 = 0;
  packet.src2 = packet.dst2 = MAPPED_WORD;
  packet.src3 = word(bytes, at + 12);
  packet.dst3 = word(bytes, at + 16);
  return at + header;
}

function quotedIpv6({ bytes, end, icmp: error }: Cursor, packet: Packet, at: number): number {
  if (end - at < 40 || bytes[at + 6] !== PROTOCOL_TCP) return -1;
  error.size = 40 + ((bytes[at + 4] << 8) | bytes[at + 5]);
  packet.src0 = word(bytes, at + 8);
  packet.src1 = word(bytes, at + 12);
  packet.src2 = word(bytes, at + 16);
  packet.src3 = word(bytes, at + 20);
  packet.dst0 = word(bytes, at + 24);
  packet.dst1 = word(bytes, at + 28);
  packet.dst2 = word(bytes, at + 32);
  packet.dst3 = word(bytes, at + 36);
  return at + 40;
}

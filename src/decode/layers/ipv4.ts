import { MAPPED_WORD } from '../../model/address.ts';
import { IPV4, ipProtocol, type Layer, linkType, word } from '../cursor.ts';
import { BAD_IP_HEADER, NOT_TCP, TRUNCATED_IP } from '../outcomes.ts';

const MIN_HEADER = 20;
const PROTOCOL_TCP = 6;
const OFFSET_MASK = 0x1fff;
const MORE_FRAGMENTS = 0x2000;

/** IPv4 (RFC 791), also within IP (RFC 2003). */
export const ipv4: Layer = {
  id: 'ipv4',
  over: [IPV4, ipProtocol(4), linkType(228)],
  role: 'ip',
  decode(cursor, packet) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < MIN_HEADER) return TRUNCATED_IP;
    const header = (bytes[pos] & 15) << 2;
    const total = (bytes[pos + 2] << 8) | bytes[pos + 3];
    if (bytes[pos] >> 4 !== 4 || header < MIN_HEADER) return BAD_IP_HEADER;
    // Segmentation offload leaves a total length of 0 on packets that outgrow it: what the frame holds is the packet.
    if (total !== 0) {
      if (total < header) return BAD_IP_HEADER;
      cursor.wireEnd = pos + total;
      if (cursor.end > cursor.wireEnd) cursor.end = cursor.wireEnd;
    }
    const protocol = bytes[pos + 9];
    const fragment = ((bytes[pos + 6] << 8) | bytes[pos + 7]) & (OFFSET_MASK | MORE_FRAGMENTS);
    if (cursor.end - pos < header) return TRUNCATED_IP;
    packet.ipId = (bytes[pos + 4] << 8) | bytes[pos + 5];
    packet.ttl = bytes[pos + 8];
    packet.src0 = 0;
    packet.src1 = 0;
    packet.src2 = MAPPED_WORD;
    packet.src3 = word(bytes, pos + 12);
    packet.dst0 = 0;
    packet.dst1 = 0;
    packet.dst2 = MAPPED_WORD;
    packet.dst3 = word(bytes, pos + 16);
    cursor.pos = pos + header;
    if (fragment !== 0) {
      const offset = (fragment & OFFSET_MASK) * 8;
      if (protocol === PROTOCOL_TCP) {
        return cursor.fragments.take(cursor, packet, packet.ipId, offset, (fragment & MORE_FRAGMENTS) !== 0);
      }
      // The first fragment of a tunnel's packet goes on: the header within says how long the packet in it is.
      if (offset !== 0) return NOT_TCP;
    }
    return ipProtocol(protocol);
  },
};

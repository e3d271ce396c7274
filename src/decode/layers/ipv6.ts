import { IPV6, ipProtocol, type Layer, linkType, word } from '../cursor.ts';
import { BAD_IP_HEADER, TRUNCATED_IP } from '../outcomes.ts';

const HEADER = 40;

/** IPv6 (RFC 8200), also within IP (RFC 2473, RFC 4213). Extension headers are layers of their own. */
export const ipv6: Layer = {
  id: 'ipv6',
  over: [IPV6, ipProtocol(41), linkType(229)],
  role: 'ip',
  decode(cursor, packet) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < HEADER) return TRUNCATED_IP;
    if (bytes[pos] >> 4 !== 6) return BAD_IP_HEADER;
    const payload = (bytes[pos + 4] << 8) | bytes[pos + 5];
    // 0 is a jumbogram (RFC 2675), as Linux's BIG TCP makes them: what the frame holds is the packet.
    if (payload !== 0) {
      cursor.wireEnd = pos + HEADER + payload;
      if (cursor.end > cursor.wireEnd) cursor.end = cursor.wireEnd;
    }
    packet.ipId = 0;
    packet.ttl = bytes[pos + 7];
    packet.src0 = word(bytes, pos + 8);
    packet.src1 = word(bytes, pos + 12);
    packet.src2 = word(bytes, pos + 16);
    packet.src3 = word(bytes, pos + 20);
    packet.dst0 = word(bytes, pos + 24);
    packet.dst1 = word(bytes, pos + 28);
    packet.dst2 = word(bytes, pos + 32);
    packet.dst3 = word(bytes, pos + 36);
    cursor.pos = pos + HEADER;
    return ipProtocol(bytes[pos + 6]);
  },
};

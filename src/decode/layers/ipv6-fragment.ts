import { ipProtocol, type Layer, word } from '../cursor.ts';
import { BAD_IP_HEADER, NOT_TCP, TRUNCATED_IP } from '../outcomes.ts';

const HEADER = 8;
const PROTOCOL_TCP = 6;
const OFFSET_MASK = 0xfff8;
const MORE_FRAGMENTS = 1;

/** IPv6 fragment header (RFC 8200 §4.5), also the atomic one of RFC 6946, which is the only one of its packet. */
export const ipv6Fragment: Layer = {
  id: 'ipv6-fragment',
  over: [ipProtocol(44)],
  role: 'plain',
  decode(cursor, packet) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < HEADER) return pos + HEADER > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    const protocol = bytes[pos];
    const fragment = ((bytes[pos + 2] << 8) | bytes[pos + 3]) & (OFFSET_MASK | MORE_FRAGMENTS);
    const offset = fragment & OFFSET_MASK;
    cursor.pos = pos + HEADER;
    if (fragment !== 0 && protocol === PROTOCOL_TCP) {
      const identification = word(bytes, pos + 4);
      return cursor.fragments.take(cursor, packet, identification, offset, (fragment & MORE_FRAGMENTS) !== 0);
    }
    return offset === 0 ? ipProtocol(protocol) : NOT_TCP;
  },
};

import { ipProtocol, type Layer } from '../cursor.ts';
import { BAD_IP_HEADER, FRAGMENT, NOT_TCP, TRUNCATED_IP } from '../outcomes.ts';

const HEADER = 8;
const PROTOCOL_TCP = 6;

/** IPv6 fragment header (RFC 8200 §4.5). The first fragment goes on to its TCP header; later ones hold none. */
export const ipv6Fragment: Layer = {
  id: 'ipv6-fragment',
  over: [ipProtocol(44)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < HEADER) return pos + HEADER > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    const offset = ((bytes[pos + 2] << 8) | bytes[pos + 3]) & 0xfff8;
    if (offset !== 0) return bytes[pos] === PROTOCOL_TCP ? FRAGMENT : NOT_TCP;
    cursor.pos = pos + HEADER;
    return ipProtocol(bytes[pos]);
  },
};

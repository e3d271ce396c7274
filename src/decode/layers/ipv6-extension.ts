import { ipProtocol, type Layer } from '../cursor.ts';
import { BAD_IP_HEADER, TRUNCATED_IP } from '../outcomes.ts';

/** Hop-by-hop options, routing, destination options, mobility, HIP, shim6: the extension headers of RFC 6564's form. */
export const ipv6Extension: Layer = {
  id: 'ipv6-extension',
  over: [0, 43, 60, 135, 139, 140].map(ipProtocol),
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 2) return pos + 2 > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    const length = (bytes[pos + 1] + 1) * 8;
    if (cursor.end - pos < length) return pos + length > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    cursor.pos = pos + length;
    return ipProtocol(bytes[pos]);
  },
};

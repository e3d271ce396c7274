import { ipProtocol, type Layer } from '../cursor.ts';
import { BAD_IP_HEADER, TRUNCATED_IP } from '../outcomes.ts';

/** IP authentication header (RFC 4302), over IPv4 and IPv6: it signs and does not encrypt, so TCP shows behind it. */
export const ipAuthentication: Layer = {
  id: 'ip-authentication',
  over: [ipProtocol(51)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 2) return pos + 2 > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    const length = (bytes[pos + 1] + 2) * 4;
    if (cursor.end - pos < length) return pos + length > cursor.wireEnd ? BAD_IP_HEADER : TRUNCATED_IP;
    cursor.pos = pos + length;
    return ipProtocol(bytes[pos]);
  },
};

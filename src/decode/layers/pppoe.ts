import { etherType, type Layer, linkType, PPP } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';

/** PPPoE session packets (RFC 2516). */
export const pppoe: Layer = {
  id: 'pppoe',
  over: [etherType(0x8864), linkType(51)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 6) return TRUNCATED_LINK;
    const sessionData = bytes[pos + 1] === 0;
    cursor.pos = pos + 6;
    return sessionData ? PPP : NOT_IP;
  },
};

import { etherType, type Layer, udpPort } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';

/** Geneve (RFC 8926). */
export const geneve: Layer = {
  id: 'geneve',
  over: [udpPort(6081)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 8 || bytes[pos] >> 6 !== 0) return NOT_TCP;
    cursor.pos = pos + 8 + (bytes[pos] & 0x3f) * 4;
    return etherType((bytes[pos + 2] << 8) | bytes[pos + 3]);
  },
};

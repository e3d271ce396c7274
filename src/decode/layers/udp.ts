import { ipProtocol, type Layer, udpPort } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';

/** UDP (RFC 768), of interest for the tunnels in it: either port may name one, and may as well name something else. */
export const udp: Layer = {
  id: 'udp',
  over: [ipProtocol(17)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 8) return NOT_TCP;
    cursor.guessed = true;
    cursor.alternative = udpPort((bytes[pos] << 8) | bytes[pos + 1]);
    cursor.pos = pos + 8;
    return udpPort((bytes[pos + 2] << 8) | bytes[pos + 3]);
  },
};

import { ETHERNET, ipProtocol, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Ethernet in IP (RFC 3378): two bytes, then the frame. */
export const etherIp: Layer = {
  id: 'ether-ip',
  over: [ipProtocol(97)],
  role: 'tunnel',
  decode(cursor) {
    if (cursor.end - cursor.pos < 2) return TRUNCATED_LINK;
    cursor.pos += 2;
    return ETHERNET;
  },
};

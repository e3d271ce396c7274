import { type Layer, PPP, udpPort } from '../cursor.ts';
import { NOT_TCP, UNKNOWN_TUNNEL } from '../outcomes.ts';

const CONTROL = 0x8000;
const LENGTH = 0x4000;
const SEQUENCE = 0x0800;
const OFFSET = 0x0200;
const VERSION = 0x000f;

/** L2TP over UDP: data of version 2 (RFC 2661 §3.1) are PPP; those of version 3 begin as both ends have agreed. */
export const l2tp: Layer = {
  id: 'l2tp',
  over: [udpPort(1701)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < 6) return NOT_TCP;
    const flags = (bytes[pos] << 8) | bytes[pos + 1];
    const version = flags & VERSION;
    if (flags & CONTROL || (version !== 2 && version !== 3)) return NOT_TCP;
    if (version === 3) return UNKNOWN_TUNNEL;
    let at = pos + 6 + (flags & LENGTH ? 2 : 0) + (flags & SEQUENCE ? 4 : 0);
    if (flags & OFFSET) {
      if (end - at < 2) return NOT_TCP;
      at += 2 + ((bytes[at] << 8) | bytes[at + 1]);
    }
    cursor.pos = at;
    return PPP;
  },
};

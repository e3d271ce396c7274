import { IPV6, type Layer, udpPort, word } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';

/** Second byte of the two indicators that may come before the IPv6 packet; the first is 0. */
const AUTHENTICATION = 1;
const ORIGIN = 0;
const IPV6_HEADER = 40;
const PREFIX = 0x20010000;

/** Teredo (RFC 4380 §5.1). */
export const teredo: Layer = {
  id: 'teredo',
  over: [udpPort(3544)],
  role: 'tunnel',
  // Between a relay and a client any port is used. Then the payload is one whole IPv6 packet from or to 2001::/32.
  recognises(cursor) {
    const { bytes, pos, wireEnd } = cursor;
    if (cursor.end - pos < IPV6_HEADER || bytes[pos] >> 4 !== 6) return false;
    const length = (bytes[pos + 4] << 8) | bytes[pos + 5];
    if (wireEnd - pos !== IPV6_HEADER + length) return false;
    return word(bytes, pos + 8) === PREFIX || word(bytes, pos + 24) === PREFIX;
  },
  decode(cursor) {
    const { bytes, end } = cursor;
    let pos = cursor.pos;
    if (end - pos >= 13 && bytes[pos] === 0 && bytes[pos + 1] === AUTHENTICATION) {
      pos += 13 + bytes[pos + 2] + bytes[pos + 3];
    }
    if (end - pos >= 8 && bytes[pos] === 0 && bytes[pos + 1] === ORIGIN) pos += 8;
    cursor.pos = pos;
    return pos < end ? IPV6 : NOT_TCP;
  },
};

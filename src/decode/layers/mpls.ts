import { ETHERNET, etherType, IPV4, IPV6, type Layer, udpPort } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';

const BOTTOM_OF_STACK = 1;

/** A stack of MPLS labels (RFC 3032), also over UDP (RFC 7510). What follows shows in its first four bits (RFC 4928). */
export const mpls: Layer = {
  id: 'mpls',
  over: [etherType(0x8847), etherType(0x8848), udpPort(6635)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, end } = cursor;
    let pos = cursor.pos;
    let bottom = false;
    while (!bottom) {
      if (end - pos < 5) return TRUNCATED_LINK;
      bottom = (bytes[pos + 2] & BOTTOM_OF_STACK) !== 0;
      pos += 4;
    }
    cursor.pos = pos;
    const version = bytes[pos] >> 4;
    if (version === 4) return IPV4;
    if (version === 6) return IPV6;
    if (version !== 0) return NOT_IP;
    // The control word of an Ethernet pseudowire (RFC 4448).
    cursor.pos = pos + 4;
    cursor.guessed = true;
    return ETHERNET;
  },
};

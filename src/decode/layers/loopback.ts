import { IPV4, IPV6, type Layer, linkType } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';

/** AF_INET everywhere; AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS. */
const INET = 2;
const INET6 = [10, 23, 24, 28, 30];

/** BSD null (address family in the byte order of whoever captured) and OpenBSD loop (in network order). */
export const loopback: Layer = {
  id: 'loopback',
  over: [linkType(0), linkType(108)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 4) return TRUNCATED_LINK;
    // Families are below 256, so the byte that is not 0 tells the order.
    const family = bytes[pos] === 0 ? bytes[pos + 3] : bytes[pos];
    cursor.pos = pos + 4;
    if (family === INET) return IPV4;
    return INET6.includes(family) ? IPV6 : NOT_IP;
  },
};

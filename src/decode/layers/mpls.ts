import { ETHERNET, etherType, IPV4, IPV6, ipProtocol, type Layer, udpPort } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK, UNKNOWN_TUNNEL } from '../outcomes.ts';

const BOTTOM_OF_STACK = 1;

/** A stack of MPLS labels (RFC 3032), also over UDP (RFC 7510). What follows shows in its first four bits (RFC 4928). */
export const mpls: Layer = {
  id: 'mpls',
  over: [etherType(0x8847), etherType(0x8848), udpPort(6635), ipProtocol(137)],
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
    // An associated channel (RFC 5586): maintenance.
    if (version === 1) return NOT_IP;
    // An Ethernet pseudowire (RFC 4448), in most cases with a control word.
    const isBare = isEthernet(bytes, pos, end) && !isEthernet(bytes, pos + 4, end);
    if (version !== 0 && !isBare) return UNKNOWN_TUNNEL;
    if (!isBare) cursor.pos = pos + 4;
    cursor.guessed = true;
    return ETHERNET;
  },
};

const TAGGED_OR_IP = [0x0800, 0x86dd, 0x8100, 0x88a8];

function isEthernet(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= 14 && TAGGED_OR_IP.includes((bytes[at + 12] << 8) | bytes[at + 13]);
}

import { ETHERNET, etherType, IPV4, ipProtocol, type Layer, PPP, udpPort } from '../cursor.ts';
import { NOT_TCP, TRUNCATED_LINK, UNKNOWN_TUNNEL } from '../outcomes.ts';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGMENT = 0x0080;
const VERSION = 0x0007;
const ERSPAN = 0x88be;
const WCCP = 0x883e;

/**
 * GRE (RFC 2784, RFC 2890), also over UDP (RFC 8086), and the enhanced GRE of PPTP (RFC 2637). Protocol 0 is a
 * router's keepalive.
 */
export const gre: Layer = {
  id: 'gre',
  over: [ipProtocol(47), udpPort(4754)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 4) return TRUNCATED_LINK;
    const flags = (bytes[pos] << 8) | bytes[pos + 1];
    const protocol = (bytes[pos + 2] << 8) | bytes[pos + 3];
    const version = flags & VERSION;
    if (version > 1 || (flags & ROUTING) !== 0) return UNKNOWN_TUNNEL;
    if (version === 0 && protocol === 0) return NOT_TCP;
    const words =
      bit(flags, CHECKSUM) +
      bit(flags, KEY) +
      bit(flags, SEQUENCE) +
      (version === 1 ? bit(flags, ACKNOWLEDGMENT) : 0);
    cursor.pos = pos + 4 + 4 * words;
    if (version === 1) return PPP;
    // ERSPAN type I has no header of its own, and no sequence number in GRE's.
    if (protocol === ERSPAN && (flags & SEQUENCE) === 0) return ETHERNET;
    if (protocol === WCCP) {
      // Version 2 puts four bytes before the packet.
      if (cursor.end > cursor.pos && bytes[cursor.pos] >> 4 !== 4) cursor.pos += 4;
      return IPV4;
    }
    return etherType(protocol);
  },
};

function bit(flags: number, mask: number): number {
  return (flags & mask) === 0 ? 0 : 1;
}

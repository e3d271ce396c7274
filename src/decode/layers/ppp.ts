import { etherType, IPV4, IPV6, type Layer, linkType, PPP } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK, UNKNOWN_TUNNEL } from '../outcomes.ts';

/** Address and control field of HDLC framing, which may be left out (RFC 1661, RFC 1662). */
const HDLC = 0xff03;
const PPP_IPV4 = 0x21;
const PPP_IPV6 = 0x57;
const PPP_MPLS = 0x281;
/** Compressed headers (RFC 1144), bridged frames, links of several, encryption and compression. */
const OPAQUE: ReadonlySet<number> = new Set([0x2d, 0x2f, 0x31, 0x3d, 0x53, 0x55, 0xfb, 0xfd]);

/** PPP (RFC 1661), with its protocol field in two bytes or compressed into one. */
export const ppp: Layer = {
  id: 'ppp',
  over: [PPP, linkType(9), linkType(50)],
  role: 'plain',
  decode(cursor) {
    const { bytes, end } = cursor;
    let pos = cursor.pos;
    if (end - pos >= 2 && ((bytes[pos] << 8) | bytes[pos + 1]) === HDLC) pos += 2;
    if (end - pos < 2) return TRUNCATED_LINK;
    // The first byte of an uncompressed protocol number is even.
    const compressed = (bytes[pos] & 1) !== 0;
    const protocol = compressed ? bytes[pos] : (bytes[pos] << 8) | bytes[pos + 1];
    cursor.pos = pos + (compressed ? 1 : 2);
    if (protocol === PPP_IPV4) return IPV4;
    if (protocol === PPP_IPV6) return IPV6;
    if (protocol === PPP_MPLS) return etherType(0x8847);
    return OPAQUE.has(protocol) ? UNKNOWN_TUNNEL : NOT_IP;
  },
};

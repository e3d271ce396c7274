import { ETHERNET, etherType, IPV4, IPV6, ipProtocol, type Layer, NSH } from '../cursor.ts';
import { TRUNCATED_LINK, UNKNOWN_TUNNEL } from '../outcomes.ts';

/** Next protocols, of VXLAN-GPE too (draft-ietf-nvo3-vxlan-gpe). */
const NEXT = [null, IPV4, IPV6, ETHERNET, NSH, etherType(0x8847)];

export function nextProtocol(number: number): number {
  return NEXT[number] ?? UNKNOWN_TUNNEL;
}

/** Network service header (RFC 8300): its length in words at the end of the first two bytes. */
export const nsh: Layer = {
  id: 'nsh',
  over: [NSH, ipProtocol(145)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 4) return TRUNCATED_LINK;
    const length = (bytes[pos + 1] & 0x3f) * 4;
    if (length < 4) return UNKNOWN_TUNNEL;
    cursor.pos = pos + length;
    return nextProtocol(bytes[pos + 3]);
  },
};

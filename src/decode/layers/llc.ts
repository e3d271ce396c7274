import { etherType, IPV4, type Layer, LLC } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK, UNKNOWN_TUNNEL } from '../outcomes.ts';

const SNAP = 0xaaaa;
const IP_SAP = 0x0606;
const UNNUMBERED = 0x03;
/** Organisations whose frames hold others: bridge tunnels (IEEE 802.1H), and bridging over ATM and frame relay (RFC 2684). */
const TUNNELED = 0x0000f8;
const BRIDGED = 0x0080c2;

/** IEEE 802.2 LLC, and SNAP (RFC 1042) within it. */
export const llc: Layer = {
  id: 'llc',
  over: [LLC],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 3) return TRUNCATED_LINK;
    const saps = (bytes[pos] << 8) | bytes[pos + 1];
    if (bytes[pos + 2] !== UNNUMBERED) return NOT_IP;
    if (saps === IP_SAP) {
      cursor.pos = pos + 3;
      return IPV4;
    }
    if (saps !== SNAP) return NOT_IP;
    if (cursor.end - pos < 8) return TRUNCATED_LINK;
    const organisation = (bytes[pos + 3] << 16) | (bytes[pos + 4] << 8) | bytes[pos + 5];
    cursor.pos = pos + 8;
    // Another organisation's numbers are its own protocols (Cisco CDP, PVST …).
    if (organisation === BRIDGED) return UNKNOWN_TUNNEL;
    return organisation === 0 || organisation === TUNNELED
      ? etherType((bytes[pos + 6] << 8) | bytes[pos + 7])
      : NOT_IP;
  },
};

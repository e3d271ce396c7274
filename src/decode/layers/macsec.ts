import { etherType, type Layer } from '../cursor.ts';
import { ENCRYPTED, TRUNCATED_LINK } from '../outcomes.ts';

/** Bits of the first byte: a channel identifier follows; the payload is encrypted, or changed. */
const HAS_CHANNEL = 0x20;
const IS_ENCRYPTED = 0x0c;

/** MACsec (IEEE 802.1AE): readable where it only signs. */
export const macsec: Layer = {
  id: 'macsec',
  over: [etherType(0x88e5)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < 1) return TRUNCATED_LINK;
    if (bytes[pos] & IS_ENCRYPTED) return ENCRYPTED;
    const at = pos + (bytes[pos] & HAS_CHANNEL ? 14 : 6);
    if (end - at < 2) return TRUNCATED_LINK;
    cursor.pos = at + 2;
    return etherType((bytes[at] << 8) | bytes[at + 1]);
  },
};

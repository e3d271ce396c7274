import { ETHERNET, etherType, type Layer, LLC, linkType } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Below it the type field is the length of an IEEE 802.3 frame. */
const MIN_ETHERTYPE = 0x0600;

/** Ethernet II and IEEE 802.3. Padding and FCS need no care: IP says where its packet ends. */
export const ethernet: Layer = {
  id: 'ethernet',
  over: [linkType(1), ETHERNET],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 14) return TRUNCATED_LINK;
    const type = (bytes[pos + 12] << 8) | bytes[pos + 13];
    cursor.pos = pos + 14;
    return type < MIN_ETHERTYPE ? LLC : etherType(type);
  },
};

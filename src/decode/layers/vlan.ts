import { etherType, type Layer, LLC } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** IEEE 802.1Q tags, stacked (802.1ad) or not; 0x9100 and 0x9200 are pre-standard outer tags. */
export const vlan: Layer = {
  id: 'vlan',
  over: [etherType(0x8100), etherType(0x88a8), etherType(0x9100), etherType(0x9200)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 4) return TRUNCATED_LINK;
    const type = (bytes[pos + 2] << 8) | bytes[pos + 3];
    cursor.pos = pos + 4;
    return type < 0x0600 ? LLC : etherType(type);
  },
};

import { ETHERNET, etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** The I-tag of provider backbone bridges (IEEE 802.1ah): a whole Ethernet frame behind its number. */
export const backbone: Layer = {
  id: 'backbone',
  over: [etherType(0x88e7)],
  role: 'tunnel',
  decode(cursor) {
    if (cursor.end - cursor.pos < 4) return TRUNCATED_LINK;
    cursor.pos += 4;
    return ETHERNET;
  },
};

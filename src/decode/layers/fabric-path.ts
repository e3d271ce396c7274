import { ETHERNET, etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Cisco FabricPath: a whole Ethernet frame behind a second one. */
export const fabricPath: Layer = {
  id: 'fabric-path',
  over: [etherType(0x8903)],
  role: 'tunnel',
  decode(cursor) {
    if (cursor.end - cursor.pos < 2) return TRUNCATED_LINK;
    cursor.pos += 2;
    return ETHERNET;
  },
};

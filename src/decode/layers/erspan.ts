import { ETHERNET, etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Mirrored Ethernet frames in GRE, ERSPAN type II (draft-foschiano-erspan). */
export const erspan: Layer = {
  id: 'erspan',
  over: [etherType(0x88be)],
  role: 'tunnel',
  decode(cursor) {
    if (cursor.end - cursor.pos < 8) return TRUNCATED_LINK;
    cursor.pos += 8;
    return ETHERNET;
  },
};

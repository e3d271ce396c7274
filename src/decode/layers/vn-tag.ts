import { etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Cisco VN-tag (IEEE 802.1BR's forerunner). */
export const vnTag: Layer = {
  id: 'vn-tag',
  over: [etherType(0x8926)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 6) return TRUNCATED_LINK;
    cursor.pos = pos + 6;
    return etherType((bytes[pos + 4] << 8) | bytes[pos + 5]);
  },
};

import { etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Cisco metadata (TrustSec): version, number of options, options of four bytes (the security group), EtherType. */
export const ciscoMetadata: Layer = {
  id: 'cisco-metadata',
  over: [etherType(0x8909)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    const at = pos + 2 + (end - pos < 2 ? 0 : bytes[pos + 1] * 4);
    if (end - at < 2) return TRUNCATED_LINK;
    cursor.pos = at + 2;
    return etherType((bytes[at] << 8) | bytes[at + 1]);
  },
};

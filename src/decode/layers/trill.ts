import { ETHERNET, etherType, type Layer } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

const HEADER = 6;

/** TRILL (RFC 6325 §3): the length of its options, in words, lies across its first two bytes. */
export const trill: Layer = {
  id: 'trill',
  over: [etherType(0x22f3)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < HEADER) return TRUNCATED_LINK;
    const words = (((bytes[pos] << 8) | bytes[pos + 1]) >> 6) & 0x1f;
    cursor.pos = pos + HEADER + 4 * words;
    return ETHERNET;
  },
};

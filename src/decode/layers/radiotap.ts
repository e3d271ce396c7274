import { type Layer, linkType } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK } from '../outcomes.ts';

/** What a Wi-Fi card says of reception, before the frame itself (https://www.radiotap.org). */
export const radiotap: Layer = {
  id: 'radiotap',
  over: [linkType(127)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < 8) return TRUNCATED_LINK;
    const length = bytes[pos + 2] | (bytes[pos + 3] << 8);
    if (bytes[pos] !== 0 || length < 8) return NOT_IP;
    cursor.pos = pos + length;
    return linkType(105);
  },
};

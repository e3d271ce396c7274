import { etherType, type Layer, linkType } from '../cursor.ts';
import { TRUNCATED_LINK } from '../outcomes.ts';

/** Cisco HDLC (LINKTYPE_C_HDLC): address, control, EtherType. */
export const ciscoHdlc: Layer = {
  id: 'cisco-hdlc',
  over: [linkType(104)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 4) return TRUNCATED_LINK;
    cursor.pos = pos + 4;
    return etherType((bytes[pos + 2] << 8) | bytes[pos + 3]);
  },
};

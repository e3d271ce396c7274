import { type Layer, LLC, linkType } from '../cursor.ts';
import { NOT_IP, TRUNCATED_LINK, WIFI_UNREADABLE } from '../outcomes.ts';

const HEADER = 24;
/** First byte: version 0 and type data; subtypes without data, and with a QoS field. */
const VERSION_AND_TYPE = 0x0f;
const DATA = 0x08;
const NO_DATA = 0x40;
const QOS = 0x80;
/** Second byte: from and towards a distribution system, when a fourth address follows; and the others used here. */
const TWO_SYSTEMS = 0x03;
const MORE_FRAGMENTS = 0x04;
const PROTECTED = 0x40;
const ORDER = 0x80;
/** Of the QoS field. */
const AGGREGATED = 0x80;

/** Data frames of IEEE 802.11, as captured on the air; an encrypted one tells nothing. */
export const wifi: Layer = {
  id: 'wifi',
  over: [linkType(105)],
  role: 'plain',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < HEADER) return TRUNCATED_LINK;
    const [kind, flags] = [bytes[pos], bytes[pos + 1]];
    if ((kind & VERSION_AND_TYPE) !== DATA || kind & NO_DATA) return NOT_IP;
    const isFragment = flags & MORE_FRAGMENTS || bytes[pos + 22] & 15;
    if (flags & PROTECTED || isFragment) return WIFI_UNREADABLE;
    let at = pos + HEADER + ((flags & TWO_SYSTEMS) === TWO_SYSTEMS ? 6 : 0);
    if (kind & QOS) {
      if (at >= end) return TRUNCATED_LINK;
      if (bytes[at] & AGGREGATED) return WIFI_UNREADABLE;
      at += flags & ORDER ? 6 : 2;
    }
    cursor.pos = at;
    return LLC;
  },
};

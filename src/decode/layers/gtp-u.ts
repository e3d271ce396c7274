import { type Layer, RAW_IP, udpPort } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';

/** Version 1, protocol type GTP. */
const VERSION_AND_TYPE = 0x30;
const T_PDU = 255;
const OPTIONAL_FIELDS = 0x07;
const HAS_EXTENSION = 0x04;

/** GTP version 1, user plane (3GPP TS 29.281). */
export const gtpU: Layer = {
  id: 'gtp-u',
  over: [udpPort(2152)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < 12 || (bytes[pos] & 0xf0) !== VERSION_AND_TYPE || bytes[pos + 1] !== T_PDU)
      return NOT_TCP;
    let at = pos + 8;
    if ((bytes[pos] & OPTIONAL_FIELDS) !== 0) {
      let next = (bytes[pos] & HAS_EXTENSION) === 0 ? 0 : bytes[at + 3];
      at += 4;
      // Extension headers are chained: length in words first, the type of the next one last.
      while (next !== 0) {
        const length = at < end ? bytes[at] * 4 : 0;
        if (length === 0 || end - at < length) return NOT_TCP;
        next = bytes[at + length - 1];
        at += length;
      }
    }
    cursor.pos = at;
    return RAW_IP;
  },
};

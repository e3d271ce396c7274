import { IPV4, IPV6, type Layer, linkType, RAW_IP } from '../cursor.ts';
import { BAD_IP_HEADER, TRUNCATED_IP } from '../outcomes.ts';

/** LINKTYPE_RAW, and the DLT_RAW values that some systems wrote instead: the packet begins with its IP header. */
export const rawIp: Layer = {
  id: 'raw-ip',
  over: [RAW_IP, linkType(12), linkType(14)],
  role: 'plain',
  decode(cursor) {
    if (cursor.pos >= cursor.end) return TRUNCATED_IP;
    const version = cursor.bytes[cursor.pos] >> 4;
    if (version === 4) return IPV4;
    return version === 6 ? IPV6 : BAD_IP_HEADER;
  },
};

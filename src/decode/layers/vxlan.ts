import { ETHERNET, type Layer, udpPort } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';
import { nextProtocol } from './nsh.ts';

const VNI_IS_VALID = 0x08;
const HAS_NEXT = 0x04;

/** VXLAN (RFC 7348), on its port and on the one that Linux used before there was one; VXLAN-GPE says what follows. */
export const vxlan: Layer = {
  id: 'vxlan',
  over: [udpPort(4789), udpPort(8472), udpPort(4790)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (cursor.end - pos < 8 || (bytes[pos] & VNI_IS_VALID) === 0) return NOT_TCP;
    cursor.pos = pos + 8;
    return bytes[pos] & HAS_NEXT ? nextProtocol(bytes[pos + 3]) : ETHERNET;
  },
};

import { ipProtocol, type Layer, udpPort } from '../cursor.ts';
import { NOT_TCP } from '../outcomes.ts';

const HEADER = 8;
const FORWARD = 1;

/** AYIYA, tunnels of SixXS (draft-massar-v6ops-ayiya-02): identity and signature are as long as the header says. */
export const ayiya: Layer = {
  id: 'ayiya',
  over: [udpPort(5072)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos, end } = cursor;
    if (end - pos < HEADER || (bytes[pos + 2] & 15) !== FORWARD) return NOT_TCP;
    const identity = 2 ** (bytes[pos] >> 4);
    const signature = (bytes[pos + 1] >> 4) * 4;
    cursor.pos = pos + HEADER + identity + signature;
    return cursor.pos < end ? ipProtocol(bytes[pos + 3]) : NOT_TCP;
  },
};

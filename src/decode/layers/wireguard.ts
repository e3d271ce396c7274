import { type Layer, udpPort } from '../cursor.ts';
import { ENCRYPTED, NOT_TCP } from '../outcomes.ts';

const DATA = 4;
/** Header and authentication: a message of no more than that is a keepalive. */
const EMPTY = 32;

/** WireGuard, on the port that its documentation has (https://www.wireguard.com/protocol). */
export const wireguard: Layer = {
  id: 'wireguard',
  over: [udpPort(51_820)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    const isData =
      cursor.end - pos >= 4 && bytes[pos] === DATA && !(bytes[pos + 1] | bytes[pos + 2] | bytes[pos + 3]);
    const length = cursor.wireEnd - pos;
    return isData && length > EMPTY && length % 16 === 0 ? ENCRYPTED : NOT_TCP;
  },
};

import { ipProtocol, type Layer, udpPort } from '../cursor.ts';
import { ENCRYPTED, NOT_TCP } from '../outcomes.ts';

/** Security index, sequence number, and the least of what they protect. */
const LEAST = 16;

/** IPsec's ESP (RFC 4303), also over UDP, where a first word of 0 means IKE (RFC 3948 §2). */
export const esp: Layer = {
  id: 'esp',
  over: [ipProtocol(50), udpPort(4500)],
  role: 'tunnel',
  decode(cursor) {
    const { bytes, pos } = cursor;
    if (!cursor.guessed) return ENCRYPTED;
    if (isService(bytes, pos - 8) || isService(bytes, pos - 6)) return NOT_TCP;
    if (cursor.end - pos < 4 || cursor.wireEnd - pos < LEAST) return NOT_TCP;
    return bytes[pos] | bytes[pos + 1] | bytes[pos + 2] | bytes[pos + 3] ? ENCRYPTED : NOT_TCP;
  },
};

/** A client of DNS or the like may have got port 4500 by chance. */
function isService(bytes: Uint8Array, at: number): boolean {
  return bytes[at] < 4;
}

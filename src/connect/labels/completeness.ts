/** Wireshark's tcp.completeness: which kinds of segment a connection shows. */
import { ACK, FIN, RST, SYN } from '../../model/tcp.ts';

const HAS_SYN = 1;
const HAS_SYN_ACK = 2;
/** A pure ACK, of either side. */
const HAS_ACK = 4;
const HAS_DATA = 8;
/** FIN with ACK. */
const HAS_FIN = 16;
const HAS_RST = 32;

/** Bits that one segment adds (Wireshark's packet-tcp.c: 31, 47, 63 are complete with data, 23, 39, 55 without). */
export function completenessBits(flags: number, payload: number): number {
  let bits = 0;
  if (flags & SYN) bits = flags & ACK ? HAS_SYN_ACK : HAS_SYN;
  else if (flags & ACK) bits = payload > 0 ? HAS_DATA : HAS_ACK;
  if ((flags & (FIN | ACK)) === (FIN | ACK)) bits |= HAS_FIN;
  if (flags & RST) bits |= HAS_RST;
  return bits;
}

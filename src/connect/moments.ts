/** The moments of a connection that its segments mark: third ACK, first data, what follows a FIN. */
import {
  WHY_ACK_OF_FIN,
  WHY_DATA_AFTER_FIN,
  WHY_FIRST_DATA,
  WHY_KEEPALIVE,
  WHY_THIRD_ACK,
} from '../model/connection.ts';
import type { Packet } from '../model/packet.ts';
import { ACK, FIN, RST, SYN } from '../model/tcp.ts';
import { KEPT_OTHERS, SURPLUS } from './key-packets.ts';
import {
  ACK_SEEN,
  ACKED,
  AFTER_FIN_MASK,
  AFTER_FIN_SHIFT,
  DATA_SEEN,
  FIN_ACKED,
  FIN_ACKED_AT,
  FIN_END,
  FINS,
  HANDSHAKE,
  SIDE_BITS,
  SYNS,
  THIRD_SEEN,
} from './layout.ts';
import type { Store } from './store.ts';

/** Reasons to keep the packet that lie in where it stands: third ACK, first data, data or ACK after a FIN. */
export function moments(
  store: Store,
  mine: number,
  other: number,
  p: Packet,
  known: number,
  isPeerClosed: boolean,
): number {
  const { flags, payload } = p;
  if (flags & RST) return 0;
  const { words, doubles } = store.connections;
  let why = 0;
  const bits = words[mine + SIDE_BITS]!;
  if (flags & ACK && !(flags & SYN) && words[mine + SYNS]! > 0 && !(bits & THIRD_SEEN)) {
    words[mine + SIDE_BITS]! |= THIRD_SEEN;
    const isBare = payload === 0 && !(flags & FIN);
    if (isBare) why |= WHY_THIRD_ACK;
    doubles[(mine + HANDSHAKE) >> 1] = isBare ? p.time - doubles[(mine + HANDSHAKE) >> 1]! : Number.NaN;
  }
  if (payload > 0 && !(bits & DATA_SEEN) && !(known & WHY_KEEPALIVE)) {
    words[mine + SIDE_BITS]! |= DATA_SEEN;
    why |= WHY_FIRST_DATA;
  }
  if (words[other + FINS]! === 0) return why;
  // data that the peer had not acknowledged (rcv_nxt), whenever they come
  const acked = words[other + SIDE_BITS]! & ACK_SEEN ? words[other + ACKED]! : p.seq;
  if (payload > 0 && isPeerClosed && ((p.seq + payload - acked) | 0) > 0) {
    const count = (bits >> AFTER_FIN_SHIFT) & AFTER_FIN_MASK;
    if (count < KEPT_OTHERS) words[mine + SIDE_BITS]! += 1 << AFTER_FIN_SHIFT;
    why |= count < KEPT_OTHERS ? WHY_DATA_AFTER_FIN : SURPLUS;
  }
  const isAcked = (words[other + SIDE_BITS]! & FIN_ACKED) !== 0;
  if (!isAcked && flags & ACK && ((p.ack - words[other + FIN_END]!) | 0) >= 0) {
    words[other + SIDE_BITS]! |= FIN_ACKED;
    doubles[(other + FIN_ACKED_AT) >> 1] = p.time;
    why |= WHY_ACK_OF_FIN;
  }
  return why;
}

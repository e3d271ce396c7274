/** What a SYN or SYN-ACK adds to its connection. */

import { WHY_RETRANSMIT, WHY_SYN, WHY_SYN_ACK } from '../model/connection.ts';
import { OPT_WSCALE, type Packet } from '../model/packet.ts';
import { ACK } from '../model/tcp.ts';
import { noteProgress } from './again.ts';
import { KEPT_RETRANSMITS, SURPLUS } from './key-packets.ts';
import { zeekRestart } from './labels/zeek.ts';
import { endpointState, RESET } from './labels/zeek-endpoint.ts';
import {
  ACK_SEEN,
  BITS,
  CLIENT_BIT,
  FINS,
  HANDSHAKE,
  ISN,
  ISN_SEEN,
  ORIENTATION_MASK,
  ORIENTED_BY_SYN,
  ORIENTED_BY_SYN_ACK,
  RETRANSMITS,
  SCALE_SEEN,
  SCALE_SHIFT,
  SIDE_BITS,
  STACK_SHIFT,
  STARTED,
  SYN_ACKS,
  SYNS,
} from './layout.ts';
import { startSequence } from './sequence.ts';
import { stackOf } from './stack.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/** SYN or SYN-ACK: numbering, orientation, window scale. */
export function handshake(store: Store, at: number, side: number, p: Packet): number {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const isAnswer = (p.flags & ACK) !== 0;
  const count = ++words[mine + (isAnswer ? SYN_ACKS : SYNS)]!;
  const bits = words[mine + SIDE_BITS]!;
  if (!isAnswer && count === 1) doubles[(mine + HANDSHAKE) >> 1] = p.time;
  let why = isAnswer ? WHY_SYN_ACK : WHY_SYN;
  if ((bits & STARTED) === 0 || (p.seq !== words[mine + ISN] && words[mine + FINS] === 0)) {
    startSequence(store, at, side, p.seq);
    noteProgress(words, at, side, p.time);
    // What the peer acknowledged before was counted from another number.
    words[other + SIDE_BITS]! &= ~ACK_SEEN;
  } else if (count > 1) {
    why |= store.count(at, side, RETRANSMITS) <= KEPT_RETRANSMITS ? WHY_RETRANSMIT : SURPLUS;
    if (!isAnswer && wasReset(words, mine, other)) zeekRestart(store, at);
  }
  words[mine + SIDE_BITS]! |= STARTED | ISN_SEEN;
  if (bits >>> STACK_SHIFT === 0) words[mine + SIDE_BITS]! |= stackOf(p) << STACK_SHIFT;
  if (p.options & OPT_WSCALE && (bits & SCALE_SEEN) === 0) {
    words[mine + SIDE_BITS]! |= SCALE_SEEN;
    words[at + BITS]! |= Math.min(p.windowScale, 14) << (SCALE_SHIFT + side * 4);
  }
  orient(words, at, side, isAnswer);
  return why;
}

function wasReset(words: Int32Array, mine: number, other: number): boolean {
  return (
    endpointState(words[mine + SIDE_BITS]!) === RESET || endpointState(words[other + SIDE_BITS]!) === RESET
  );
}

/** The sender of the first SYN is the client; failing that, the receiver of a SYN-ACK. */
function orient(words: Int32Array, at: number, side: number, isAnswer: boolean): void {
  const basis = isAnswer ? ORIENTED_BY_SYN_ACK : ORIENTED_BY_SYN;
  const bits = words[at + BITS]!;
  if ((bits & ORIENTATION_MASK) >= basis) return;
  const client = isAnswer ? otherSide(side) : side;
  words[at + BITS] = (bits & ~(ORIENTATION_MASK | CLIENT_BIT)) | basis | (client === 1 ? CLIENT_BIT : 0);
}

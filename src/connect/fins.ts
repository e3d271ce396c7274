/**
 * Which FINs count, and which of two came first. A receiver takes a FIN inside its window only (RFC 9293 §3.10.7.4); of
 * two FINs the one that acknowledges the other is second, in whatever order a tap or several CPUs wrote them.
 */
import { WHY_ACK_OF_FIN, WHY_FIN } from '../model/connection.ts';
import { FIN } from '../model/tcp.ts';
import { keep } from './key-packets.ts';
import {
  ACK_SEEN,
  ACKED,
  BITS,
  FIN_ACKED,
  FIN_ACKED_AT,
  FIN_AT,
  FIN_DOUBTED,
  FIN_END,
  FINS,
  FIRST_FIN_ACK,
  FIRST_FIN_MASK,
  FIRST_FIN_SHIFT,
  FIRST_IS_BOTH,
  KEY_LINK,
  KEY_PACKET,
  KEY_SIDE_SHIFT,
  KEY_TIME,
  KEY_WHY,
  KEY_WHY_SHIFT,
  KEYS,
  LAST_PACKET,
  LAST_TIME,
  NEXT,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_SEQ,
  PACKED_WINDOW,
  PACKETS,
  SCALE_SEEN,
  SCALE_SHIFT,
  SIDE_BITS,
  STARTED,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/** RFC 7323 §2.3: no window is scaled by more; where the scale is not known it may have been that. */
const MOST_SCALE = 14;

/**
 * Whether the segment lies where its receiver takes it: what it brings is not all acknowledged, and it goes on from what
 * its side has sent, or begins inside the window that the receiver last advertised.
 * @param end one past its last number
 */
export function isInWindow(store: Store, at: number, side: number, seq: number, end: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const peer = words[other + SIDE_BITS]!;
  if ((words[mine + SIDE_BITS]! & STARTED) === 0 || (peer & ACK_SEEN) === 0) return true;
  const taken = words[other + ACKED]!;
  if (((end - taken) | 0) < 0) return false;
  if (((seq - words[mine + NEXT]!) | 0) <= 0) return true;
  const isScaled = peer & words[mine + SIDE_BITS]! & SCALE_SEEN;
  const scale = isScaled ? (words[at + BITS]! >> (SCALE_SHIFT + otherSide(side) * 4)) & 15 : MOST_SCALE;
  return ((seq - taken) | 0) <= (words[other + LAST_PACKET + PACKED_WINDOW]! & 0xffff) << scale;
}

/**
 * Whether a FIN stands beyond what its side has sent, and so waits for what is missing before it: of a stream that goes on
 * below it such a FIN was never a part (forged). It is believed when that has come, when it comes again, or is acknowledged.
 */
export function isAhead(store: Store, at: number, side: number, seq: number, end: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if ((words[mine + SIDE_BITS]! & STARTED) === 0 || words[mine + FINS] !== 0) return false;
  if ((words[sideOf(at, otherSide(side)) + SIDE_BITS]! & ACK_SEEN) === 0) return false;
  const isAgain = words[mine + SIDE_BITS]! & FIN_DOUBTED && words[mine + FIN_END] === end;
  return !isAgain && ((seq - words[mine + NEXT]!) | 0) > 0;
}

/** A number further ahead is not believed, as Zeek does not. */
const TOO_FAR = 1 << 20;

/** One past the last number that the side has sent, a FIN that is ahead among them. */
export function sentUpTo(words: Int32Array, mine: number): number {
  const end = words[mine + FIN_END]!;
  const ahead = (end - words[mine + NEXT]!) | 0;
  return words[mine + SIDE_BITS]! & FIN_DOUBTED && ahead > 0 && ahead <= TOO_FAR ? end : words[mine + NEXT]!;
}

/** Takes note of a FIN that its receiver does not take, unless it acknowledges that very number later. */
export function doubt(store: Store, at: number, side: number, end: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + FINS] !== 0) return;
  words[mine + FIN_END] = end;
  words[mine + SIDE_BITS]! |= FIN_DOUBTED;
}

/** A FIN outside the window or ahead, as the capture shows it, was acknowledged, or is ahead no more. `ack`: its end. */
export function believe(store: Store, at: number, side: number, ack: number): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  if (words[mine + FIN_END] !== ack) return;
  words[mine + SIDE_BITS]! &= ~FIN_DOUBTED;
  // it may have come again, and counts since: the peer's FIN that acknowledges it has found its place behind it
  const isCounted = words[mine + FINS] !== 0;
  if (!isCounted) words[mine + FINS] = 1;
  words[mine + NEXT] = ack;
  const keys = store.keys.words;
  for (let key = words[at + KEYS]!; key !== 0; key = keys[key + KEY_LINK]!) {
    const flags = keys[key + KEY_PACKET + PACKED_FLAGS]!;
    if (keys[key + KEY_WHY]! >>> KEY_SIDE_SHIFT !== side || (flags & FIN) === 0) continue;
    if (((keys[key + KEY_PACKET + PACKED_SEQ]! + (flags >>> 9) + 1) | 0) !== ack) continue;
    keys[key + KEY_WHY]! |= WHY_FIN << KEY_WHY_SHIFT;
    // they are linked from late to early: the first stays
    doubles[(mine + FIN_AT) >> 1] = store.keys.doubles[(key + KEY_TIME) >> 1]!;
    if (!isCounted) order(store, at, side, keys[key + KEY_PACKET + PACKED_ACK]!, ack);
  }
}

/** The side's first FIN has come, which ends at `end`: whether it is the second of two. */
export function order(store: Store, at: number, side: number, ack: number, end: number): void {
  const words = store.connections.words;
  const other = sideOf(at, otherSide(side));
  const isSecond = words[other + FINS] !== 0;
  let first = side + 1;
  if (isSecond) {
    if (((ack - words[other + FIN_END]!) | 0) >= 0) first = otherSide(side) + 1;
    else if (((words[at + FIRST_FIN_ACK]! - end) | 0) < 0) first = FIRST_IS_BOTH;
  }
  words[at + FIRST_FIN_ACK] = isSecond ? 0 : ack;
  words[at + BITS] = (words[at + BITS]! & ~(FIRST_FIN_MASK << FIRST_FIN_SHIFT)) | (first << FIRST_FIN_SHIFT);
}

/** The packet that acknowledges the side's FIN stands before it in the file: it is kept as what it is. */
export function acknowledgedBefore(store: Store, at: number, side: number, end: number): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  if (words[mine + SIDE_BITS]! & FIN_ACKED || (words[other + SIDE_BITS]! & ACK_SEEN) === 0) return;
  if (words[other + PACKETS] === 0 || words[other + LAST_PACKET + PACKED_ACK] !== end) return;
  words[mine + SIDE_BITS]! |= FIN_ACKED;
  doubles[(mine + FIN_ACKED_AT) >> 1] = doubles[(other + LAST_TIME) >> 1]!;
  keep(store, at, otherSide(side), WHY_ACK_OF_FIN, true);
}

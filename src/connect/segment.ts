/** What one segment adds to its connection: counts, sequence numbers, labels, and whether it is a key packet. */
import { WHY_ACK_OF_FIN, WHY_FIN, WHY_RST, WHY_SYN, WHY_SYN_ACK } from '../model/connection.ts';
import type { Packet } from '../model/packet.ts';
import { ACK, FIN, isSenseless, RST, SYN } from '../model/tcp.ts';
import { classify, countDuplicateAcks, expected, FRESH, noteProgress, PROBES } from './again.ts';
import { acknowledgedBefore, believe, doubt, isAhead, isInWindow, order, sentUpTo } from './fins.ts';
import { handshake } from './handshake.ts';
import {
  KEPT_FINS,
  KEPT_RSTS,
  KEPT_SYNS,
  keep,
  keepBeforeRst,
  keepLatestSyn,
  rememberLast,
  SURPLUS,
  setAside,
} from './key-packets.ts';
import { completenessBits } from './labels/completeness.ts';
import { zeekSegment } from './labels/zeek.ts';
import {
  ACK_SEEN,
  ACKED,
  BITS,
  BYTES,
  COMPLETENESS_SHIFT,
  COPIES,
  DUPLICATES,
  FIN_ACKED,
  FIN_AT,
  FIN_DOUBTED,
  FIN_END,
  FINS,
  KEYS_DROPPED,
  LAST_PACKET,
  LAST_RST,
  NEXT,
  PACKED_FLAGS,
  PACKED_WINDOW,
  PACKETS,
  PROBED,
  REPEATS,
  RST_AT,
  RSTS,
  SIDE_BITS,
  STARTED,
  SYN_ACKS,
  SYNS,
  TROUBLE,
  UNANSWERED_KEEPALIVES,
  WAS_KEEPALIVE,
  WINDOW_BEFORE_RST,
} from './layout.ts';
import { moments } from './moments.ts';
import { acknowledge, acknowledgesSnapped, receive, snapped, startSequence } from './sequence.ts';
import { otherSide, type Store, sideOf } from './store.ts';
import { keepalive, noteSilence, tally, zeroWindow } from './tally.ts';
import { isHere } from './vantage.ts';

/** What a side sent in vain counts from the last packet of the other one. */
function heard(store: Store, at: number, side: number): void {
  store.setTrouble(at, side, REPEATS, 0);
  store.setTrouble(at, side, UNANSWERED_KEEPALIVES, 0);
}

/** Accounts for a segment of `side` of the connection at `at`. */
export function segment(store: Store, at: number, side: number, p: Packet): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  if (!isHere(store, at, side, p)) {
    words[at + DUPLICATES]!++;
    words[mine + COPIES]!++;
    return;
  }
  if (isRefused(store, at, side, p)) {
    stray(store, at, side, p);
    return;
  }
  const { payload } = p;
  const flags = p.flags & RST ? p.flags & ~(SYN | FIN) : p.flags;
  const isPeerClosed = words[other + FINS] !== 0 && isInWindow(store, at, side, p.seq, (p.seq + payload) | 0);
  if (words[at + TROUBLE] !== 0) heard(store, at, otherSide(side));
  const isFirst = (words[mine + SIDE_BITS]! & STARTED) === 0;
  words[mine + SIDE_BITS]! &= ~WAS_KEEPALIVE;
  let why = 0;
  if (flags & SYN) why = handshake(store, at, side, p);
  // The number of a RST may be anything: it starts nothing.
  else if (isFirst && !(flags & RST)) begin(store, at, side, p);
  const next = isFirst && !(flags & SYN) ? p.seq : sentUpTo(words, mine);
  const due = expected(words, mine);
  countDuplicateAcks(store, at, side, p, due);
  // a FIN that it acknowledges came before one that it has itself
  if ((flags & (ACK | RST)) === ACK && words[other + SIDE_BITS]! & FIN_DOUBTED)
    believe(store, at, otherSide(side), p.ack);
  if (flags & RST) why |= reset(store, at, side, p.time);
  else if (payload > 0 || flags & FIN) {
    why |= content(store, at, side, p, due);
    if (words[mine + SIDE_BITS]! & FIN_DOUBTED && ((words[mine + NEXT]! + 1) | 0) === words[mine + FIN_END])
      believe(store, at, side, words[mine + FIN_END]!);
    if (p.snapped !== 0 && payload > 0) cutOff(store, at, side, p);
  } else if (!(flags & SYN)) why |= emptySegment(store, at, side, p, due);
  const gaps = flags & ACK ? acknowledgment(store, at, side, p) : 0;
  const isProbe = payload === 1 && (words[mine + SIDE_BITS]! & PROBED) !== 0;
  if (p.window === 0 && !isProbe && !(flags & (SYN | FIN | RST))) why |= zeroWindow(store, at, side, p.time);
  why |= moments(store, mine, other, p, why, isPeerClosed);
  words[at + BITS]! |= completenessBits(p.flags, payload) << COMPLETENESS_SHIFT;
  zeekSegment(store, at, side, p, next, gaps);
  if (flags & FIN) words[mine + FIN_END] = (p.seq + payload + 1) | 0;
  if (flags & RST) store.setTrouble(at, side, LAST_RST, p.seq);
  words[mine + PACKETS]!++;
  if (words[mine + SIDE_BITS]! & words[other + SIDE_BITS]! & FIN_ACKED) store.dropPrevious(at);
  else if (flags & ACK) setAside(store, at, side, p.ack);
  rememberLast(store, at, side, p);
  if (why !== 0) keepFor(store, at, side, why);
}

/** No receiver takes it, as yet: its flags make no sense (a RST is one whatever else is set), or it is a FIN outside the window or ahead. */
function isRefused(store: Store, at: number, side: number, p: Packet): boolean {
  if (isSenseless(p.flags)) return (p.flags & RST) === 0;
  if ((p.flags & FIN) === 0) return false;
  const end = (p.seq + p.payload + 1) | 0;
  if (isInWindow(store, at, side, p.seq, end) && !isAhead(store, at, side, p.seq, end)) return false;
  doubt(store, at, side, end);
  return true;
}

/** A segment that changes nothing; the first of them are kept, for they may explain something. */
function stray(store: Store, at: number, side: number, p: Packet): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  words[at + BITS]! |= completenessBits(p.flags, p.payload) << COMPLETENESS_SHIFT;
  zeekSegment(store, at, side, p, words[mine + SIDE_BITS]! & STARTED ? words[mine + NEXT]! : p.seq, 0);
  words[mine + PACKETS]!++;
  rememberLast(store, at, side, p);
  keep(store, at, side, 0);
}

/** First segment of a side of which no SYN was seen. */
function begin(store: Store, at: number, side: number, p: Packet): void {
  startSequence(store, at, side, (p.seq - 1) | 0);
  noteProgress(store.connections.words, at, side, p.time);
  store.connections.words[sideOf(at, side) + SIDE_BITS]! |= STARTED;
}

/** RST: what stood before it is kept, for it may answer that. */
function reset(store: Store, at: number, side: number, time: number): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const last = words[mine + LAST_PACKET + PACKED_FLAGS]!;
  if (words[mine + PACKETS]! > 0 && !(last & RST)) {
    const window = (words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) + 1;
    store.setTrouble(at, side, WINDOW_BEFORE_RST, last & SYN ? -window : window);
  }
  const count = store.count(at, side, RSTS);
  if (count === 1) store.troubles.doubles[(store.trouble(at, side) + RST_AT) >> 1] = time;
  if (count > KEPT_RSTS) return SURPLUS;
  keepBeforeRst(store, at);
  return WHY_RST;
}

/** Payload and FIN. */
function content(store: Store, at: number, side: number, p: Packet, next: number): number {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const isFin = (p.flags & FIN) !== 0;
  const from = p.flags & SYN ? (p.seq + 1) | 0 : p.seq;
  const to = (from + p.payload) | 0;
  const end = isFin ? (to + 1) | 0 : to;
  const what = p.flags & SYN ? FRESH : classify(store, at, side, p, next, from, end);
  if (isFin && words[mine + FINS] === 0) {
    order(store, at, side, p.ack, end);
    acknowledgedBefore(store, at, side, end);
  }
  if (isFin && Number.isNaN(doubles[(mine + FIN_AT) >> 1]!)) doubles[(mine + FIN_AT) >> 1] = p.time;
  const advance = (end - words[mine + NEXT]!) | 0;
  const fresh = p.payload > 0 ? receive(store, at, side, from, to) : 0;
  if (advance > 0) words[mine + NEXT] = end;
  if (what === PROBES) words[mine + SIDE_BITS]! |= PROBED;
  else if (((end - next) | 0) > 0) progress(words, at, side, p.time);
  // An acknowledgment that stands before its data in the file has made the data no less new.
  const beyond = Math.min(p.payload, advance - (isFin ? 1 : 0));
  doubles[(mine + BYTES) >> 1]! += fresh > beyond ? fresh : beyond > 0 ? beyond : 0;
  const why = isFin ? (++words[mine + FINS]! <= KEPT_FINS ? WHY_FIN : SURPLUS) : 0;
  if (what !== FRESH) return why | tally(store, at, side, what, p.time);
  noteSilence(store, at, p.time);
  return why;
}

/** Something new was sent, or it is seen that it was. */
function progress(words: Int32Array, at: number, side: number, time: number): void {
  words[sideOf(at, side) + SIDE_BITS]! &= ~PROBED;
  noteProgress(words, at, side, time);
}

/** The capture does not hold the payload. */
function cutOff(store: Store, at: number, side: number, p: Packet): void {
  const words = store.connections.words;
  const other = sideOf(at, otherSide(side));
  const from = p.flags & SYN ? (p.seq + 1) | 0 : p.seq;
  const acked = words[other + SIDE_BITS]! & ACK_SEEN ? words[other + ACKED]! : null;
  snapped(store, at, side, from, (from + p.payload) | 0, acked);
}

/** Pure ACK. One below the next number is a keepalive; one above shows that the capture missed data. */
function emptySegment(store: Store, at: number, side: number, p: Packet, next: number): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const ahead = (p.seq - next) | 0;
  if (ahead > 0) {
    if (((p.seq - words[mine + NEXT]!) | 0) > 0) words[mine + NEXT] = p.seq;
    progress(words, at, side, p.time);
  }
  return ahead === -1 ? keepalive(store, at, side) : 0;
}

/** Takes note of what the segment acknowledges; content gaps of the other side that it reveals. */
function acknowledgment(store: Store, at: number, side: number, p: Packet): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const isStarted = (words[other + SIDE_BITS]! & STARTED) !== 0;
  if (p.flags & RST) {
    const isKnown = isStarted && ((p.ack - words[other + NEXT]!) | 0) <= 0;
    return isKnown ? acknowledge(store, at, otherSide(side), p.ack) : 0;
  }
  const isFirst = p.flags & SYN || (words[mine + SIDE_BITS]! & ACK_SEEN) === 0;
  if (isFirst || ((p.ack - words[mine + ACKED]!) | 0) > 0) {
    words[mine + ACKED] = p.ack;
    words[mine + SIDE_BITS]! |= ACK_SEEN;
    if (isStarted) return gapsBelow(store, at, otherSide(side), p.ack);
  }
  return 0;
}

/** Gaps that an acknowledgment shows: holes, or payload that was cut off by the snap length. */
function gapsBelow(store: Store, at: number, side: number, ack: number): number {
  const holes = acknowledge(store, at, side, ack);
  if (store.connections.words[at + TROUBLE] === 0) return holes;
  return acknowledgesSnapped(store, at, side, ack) ? Math.max(holes, 1) : holes;
}

/** Keeps the side's last packet, unless it has no reasons but such as enough packets were kept for already. */
function keepFor(store: Store, at: number, side: number, reasons: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const why = reasons & ~SURPLUS;
  if (why === 0) words[at + KEYS_DROPPED]!++;
  else if (why & (WHY_SYN | WHY_SYN_ACK) && words[mine + SYNS]! + words[mine + SYN_ACKS]! > KEPT_SYNS) {
    keepLatestSyn(store, at, side, why);
  } else {
    const isFirstFin = why & WHY_FIN && words[mine + FINS] === 1;
    const isFirstRst = why & WHY_RST && store.troubled(at, side, RSTS) === 1;
    keep(store, at, side, why, Boolean(isFirstFin || isFirstRst || why & WHY_ACK_OF_FIN));
  }
}

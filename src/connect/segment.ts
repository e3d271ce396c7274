/** What one segment adds to its connection: counts, sequence numbers, labels, and whether it is a key packet. */
import {
  WHY_ACK_OF_FIN,
  WHY_DATA_AFTER_FIN,
  WHY_FIN,
  WHY_FIRST_DATA,
  WHY_KEEPALIVE,
  WHY_RETRANSMIT,
  WHY_RST,
  WHY_SYN,
  WHY_SYN_ACK,
  WHY_THIRD_ACK,
  WHY_ZERO_WINDOW,
} from '../model/connection.ts';
import type { Packet } from '../model/packet.ts';
import { ACK, FIN, isSenseless, RST, SYN } from '../model/tcp.ts';
import { NS_PER_MS, NS_PER_S } from '../model/time.ts';
import {
  AGAIN,
  classify,
  countDuplicateAcks,
  expected,
  FRESH,
  KEEPS_ALIVE,
  noteProgress,
  PROBES,
  progressBefore,
} from './again.ts';
import { acknowledgedBefore, believe, doubt, isInWindow, order } from './fins.ts';
import { handshake } from './handshake.ts';
import {
  KEPT_FINS,
  KEPT_OTHERS,
  KEPT_RETRANSMITS,
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
  AFTER_FIN_MASK,
  AFTER_FIN_SHIFT,
  BITS,
  BYTES,
  CLOSED_BEFORE,
  COMPLETENESS_SHIFT,
  COPIES,
  DATA_SEEN,
  DUPLICATES,
  FIN_ACKED,
  FIN_ACKED_AT,
  FIN_AT,
  FIN_DOUBTED,
  FIN_END,
  FINS,
  HANDSHAKE,
  KEEPALIVES,
  KEYS_DROPPED,
  LAST_PACKET,
  LAST_RST,
  LAST_TIME,
  NEXT,
  OUT_OF_ORDER,
  PACKED_FLAGS,
  PACKED_WINDOW,
  PACKETS,
  PROBED,
  PROBES_BEFORE,
  REPEATS,
  REPEATS_LAST,
  REPEATS_SINCE,
  RETRANSMITS,
  RST_AT,
  RSTS,
  SIDE_BITS,
  SILENCE,
  SILENCE_END,
  START,
  STARTED,
  SYN_ACKS,
  SYNS,
  THIRD_SEEN,
  TROUBLE,
  WAS_KEEPALIVE,
  WINDOW_BEFORE_RST,
  WINDOW_CLOSED_AT,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import { acknowledge, acknowledgesSnapped, receive, snapped, startSequence } from './sequence.ts';
import { otherSide, type Store, sideOf } from './store.ts';
import { isHere } from './vantage.ts';

/** As much as 31 bits of milliseconds hold: 24 days from the first packet. */
const LATEST_SILENCE = 0x7fffffff;

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
  if (store.troubled(at, otherSide(side), REPEATS) !== 0) store.setTrouble(at, otherSide(side), REPEATS, 0);
  const isFirst = (words[mine + SIDE_BITS]! & STARTED) === 0;
  words[mine + SIDE_BITS]! &= ~WAS_KEEPALIVE;
  let why = 0;
  if (flags & SYN) why = handshake(store, at, side, p);
  // The number of a RST may be anything: it starts nothing.
  else if (isFirst && !(flags & RST)) begin(store, at, side, p);
  const next = isFirst && !(flags & SYN) ? p.seq : words[mine + NEXT]!;
  const due = expected(words, mine);
  countDuplicateAcks(store, at, side, p, due);
  if (flags & RST) why |= reset(store, at, side, p.time);
  else if (payload > 0 || flags & FIN) {
    why |= content(store, at, side, p, due);
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

/** No receiver takes it: its flags make no sense (a RST is one whatever else is set), or it is a FIN outside the window. */
function isRefused(store: Store, at: number, side: number, p: Packet): boolean {
  if (isSenseless(p.flags)) return (p.flags & RST) === 0;
  if ((p.flags & FIN) === 0) return false;
  const end = (p.seq + p.payload + 1) | 0;
  if (isInWindow(store, at, side, p.seq, end)) return false;
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

/** Something new is sent: after the longest silence so far? Shorter ones than a second are none. */
function noteSilence(store: Store, at: number, time: number): void {
  const { words, doubles } = store.connections;
  const [one, two] = [sideOf(at, 0), sideOf(at, 1)];
  const before = Math.max(
    words[one + PACKETS] === 0 ? Number.NEGATIVE_INFINITY : doubles[(one + LAST_TIME) >> 1]!,
    words[two + PACKETS] === 0 ? Number.NEGATIVE_INFINITY : doubles[(two + LAST_TIME) >> 1]!,
  );
  const silence = time - before;
  if (silence < NS_PER_S || silence === Number.POSITIVE_INFINITY) return;
  const length = Math.round(silence / NS_PER_MS);
  const end = Math.round((time - doubles[(at + START) >> 1]!) / NS_PER_MS);
  if (length <= words[at + SILENCE]! || end > LATEST_SILENCE) return;
  words[at + SILENCE] = length;
  words[at + SILENCE_END] = end;
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

function retransmit(store: Store, at: number, side: number, time: number): number {
  const trouble = store.trouble(at, side);
  const { words, doubles } = store.troubles;
  if (words[trouble + REPEATS]!++ === 0) {
    const since = progressBefore(store.connections.words, at, side, time);
    doubles[(trouble + REPEATS_SINCE) >> 1] = since;
  }
  doubles[(trouble + REPEATS_LAST) >> 1] = time;
  return store.count(at, side, RETRANSMITS) <= KEPT_RETRANSMITS ? WHY_RETRANSMIT : SURPLUS;
}

function keepalive(store: Store, at: number, side: number): number {
  store.connections.words[sideOf(at, side) + SIDE_BITS]! |= WAS_KEEPALIVE;
  return store.count(at, side, KEEPALIVES) <= KEPT_OTHERS ? WHY_KEEPALIVE : SURPLUS;
}

/** To be asked before the packet is remembered as the side's last. */
function zeroWindow(store: Store, at: number, side: number, time: number): number {
  const { words } = store.connections;
  const last = sideOf(at, side) + LAST_PACKET;
  const isStill = store.troubled(at, side, ZERO_WINDOWS) > 0 && (words[last + PACKED_WINDOW]! & 0xffff) === 0;
  if (!isStill) {
    const peer = otherSide(side);
    const probes = store.troubled(at, peer, KEEPALIVES) + store.troubled(at, peer, WINDOW_PROBES);
    store.setTrouble(at, side, CLOSED_BEFORE, store.troubled(at, side, ZERO_WINDOWS));
    store.setTrouble(at, side, PROBES_BEFORE, probes);
    store.troubles.doubles[(store.trouble(at, side) + WINDOW_CLOSED_AT) >> 1] = time;
  }
  return store.count(at, side, ZERO_WINDOWS) <= KEPT_OTHERS ? WHY_ZERO_WINDOW : SURPLUS;
}

/** Counts what classify() has named; why the segment is kept for it. */
function tally(store: Store, at: number, side: number, what: number, time: number): number {
  if (what === AGAIN) return retransmit(store, at, side, time);
  if (what === KEEPS_ALIVE) return keepalive(store, at, side);
  store.count(at, side, what === PROBES ? WINDOW_PROBES : OUT_OF_ORDER);
  return 0;
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
  if (words[other + SIDE_BITS]! & FIN_DOUBTED) believe(store, at, otherSide(side), p.ack);
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

/** Reasons to keep the packet that lie in where it stands: third ACK, first data, data or ACK after a FIN. */
function moments(
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

/**
 * Zeek's view of a connection: the state of its two endpoints, the history, conn_state. It follows what Zeek does
 * (TCPSessionAdapter, TCP_Endpoint, base/protocols/conn) where its documentation is silent, so that labels can be
 * compared letter by letter.
 */
import type { Packet } from '../../model/packet.ts';
import { ACK, FIN, RST, SYN } from '../../model/tcp.ts';
import {
  ACK_SEEN,
  ACKED,
  BITS,
  BLOCKS,
  CLOSE_DEFERRED,
  CLOSED_AT,
  DID_CLOSE,
  FIN_END,
  FINS,
  ISN,
  LAST_RST,
  LETTERS_SHIFT,
  NEXT,
  PREVIOUS_SHIFT,
  SIDE_BITS,
  STARTED,
  STATE_MASK,
  STATE_SHIFT,
  WHOLE,
  ZEEK_COUNTS,
} from '../layout.ts';
import { otherSide, type Store, sideOf } from '../store.ts';
import {
  addLetter,
  addOnce,
  hasLetter,
  historyText,
  LETTER_ACK,
  LETTER_CHECKSUM,
  LETTER_DATA,
  LETTER_FIN,
  LETTER_FIN_RST,
  LETTER_GAP,
  LETTER_MULTI,
  LETTER_RETRANSMIT,
  LETTER_RST,
  LETTER_SYN,
  LETTER_SYN_ACK,
  LETTER_ZERO_WINDOW,
} from './history.ts';
import {
  CLOSED,
  CONTROL,
  ESTABLISHED,
  endpointState,
  INACTIVE,
  originator,
  PARTIAL,
  previousState,
  RESET,
  SYN_ACK_SENT,
  SYN_SENT,
  step,
} from './zeek-endpoint.ts';

/** A SYN or RST this far from the sequence numbers known is not believed. */
const TOO_FAR = 1 << 20;

/**
 * One segment, after the side's sequence numbers were brought up to date.
 * @param next the side's next sequence number before the segment
 * @param gaps content gaps of the other side that its acknowledgment reveals
 */
export function zeekSegment(
  store: Store,
  at: number,
  side: number,
  p: Packet,
  next: number,
  gaps: number,
): void {
  const words = store.connections.words;
  const bits = words[sideOf(at, side) + SIDE_BITS]!;
  const control = p.flags & CONTROL;
  const advance = (p.seq + p.payload - next) | 0;
  if (
    control === 0 &&
    gaps === 0 &&
    endpointState(bits) !== INACTIVE &&
    (words[at + BITS]! & CLOSE_DEFERRED) === 0
  ) {
    const known = p.payload > 0 ? advance > 0 && hasLetter(bits, LETTER_DATA) : hasLetter(bits, LETTER_ACK);
    if (known && p.window !== 0) return;
  }
  const byOriginator = side === originator(words, at);
  letters(store, at, side, byOriginator, p);
  zeroWindow(store, at, side, byOriginator, p);
  if (p.payload > 0 && repeats(store, at, side, p, next)) {
    countLetter(store, at, side, byOriginator, LETTER_RETRANSMIT);
  }
  const ahead = (p.seq - next) | 0;
  const believed = endpointState(bits) !== RESET && ahead > 0 && ahead <= TOO_FAR;
  const close = step(store, at, side, byOriginator, p);
  for (let i = 0; i < gaps; i++) gap(store, at, otherSide(side));
  const last = words[sideOf(at, side) + NEXT]!;
  const end = control & RST ? p.seq : (p.seq + p.payload + 1) | 0;
  if (close) closed(store, at, side, p.time, believed ? end : last);
  if (words[at + BITS]! & CLOSE_DEFERRED) {
    deferred(store, at, otherSide(side), p.time);
    deferred(store, at, side, p.time);
  }
}

/** A segment whose checksum is wrong: Zeek ignores it but for this letter. */
export function zeekBadChecksum(store: Store, at: number, side: number): void {
  const byOriginator = side === originator(store.connections.words, at);
  countLetter(store, at, side, byOriginator, LETTER_CHECKSUM);
}

/** The same SYN again after a RST: the attempt starts anew within the life. */
export function zeekRestart(store: Store, at: number): void {
  const { words, doubles } = store.connections;
  const kept = ~(
    (STATE_MASK << STATE_SHIFT) |
    (STATE_MASK << PREVIOUS_SHIFT) |
    DID_CLOSE |
    (1 << LETTERS_SHIFT)
  );
  for (let side = 0; side < 2; side++) words[sideOf(at, side) + SIDE_BITS]! &= kept;
  words[at + BITS]! &= ~CLOSE_DEFERRED;
  doubles[(at + CLOSED_AT) >> 1] = Number.NaN;
}

function letters(store: Store, at: number, side: number, byOriginator: boolean, p: Packet): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const letter = letterOf(p);
  if (letter < 0 || !addOnce(store, at, side, byOriginator, letter)) return;
  // Repeated only with another number: a SYN's own, a FIN's at its end, a RST's own.
  let isOther = false;
  if (letter === LETTER_SYN || letter === LETTER_SYN_ACK) isOther = p.seq !== words[mine + ISN];
  else if (letter === LETTER_FIN) isOther = ((p.seq + p.payload + 1) | 0) !== words[mine + FIN_END];
  else if (letter === LETTER_RST) isOther = p.seq !== store.troubled(at, side, LAST_RST);
  if (isOther) addLetter(store, at, byOriginator, letter);
}

/** What kind of packet it is for the history; -1 for one without payload, flag or ACK. */
function letterOf(p: Packet): number {
  switch (p.flags & CONTROL) {
    case 0:
      if (p.payload > 0) return LETTER_DATA;
      return p.flags & ACK ? LETTER_ACK : -1;
    case SYN:
      return p.flags & ACK ? LETTER_SYN_ACK : LETTER_SYN;
    case FIN:
      return LETTER_FIN;
    case RST:
      return LETTER_RST;
    case SYN | FIN:
    case SYN | RST:
      return LETTER_MULTI;
    default:
      return LETTER_FIN_RST;
  }
}

/** Not on or after a RST, nor when the peer has sent its FIN and needs no window. */
function zeroWindow(store: Store, at: number, side: number, byOriginator: boolean, p: Packet): void {
  if (p.window !== 0 || p.flags & RST) return;
  const words = store.connections.words;
  if (endpointState(words[sideOf(at, otherSide(side)) + SIDE_BITS]!) === CLOSED) return;
  if (endpointState(words[sideOf(at, side) + SIDE_BITS]!) === RESET) return;
  countLetter(store, at, side, byOriginator, LETTER_ZERO_WINDOW);
}

/** Whether payload ends at or below what the side has sent before. */
function repeats(store: Store, at: number, side: number, p: Packet, next: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (endpointState(words[mine + SIDE_BITS]!) === RESET) return false;
  // Zeek numbers a SYN's payload before it looks whether it is new.
  if (p.flags & SYN) return p.seq === words[mine + ISN];
  const fin = p.flags & FIN ? 1 : 0;
  const length = p.flags & RST ? 0 : p.payload;
  const delta = (p.seq + length + fin - next) | 0;
  if (p.flags & RST && (delta > TOO_FAR || delta < -TOO_FAR)) return false;
  if (fin && next === ((words[mine + ISN]! + 1) | 0)) return false;
  return delta <= 0;
}

/** The first, tenth, hundredth … of a kind gives a letter. */
function countLetter(store: Store, at: number, side: number, byOriginator: boolean, letter: number): void {
  let n = store.count(at, side, ZEEK_COUNTS + letter - LETTER_CHECKSUM);
  while (n % 10 === 0) n /= 10;
  if (n === 1) addLetter(store, at, byOriginator, letter);
}

/** Gaps count only while both endpoints are established or closing cleanly; elsewhere they arise falsely. */
function gap(store: Store, at: number, side: number): void {
  const words = store.connections.words;
  if (!isClean(words[sideOf(at, 0) + SIDE_BITS]!) || !isClean(words[sideOf(at, 1) + SIDE_BITS]!)) return;
  countLetter(store, at, side, side === originator(words, at), LETTER_GAP);
}

function isClean(sideBits: number): boolean {
  const state = endpointState(sideBits);
  return state === ESTABLISHED || (state === CLOSED && previousState(sideBits) === ESTABLISHED);
}

/** A FIN or RST closes a direction, unless content before it is still missing. */
function closed(store: Store, at: number, side: number, time: number, last: number): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  if (isPending(store, at, side, last)) {
    words[at + BITS]! |= CLOSE_DEFERRED;
    return;
  }
  words[at + BITS]! &= ~CLOSE_DEFERRED;
  if (words[mine + SIDE_BITS]! & DID_CLOSE) return;
  words[mine + SIDE_BITS]! |= DID_CLOSE;
  const peer = words[sideOf(at, otherSide(side)) + SIDE_BITS]!;
  const complete =
    endpointState(words[mine + SIDE_BITS]!) === RESET || peer & DID_CLOSE || endpointState(peer) === INACTIVE;
  if (complete) doubles[(at + CLOSED_AT) >> 1] = time;
}

/** Closes a direction whose missing content has come, or was acknowledged unseen. */
function deferred(store: Store, at: number, side: number, time: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const bits = words[mine + SIDE_BITS]!;
  const last = words[mine + NEXT]!;
  if (words[mine + FINS] === 0 || bits & DID_CLOSE || isPending(store, at, side, last)) return;
  closed(store, at, side, time, last);
}

/** Whether content of the side below `last` is missing, or the peer has sent some beyond a hole. */
function isPending(store: Store, at: number, side: number, last: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const bits = words[mine + SIDE_BITS]!;
  if ((bits & STARTED) === 0) return false;
  const missing = (last - words[mine + WHOLE]!) | 0;
  if (missing < 0) return false;
  if (missing > 1) return true;
  return endpointState(bits) !== RESET && store.troubled(at, otherSide(side), BLOCKS) !== 0;
}

/** Zeek's conn_state (base/protocols/conn/main.zeek): responder's RST, originator's RST, FINs, then what is open. */
/** `from`: the side that is named as the originator. */
export function connState(store: Store, at: number, from: number): string {
  const words = store.connections.words;
  const o = endpointState(words[sideOf(at, from) + SIDE_BITS]!);
  const r = endpointState(words[sideOf(at, otherSide(from)) + SIDE_BITS]!);
  const quietO = o === INACTIVE || o === PARTIAL;
  const quietR = r === INACTIVE || r === PARTIAL;
  if (r === RESET) {
    if (o === SYN_SENT || o === SYN_ACK_SENT) return 'REJ';
    if (o === RESET && isEmpty(store, at, 0) && isEmpty(store, at, 1)) return 'REJ';
    return quietO ? 'RSTRH' : 'RSTR';
  }
  if (o === RESET) {
    if (!quietR) return 'RSTO';
    return /^\^?S[^HAFGIQ]*R/.test(historyText(store, at, from !== originator(words, at))) ? 'RSTOS0' : 'OTH';
  }
  if (o === CLOSED && r === CLOSED) return 'SF';
  if (o === CLOSED) return quietR ? 'SH' : 'S2';
  if (r === CLOSED) return quietO ? 'SHR' : 'S3';
  if (o === SYN_SENT && r === INACTIVE) return 'S0';
  return o === ESTABLISHED && r === ESTABLISHED ? 'S1' : 'OTH';
}

/** Whether the side sent no payload, by its sequence numbers and what the peer acknowledged. */
function isEmpty(store: Store, at: number, side: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  if ((words[mine + SIDE_BITS]! & STARTED) === 0) return true;
  let top = words[mine + NEXT]!;
  if (words[other + SIDE_BITS]! & ACK_SEEN && ((words[other + ACKED]! - top) | 0) > 0)
    top = words[other + ACKED]!;
  const control = 1 + (words[mine + FINS]! > 0 ? 1 : 0);
  return ((top - words[mine + ISN]!) | 0) <= control;
}

/** The state machine of Zeek's endpoints: one step per segment. */
import type { Packet } from '../../model/packet.ts';
import { ACK, FIN, RST, SYN } from '../../model/tcp.ts';
import {
  BITS,
  DID_CLOSE,
  ORIGINATOR_BIT,
  PREVIOUS_SHIFT,
  SIDE_BITS,
  STATE_MASK,
  STATE_SHIFT,
} from '../layout.ts';
import { otherSide, type Store, sideOf } from '../store.ts';
import { addFlip } from './history.ts';

/** Nothing seen of the endpoint. */
export const INACTIVE = 0;
/** It sent a SYN. */
export const SYN_SENT = 1;
/** It sent a SYN-ACK, and no SYN was seen. */
export const SYN_ACK_SENT = 2;
/** Midstream: packets but no SYN. */
export const PARTIAL = 3;
export const ESTABLISHED = 4;
/** It sent a FIN. */
export const CLOSED = 5;
/** It sent a RST. */
export const RESET = 6;

export const CONTROL = SYN | FIN | RST;

export function endpointState(sideBits: number): number {
  return (sideBits >> STATE_SHIFT) & STATE_MASK;
}

export function previousState(sideBits: number): number {
  return (sideBits >> PREVIOUS_SHIFT) & STATE_MASK;
}

/** The side that Zeek calls the originator. */
export function originator(words: Int32Array, at: number): number {
  return words[at + BITS]! & ORIGINATOR_BIT ? 1 : 0;
}

function setState(words: Int32Array, side: number, state: number): void {
  const bits = words[side + SIDE_BITS]!;
  const before = endpointState(bits);
  if (state === before) return;
  const kept = bits & ~((STATE_MASK << STATE_SHIFT) | (STATE_MASK << PREVIOUS_SHIFT));
  words[side + SIDE_BITS] = kept | (state << STATE_SHIFT) | (before << PREVIOUS_SHIFT);
}

/** Moves the side's endpoint; true when the segment closes its direction. */
export function step(store: Store, at: number, side: number, byOriginator: boolean, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const peerState = endpointState(words[other + SIDE_BITS]!);
  const state = endpointState(words[mine + SIDE_BITS]!);
  const { flags } = p;
  switch (state) {
    case INACTIVE:
      return begin(store, at, side, byOriginator, p);
    case SYN_SENT:
    case SYN_ACK_SENT:
      if (flags & FIN) setState(words, mine, CLOSED);
      if (flags & RST) setState(words, mine, RESET);
      return (flags & (FIN | RST)) !== 0;
    case CLOSED:
      // After both FINs a RST changes nothing: the connection has ended well.
      if (!(flags & RST) || peerState === CLOSED) return false;
      setState(words, mine, RESET);
      return (words[mine + SIDE_BITS]! & DID_CLOSE) === 0;
    case RESET:
      return false;
  }
  if ((flags & (SYN | ACK)) === SYN && state === PARTIAL && peerState === INACTIVE)
    setState(words, mine, SYN_SENT);
  if (flags & RST) {
    setState(words, mine, RESET);
    return true;
  }
  if (!(flags & FIN)) return false;
  setState(words, mine, CLOSED);
  // The peer sent a FIN and then a RST: with this FIN it is a normal end after all.
  if (peerState === RESET && previousState(words[other + SIDE_BITS]!) === CLOSED)
    setState(words, other, CLOSED);
  return true;
}

/** First segment of an endpoint. */
function begin(store: Store, at: number, side: number, byOriginator: boolean, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const { flags } = p;
  if (flags & SYN) {
    if (byOriginator) setState(words, mine, flags & ACK ? SYN_ACK_SENT : SYN_SENT);
    else answerSyn(store, at, mine, other, flags);
  }
  if (flags & FIN) setState(words, mine, CLOSED);
  if (flags & RST) setState(words, mine, RESET);
  if (flags & CONTROL) return (flags & (FIN | RST)) !== 0;
  const peerState = endpointState(words[other + SIDE_BITS]!);
  // Some servers acknowledge a SYN before they answer it.
  if (!byOriginator && p.payload === 0 && peerState === SYN_SENT) return false;
  setState(words, mine, flags & ACK && peerState === ESTABLISHED ? ESTABLISHED : PARTIAL);
  return false;
}

/** A SYN or SYN-ACK of the responder. */
function answerSyn(store: Store, at: number, mine: number, other: number, flags: number): void {
  const words = store.connections.words;
  const peerState = endpointState(words[other + SIDE_BITS]!);
  if (!(flags & ACK) && peerState === SYN_ACK_SENT) {
    // The capture shows the SYN-ACK before its SYN.
    words[at + BITS]! ^= ORIGINATOR_BIT;
    addFlip(store, at);
    setState(words, other, ESTABLISHED);
  } else if (peerState === SYN_SENT) {
    setState(words, other, ESTABLISHED);
  }
  setState(words, mine, ESTABLISHED);
}

/**
 * What a segment is that brings nothing new, or next to nothing: a retransmission, a segment out of order, a keepalive,
 * a probe of a closed window. These are Wireshark's counts (tcp_analyze_sequence_number in packet-tcp.c), because those
 * are the ones people know: what has been seen before is not remembered, what the other side acknowledges and how much
 * time has passed decide. Duplicate ACKs are counted because they tell a fast retransmission from a late segment.
 */
import type { Packet } from '../model/packet.ts';
import { FIN, RST, SYN } from '../model/tcp.ts';
import { NS_PER_MS, NS_PER_US } from '../model/time.ts';
import { roundTrip } from './key-packets.ts';
import {
  DUPLICATE_ACKS,
  LAST_PACKET,
  LAST_TIME,
  NEXT,
  NEXT_TIMES,
  PACKED_ACK,
  PACKED_WINDOW,
  PACKETS,
  PROBED,
  SIDE_BITS,
  TROUBLE,
  WAS_KEEPALIVE,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/** What a segment with content is. */
export const FRESH = 0;
export const AGAIN = 1;
export const LATE = 2;
export const KEEPS_ALIVE = 3;
export const PROBES = 4;

/** A segment overtaken by later ones comes within a round trip of them; within this time where none was seen. */
const LATE_WITHIN = 3 * NS_PER_MS;
/** A fast retransmission follows this soon on the second duplicate ACK. */
const FAST_WITHIN = 20 * NS_PER_MS;
const FAST_AFTER = 2;

/** Number that the side is expected to send next. The byte of a probe is not taken for sent. */
export function expected(words: Int32Array, mine: number): number {
  return words[mine + SIDE_BITS]! & PROBED ? (words[mine + NEXT]! - 1) | 0 : words[mine + NEXT]!;
}

/**
 * What a segment with payload or FIN, without SYN and RST, is; to be asked before it is accounted for.
 * @param next number expected of its side
 * @param from number of its first byte
 * @param end one past its last number, FIN included
 */
export function classify(
  store: Store,
  at: number,
  side: number,
  p: Packet,
  next: number,
  from: number,
  end: number,
): number {
  const below = (from - next) | 0;
  const isFin = (p.flags & FIN) !== 0;
  if (below === 0 && p.payload === 1 && isClosed(store, at, otherSide(side))) return PROBES;
  if (below === -1 && p.payload <= 1 && !isFin) return KEEPS_ALIVE;
  // Wireshark calls new data a retransmission when its ACK stands before it in the file: captures of several CPUs do that.
  if (below >= 0) return FRESH;
  const peer = sideOf(at, otherSide(side));
  const { words, doubles } = store.connections;
  const acked = words[peer + LAST_PACKET + PACKED_ACK]!;
  if (p.payload > 0 && acked !== 0 && ((from + p.payload - acked) | 0) <= 0) return AGAIN;
  // Behind a byte that may have been a probe: it goes on from there.
  if (below === -1 && p.payload > 1) return FRESH;
  if (store.troubled(at, otherSide(side), DUPLICATE_ACKS) >= FAST_AFTER && acked === from) {
    const since = p.time - doubles[(peer + LAST_TIME) >> 1]!;
    if (since >= 0 && since < FAST_WITHIN) return AGAIN;
  }
  const within = roundTrip(store, at) ?? LATE_WITHIN;
  return end !== next && sinceProgress(words, at, side, p.time) * NS_PER_US < within ? LATE : AGAIN;
}

/** Takes note that the side sends beyond what it has sent before. */
export function noteProgress(words: Int32Array, at: number, side: number, time: number): void {
  words[at + NEXT_TIMES + side] = time / NS_PER_US;
}

/** When that was, ns, as far as microseconds tell. */
export function progressBefore(words: Int32Array, at: number, side: number, time: number): number {
  return time - sinceProgress(words, at, side, time) * NS_PER_US;
}

/** Microseconds since then, of which 32 bits are kept: 71 minutes later they begin anew. */
function sinceProgress(words: Int32Array, at: number, side: number, time: number): number {
  return (time / NS_PER_US - words[at + NEXT_TIMES + side]!) >>> 0;
}

/** Whether the side has last advertised that nothing may be sent to it. */
function isClosed(store: Store, at: number, side: number): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  return words[mine + PACKETS] !== 0 && (words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) === 0;
}

/** Counts duplicate ACKs of the side, or begins anew; to be asked before the packet is remembered as its last. */
export function countDuplicateAcks(store: Store, at: number, side: number, p: Packet, next: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) return;
  if (words[mine + LAST_PACKET + PACKED_ACK] !== p.ack) {
    if (words[at + TROUBLE] !== 0) store.setTrouble(at, side, DUPLICATE_ACKS, 0);
    return;
  }
  if (p.payload > 0 || p.flags & (SYN | FIN | RST) || p.seq !== next || p.window === 0) return;
  if ((words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) !== p.window) return;
  // What answers a keepalive repeats an ACK too.
  if (words[sideOf(at, otherSide(side)) + SIDE_BITS]! & WAS_KEEPALIVE) return;
  store.count(at, side, DUPLICATE_ACKS);
}

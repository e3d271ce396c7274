/** A connection's record as the WireConnection that later stages read. */

import { type Endpoint, formatWords } from '../model/address.ts';
import { type Pair, WHY_ACK_OF_FIN, WHY_FIN, WHY_RST, type WireConnection } from '../model/connection.ts';
import type { CapturedProcess } from '../model/process.ts';
import { RST, SYN } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import { listKeyPackets } from './key-packets.ts';
import { historyText } from './labels/history.ts';
import { connState } from './labels/zeek.ts';
import {
  ACK_SEEN,
  ACKED,
  ADDRESS,
  BITS,
  BYTES,
  CLIENT_BIT,
  COMPLETENESS_MASK,
  COMPLETENESS_SHIFT,
  DIRECTION_MASK,
  DIRECTION_SHIFT,
  DUPLICATES,
  FINS,
  ISN,
  ISN_SEEN,
  KEEPALIVES,
  KEYS_DROPPED,
  LAST_PACKET,
  LAST_TIME,
  NEXT,
  ORIENTATION_MASK,
  OUT_OF_ORDER,
  PACKED_FLAGS,
  PACKED_WINDOW,
  PACKETS,
  PATH,
  PORTS,
  PROCESS,
  RETRANSMITS,
  RSTS,
  SCALE_SEEN,
  SCALE_SHIFT,
  SIDE_BITS,
  SOURCE,
  START,
  START_FRAME,
  STARTED,
  SYN_ACKS,
  SYNS,
  TTL_SHIFT,
  WINDOW_BEFORE_RST,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

const ORIENTATIONS = ['guess', 'syn-ack', 'syn'] as const;

/** What the numbers of packets stand for, see TrackerOptions. */
export interface Texts {
  encapsulations: readonly string[];
  processes: readonly CapturedProcess[];
}

/** Reads the connection at `at`; `flipped` calls the side the server that is held for the client. */
export function viewConnection(
  store: Store,
  at: number,
  flipped: boolean,
  { encapsulations, processes }: Texts,
): WireConnection {
  const { words, doubles } = store.connections;
  const bits = words[at + BITS]!;
  const client = (bits & CLIENT_BIT ? 1 : 0) ^ (flipped ? 1 : 0);
  const pair = <T>(read: (side: number) => T): Pair<T> => [read(client), read(otherSide(client))];
  const word = (offset: number) => pair((side) => words[sideOf(at, side) + offset]!);
  const trouble = (offset: number) => pair((side) => store.troubled(at, side, offset));
  const when = (bit: number, offset: number) =>
    pair((side) => (words[sideOf(at, side) + SIDE_BITS]! & bit ? words[sideOf(at, side) + offset]! : null));
  const lastTime = pair((side) => timeOfLast(store, at, side));
  const start = doubles[(at + START) >> 1]! as SourceTime;
  const keyPackets = listKeyPackets(store, at, client);
  const first = (why: number, side: number): SourceTime | null =>
    keyPackets.find((k) => k.why & why && k.side === side)?.time ?? null;
  const ttl = pair((side) => (words[at + PATH]! >>> (TTL_SHIFT + side * 8)) & 0xff);
  const scale = pair((side) => scaleOf(words, at, side));
  const announced = pair((side) => (words[sideOf(at, side) + SIDE_BITS]! & SCALE_SEEN) !== 0);
  return {
    source: words[at + SOURCE]!,
    client: endpoint(words, at, client),
    server: endpoint(words, at, otherSide(client)),
    orientation: ORIENTATIONS[bits & ORIENTATION_MASK]!,
    start,
    end: Math.max(start, lastTime[0] ?? start, lastTime[1] ?? start) as SourceTime,
    startFrame: words[at + START_FRAME]!,
    packets: word(PACKETS),
    bytes: pair((side) => doubles[(sideOf(at, side) + BYTES) >> 1]!),
    isn: when(ISN_SEEN, ISN),
    syns: word(SYNS),
    synAcks: word(SYN_ACKS),
    fins: word(FINS),
    rsts: trouble(RSTS),
    retransmits: trouble(RETRANSMITS),
    outOfOrder: trouble(OUT_OF_ORDER),
    keepalives: trouble(KEEPALIVES),
    windowProbes: trouble(WINDOW_PROBES),
    zeroWindows: trouble(ZERO_WINDOWS),
    finTime: [first(WHY_FIN, 0), first(WHY_FIN, 1)],
    finAckedTime: [first(WHY_ACK_OF_FIN, 1), first(WHY_ACK_OF_FIN, 0)],
    rstTime: [first(WHY_RST, 0), first(WHY_RST, 1)],
    lastTime,
    nextSeq: when(STARTED, NEXT),
    acked: when(ACK_SEEN, ACKED),
    window: pair((side) => window(store, at, side, announced[0] && announced[1])),
    windowScale: [announced[0] ? scale[0] : null, announced[1] ? scale[1] : null],
    ttl: [lastTime[0] === null ? null : ttl[0], lastTime[1] === null ? null : ttl[1]],
    direction: pair((side) => (words[sideOf(at, side) + SIDE_BITS]! >> DIRECTION_SHIFT) & DIRECTION_MASK),
    processes: pair((side) => processes[store.troubled(at, side, PROCESS) - 1] ?? null),
    duplicateSightings: words[at + DUPLICATES]!,
    connState: connState(store, at),
    history: historyText(store, at),
    completeness: (bits >> COMPLETENESS_SHIFT) & COMPLETENESS_MASK,
    encapsulation: encapsulations[words[at + PATH]! & 0xffff] ?? '',
    keyPackets,
    keyPacketsDropped: words[at + KEYS_DROPPED]!,
  };
}

function endpoint(words: Int32Array, at: number, side: number): Endpoint {
  const a = at + ADDRESS + side * 4;
  const ports = words[at + PORTS]!;
  return {
    address: formatWords(words[a]!, words[a + 1]!, words[a + 2]!, words[a + 3]!),
    port: side === 0 ? ports >>> 16 : ports & 0xffff,
  };
}

function timeOfLast(store: Store, at: number, side: number): SourceTime | null {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  return words[mine + PACKETS] === 0 ? null : (doubles[(mine + LAST_TIME) >> 1]! as SourceTime);
}

/** Window of the last packet that advertises one. SYNs are never scaled (RFC 7323 §2.2). */
function window(store: Store, at: number, side: number, areScaled: boolean): number | null {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) return null;
  const flags = words[mine + LAST_PACKET + PACKED_FLAGS]!;
  const own = (words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) + 1;
  const kept = flags & RST ? store.troubled(at, side, WINDOW_BEFORE_RST) : flags & SYN ? -own : own;
  if (kept === 0) return null;
  return kept > 0 && areScaled ? (kept - 1) << scaleOf(words, at, side) : Math.abs(kept) - 1;
}

function scaleOf(words: Int32Array, at: number, side: number): number {
  return (words[at + BITS]! >> (SCALE_SHIFT + side * 4)) & 15;
}

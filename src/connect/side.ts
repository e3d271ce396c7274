/** One side of a connection's record, as it was in the end; `at` is the record's. */
import { type Endpoint, formatWords } from '../model/address.ts';
import type { ClosedWindow, Repeats } from '../model/connection.ts';
import { RST, SYN } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import {
  ADDRESS,
  BITS,
  BYTES,
  CLOSED_BEFORE,
  KEEPALIVES,
  LAST_PACKET,
  LAST_TIME,
  PACKED_FLAGS,
  PACKED_WINDOW,
  PACKETS,
  PATH,
  PORTS,
  PROBES_BEFORE,
  REPEATS,
  REPEATS_LAST,
  REPEATS_SINCE,
  RST_AT,
  RSTS,
  SCALE_SEEN,
  SCALE_SHIFT,
  SIDE_BITS,
  TTL_SHIFT,
  WINDOW_BEFORE_RST,
  WINDOW_CLOSED_AT,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

export function endpointOf(store: Store, at: number, side: number): Endpoint {
  const words = store.connections.words;
  const a = at + ADDRESS + side * 4;
  const ports = words[at + PORTS]!;
  return {
    address: formatWords(words[a]!, words[a + 1]!, words[a + 2]!, words[a + 3]!),
    port: side === 0 ? ports >>> 16 : ports & 0xffff,
  };
}

export function bytesOf(store: Store, at: number, side: number): number {
  return store.connections.doubles[(sideOf(at, side) + BYTES) >> 1]!;
}

export function lastTimeOf(store: Store, at: number, side: number): SourceTime | null {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  return words[mine + PACKETS] === 0 ? null : (doubles[(mine + LAST_TIME) >> 1]! as SourceTime);
}

export function ttlOf(store: Store, at: number, side: number): number | null {
  const words = store.connections.words;
  if (words[sideOf(at, side) + PACKETS] === 0) return null;
  return (words[at + PATH]! >>> (TTL_SHIFT + side * 8)) & 0xff;
}

/** Window of the last packet that advertises one; of a record with its last packets. SYNs are never scaled (RFC 7323 §2.2). */
export function windowOf(store: Store, at: number, side: number): number | null {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) return null;
  const flags = words[mine + LAST_PACKET + PACKED_FLAGS]!;
  const own = (words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) + 1;
  const kept = flags & RST ? store.troubled(at, side, WINDOW_BEFORE_RST) : flags & SYN ? -own : own;
  if (kept === 0) return null;
  const isScaled = kept > 0 && announcesScale(words, at, 0) && announcesScale(words, at, 1);
  return isScaled ? (kept - 1) << scaleOf(words, at, side) : Math.abs(kept) - 1;
}

export function windowScaleOf(store: Store, at: number, side: number): number | null {
  const words = store.connections.words;
  return announcesScale(words, at, side) ? scaleOf(words, at, side) : null;
}

function announcesScale(words: Int32Array, at: number, side: number): boolean {
  return (words[sideOf(at, side) + SIDE_BITS]! & SCALE_SEEN) !== 0;
}

function scaleOf(words: Int32Array, at: number, side: number): number {
  return (words[at + BITS]! >> (SCALE_SHIFT + side * 4)) & 15;
}

export function rstTimeOf(store: Store, at: number, side: number): SourceTime | null {
  return store.troubled(at, side, RSTS) === 0 ? null : troubleTime(store, at, side, RST_AT);
}

export function repeatsOf(store: Store, at: number, side: number): Repeats | null {
  const count = store.troubled(at, side, REPEATS);
  if (count === 0) return null;
  const time = (word: number) => troubleTime(store, at, side, word);
  return { count, since: time(REPEATS_SINCE), last: time(REPEATS_LAST) };
}

/** Of a record with its last packets. */
export function closedWindowOf(store: Store, at: number, side: number): ClosedWindow | null {
  const answers = store.troubled(at, side, ZERO_WINDOWS) - store.troubled(at, side, CLOSED_BEFORE);
  if (answers === 0 || windowOf(store, at, side) !== 0) return null;
  const peer = otherSide(side);
  const probes = store.troubled(at, peer, KEEPALIVES) + store.troubled(at, peer, WINDOW_PROBES);
  return {
    since: troubleTime(store, at, side, WINDOW_CLOSED_AT),
    answers,
    probes: probes - store.troubled(at, side, PROBES_BEFORE),
  };
}

function troubleTime(store: Store, at: number, side: number, word: number): SourceTime {
  return store.troubles.doubles[(store.trouble(at, side) + word) >> 1]! as SourceTime;
}

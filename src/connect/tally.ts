/** Counts of what troubles a connection, and its silences; why a segment is kept for them. */
import { WHY_KEEPALIVE, WHY_RETRANSMIT, WHY_ZERO_WINDOW } from '../model/connection.ts';
import { NS_PER_MS, NS_PER_S } from '../model/time.ts';
import { AGAIN, KEEPS_ALIVE, PROBES, progressBefore } from './again.ts';
import { KEPT_OTHERS, KEPT_RETRANSMITS, SURPLUS } from './key-packets.ts';
import {
  CLOSED_BEFORE,
  KEEPALIVES,
  LAST_PACKET,
  LAST_TIME,
  OUT_OF_ORDER,
  PACKED_WINDOW,
  PACKETS,
  PROBES_BEFORE,
  REPEATS,
  REPEATS_LAST,
  REPEATS_SINCE,
  RETRANSMITS,
  SIDE_BITS,
  SILENCE,
  SILENCE_END,
  START,
  UNANSWERED_KEEPALIVES,
  WAS_KEEPALIVE,
  WINDOW_CLOSED_AT,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/** As much as 31 bits of milliseconds hold: 24 days from the first packet. */
const LATEST_SILENCE = 0x7fffffff;

/** Counts what classify() has named; why the segment is kept for it. */
export function tally(store: Store, at: number, side: number, what: number, time: number): number {
  if (what === AGAIN) return retransmit(store, at, side, time);
  if (what === KEEPS_ALIVE) return keepalive(store, at, side);
  store.count(at, side, what === PROBES ? WINDOW_PROBES : OUT_OF_ORDER);
  return 0;
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

export function keepalive(store: Store, at: number, side: number): number {
  store.connections.words[sideOf(at, side) + SIDE_BITS]! |= WAS_KEEPALIVE;
  store.count(at, side, UNANSWERED_KEEPALIVES);
  return store.count(at, side, KEEPALIVES) <= KEPT_OTHERS ? WHY_KEEPALIVE : SURPLUS;
}

/** To be asked before the packet is remembered as the side's last. */
export function zeroWindow(store: Store, at: number, side: number, time: number): number {
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

/** Something new is sent: after the longest silence so far? Shorter ones than a second are none. */
export function noteSilence(store: Store, at: number, time: number): void {
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

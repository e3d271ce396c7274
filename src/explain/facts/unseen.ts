/** What of a connection its capture lacks: nothing may be concluded from the silence of that. */
import type { Cases } from '../../model/case.ts';
import type { Pair, SideIndex, WireConnection } from '../../model/connection.ts';
import { HALF_OPEN, OPEN, UNANSWERED } from '../../model/outcome.ts';

/** No SYN of either side is in the file: what came before the first packet is unknown. */
export function startsMidStream({ isn }: Pick<WireConnection, 'isn'>): boolean {
  return isn[0] === null && isn[1] === null;
}

/** One side acknowledges what the other sent, of which no packet is in the file. */
export function isOneDirection({ packets, acked }: Pick<WireConnection, 'packets' | 'acked'>): boolean {
  return ([0, 1] as const).some((side) => packets[side] === 0 && acked[1 - side] !== null);
}

/**
 * Bytes (and a FIN) of a side that it sent and the file lacks: what lies between its initial number and the highest that
 * it sent or the other acknowledged, without what was seen. null where its SYN was not seen.
 */
export function unseenOf(wire: WireConnection, side: SideIndex): number | null {
  const of = <T>(pair: Pair<T>) => pair[side];
  const [isn, next, acked] = [of(wire.isn), of(wire.nextSeq), wire.acked[1 - side]!];
  if (isn === null || next === null) return null;
  const top = acked !== null && ((acked - next) | 0) > 0 ? acked : next;
  const fin = of(wire.fins) > 0 ? 1 : 0;
  return Math.max(0, (top - isn - 1 - fin - (of(wire.bytes) % 2 ** 32)) | 0);
}

/** What a filter for SYNs leaves: with or without those that answer one. null: there are others. */
export type OnlySyns = 'syns' | 'syns and syn-acks' | null;

export function onlySynsOf(cases: Cases, source: number): OnlySyns {
  let found: OnlySyns = 'syns';
  for (const n of cases.shownBy(source)) {
    const outcome = cases.outcome(n);
    if (outcome === HALF_OPEN && cases.captures.size === 1) found = 'syns and syn-acks';
    if (outcome === UNANSWERED || outcome === HALF_OPEN) continue;
    for (const { source: own, packets, syns, synAcks } of cases.at(n).wires) {
      if (own !== source) continue;
      if (([0, 1] as const).some((s) => packets[s] > syns[s] + synAcks[s])) return null;
      if (synAcks[0] + synAcks[1] > 0) found = 'syns and syn-acks';
    }
  }
  return found;
}

/** No connection of the capture shows both sides, and one shows that there is another. */
export function holdsOneDirection(cases: Cases, source: number): boolean {
  let found = false;
  for (const n of cases.shownBy(source)) {
    const outcome = cases.outcome(n);
    if (outcome === UNANSWERED) continue;
    // each of the other outcomes needs both
    if (outcome !== 0 && outcome !== OPEN && cases.captures.size === 1) return false;
    for (const wire of cases.at(n).wires) {
      if (wire.source !== source) continue;
      if (wire.packets[0] > 0 && wire.packets[1] > 0) return false;
      found ||= isOneDirection(wire);
    }
  }
  return found;
}

/** Connections that are looked at for what a capture lacks, and how many of them, at least and as a share, make it one with holes. */
const LOOKED_AT = 500;
const FEWEST = 3;
const SHARE = 0.02;

/** A tap, a busy disk or a ring buffer lost frames: of several connections something was acknowledged that is not there. */
export function lacksFrames(cases: Cases, source: number): boolean {
  const own = cases.shownBy(source);
  const step = Math.max(1, Math.floor(own.length / LOOKED_AT));
  let [all, holed] = [0, 0];
  for (let i = 0; i < own.length; i += step)
    for (const wire of cases.at(own[i]!).wires) {
      if (wire.source !== source || wire.isn[0] === null || wire.isn[1] === null) continue;
      all++;
      if (([0, 1] as const).some((side) => (unseenOf(wire, side) ?? 0) > 0)) holed++;
    }
  return holed >= FEWEST && holed >= all * SHARE;
}

/**
 * One connection as a picture: the ends as two lanes with their TCP states, packets as arrows between them, what else
 * happened as marks beside them, on an axis from which idle time is cut out. Positions run from 0 to 100.
 */

import { type BrokenAxis, brokenAxis } from '../charts/broken-axis.ts';
import { visible } from '../model/visible.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import type { TimelineItem } from '../tables/result.ts';
import type { Ladder, Step } from '../view/ladder.ts';
import { impliedStates, parsePacket } from './wire-states.ts';

export type End = 'client' | 'server';

/** A state of one end, from one change to the next. */
export interface Bar {
  end: End;
  state: string;
  x: number;
  x2: number;
  /** Nanoseconds; null on an axis of order alone. */
  lasted: number | null;
  /** It lasted longer than the evidence. */
  open: boolean;
  /** No kernel said so: the packets imply it. */
  implied: boolean;
  /** Index of the step that began it. */
  step: number;
}

export interface Arrow {
  from: End;
  /** Where it was sent, and where it came in: the same place unless two captures show it. */
  x: number;
  x2: number;
  label: string;
  alarming: boolean;
  /** It did not arrive. */
  lost: boolean;
  step: number;
}

export interface Mark {
  lane: End | 'listener';
  x: number;
  label: string;
  alarming: boolean;
  step: number;
}

export interface Lanes {
  row: ConnectionRow;
  /** What the axis counts: nanoseconds since the first step, since each socket's own first state, or steps in order. */
  basis: 'time' | 'own' | 'order';
  axis: BrokenAxis;
  bars: Bar[];
  arrows: Arrow[];
  marks: Mark[];
  /** Steps that have no place on the axis. */
  unplaced: number;
}

interface Placed {
  step: Step;
  index: number;
  /** On the axis, before it is broken: first and last sighting. */
  from: number;
  to: number;
}

/** Null when fewer than two steps can be put on an axis. */
export function lanesOf(ladder: Ladder): Lanes | null {
  const { steps } = ladder;
  const timed = steps.some((s) => s.places.some((p) => p.offset !== null));
  const placed = steps.flatMap((step, index) => placeOf(step, index, timed));
  if (placed.length < 2) return null;
  const axis = brokenAxis(placed.flatMap((p) => [p.from, p.to]));
  return {
    row: ladder.row,
    basis: !timed ? 'order' : ladder.begins === '' ? 'own' : 'time',
    axis,
    bars: [...barsOf(placed, 'client', axis, timed), ...barsOf(placed, 'server', axis, timed)],
    arrows: placed.filter(({ step }) => step.lane.startsWith('from-')).map((p) => arrowOf(p, axis)),
    marks: placed.flatMap((p) => markOf(p, axis)),
    unplaced: steps.length - placed.length,
  };
}

function placeOf(step: Step, index: number, timed: boolean): Placed[] {
  if (!timed) return [{ step, index, from: index, to: index }];
  const offsets = step.places.flatMap((p) => (p.offset === null ? [] : [p.offset]));
  if (offsets.length === 0) return [];
  const from = Math.min(...offsets);
  // of what is no packet, a second source only tells again
  return [{ step, index, from, to: step.item.kind === 'packet' ? Math.max(...offsets) : from }];
}

/** None in CLOSE, when the socket is gone. */
function barsOf(placed: readonly Placed[], end: End, axis: BrokenAxis, timed: boolean): Bar[] {
  const told = changesOf(placed, end);
  const implied = told.length === 0;
  const changes = implied ? impliedChanges(placed, end) : told;
  const last = placed.reduce((n, p) => Math.max(n, p.to), 0);
  return changes.flatMap(({ state, from, index }, i) => {
    if (state === 'CLOSE') return [];
    const next = changes[i + 1];
    const to = next?.from ?? Math.max(last, from);
    const lasted = timed ? to - from : null;
    const open = next === undefined;
    return [{ end, state, x: axis.x(from), x2: axis.x(to), lasted, open, implied, step: index }];
  });
}

interface Change {
  state: string;
  from: number;
  index: number;
}

function changesOf(placed: readonly Placed[], end: End): Change[] {
  return placed
    .filter(({ step }) => step.item.kind === 'state' && step.lane === end)
    .sort((a, b) => a.from - b.from)
    .map(({ step, from, index }) => ({ state: step.item.stateAfter, from, index }));
}

function impliedChanges(placed: readonly Placed[], end: End): Change[] {
  const seen = placed
    .flatMap((p) => {
      if (p.step.item.kind !== 'packet') return [];
      const sent = p.step.lane === `from-${end}`;
      const packet = parsePacket(p.step.item.what, sent);
      return packet ? [{ packet, from: sent ? p.from : p.to, index: p.index }] : [];
    })
    .sort((a, b) => a.from - b.from || a.index - b.index);
  const states = impliedStates(seen.map((s) => s.packet));
  return seen.flatMap(({ from, index }, i) => {
    const state = states[i] ?? null;
    return state === null || state === states[i - 1] ? [] : [{ state, from, index }];
  });
}

function arrowOf({ step, index, from, to }: Placed, axis: BrokenAxis): Arrow {
  const end: End = step.lane === 'from-client' ? 'client' : 'server';
  const { alarming, lost } = step;
  return {
    from: end,
    x: axis.x(from),
    x2: axis.x(to),
    label: `${packetLabel(step.item)}${lost ? ' ✗' : ''}`,
    alarming,
    lost,
    step: index,
  };
}

/** `SYN`, `FIN|ACK`, `PSH|ACK 120 B`: what has room at an arrow. */
function packetLabel({ what, kind }: TimelineItem): string {
  const match = /^([A-Z|]+)(?:, (\d+) bytes)?/.exec(what);
  if (!match) return kind;
  return match[2] ? `${match[1]} ${match[2]} B` : match[1]!;
}

function markOf({ step, index, from }: Placed, axis: BrokenAxis): Mark[] {
  const { lane, item, alarming } = step;
  if (item.kind === 'state' || lane === 'from-client' || lane === 'from-server') return [];
  return [{ lane, x: axis.x(from), label: markLabel(step), alarming, step: index }];
}

function markLabel({ item, who }: Step): string {
  switch (item.kind) {
    case 'drop':
      return visible(item.what.replace(/^(dropped \S+).*$/s, '$1'));
    case 'socket':
      return `${item.stateAfter} in a table`;
    case 'call':
      return visible(`${item.what} ${who}`.trim());
    case 'reset':
      return visible(item.what.replace(/^sends (?=RST)/, '').replace(/,? (?:in answer|\().*$/s, ''));
    case 'walk':
      return visible(item.what.replace(/^(error \d+).*$/s, '$1').split(/[:,(]/, 1)[0]!);
    case 'listener':
      if (item.measures?.acceptQueue !== undefined) {
        const { acceptQueue, acceptLimit } = item.measures;
        return `queue ${acceptQueue}${acceptLimit === undefined ? '' : `/${acceptLimit}`}`;
      }
      if (item.stateAfter !== '') return visible(`${item.stateBefore} → ${item.stateAfter}`);
      return visible(item.what.split(/[ ,(:]/, 1)[0]!);
    default:
      return visible(item.what.split(/[ ,(:]/, 1)[0]!);
  }
}

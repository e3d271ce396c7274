/** Steps of counters: what was added between two readings. */
import type { CounterSeries } from '../../model/case.ts';
import type { CounterEvent } from '../../model/table-event.ts';
import { byName, memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { PREEMPTED } from './timing.ts';
import type { World } from './world.ts';

/** A counter between two readings of one series. */
export interface Step {
  series: CounterSeries;
  name: string;
  /** The reading before; null where the file holds none. */
  since: CounterEvent | null;
  reading: CounterEvent;
  from: number;
  to: number;
  delta: number;
}

const stepsBySeries = memoised((series: CounterSeries) => byName((name) => findSteps(series, name)));

/** The steps of one counter through a series. One reading makes no step: it is a total since boot. */
export function stepsOf(series: CounterSeries, name: string): readonly Step[] {
  return stepsBySeries(series)(name);
}

/** Over all readings: what of it one connection can have raised, riseWithin() says. */
export const riseBySeries = memoised((series: CounterSeries) =>
  byName((name) => {
    const steps = stepsOf(series, name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }),
);

/** The earliest and the latest moment at which something may have been counted. */
export type Spell = readonly [first: Moment, last: Moment];

/** Without times on one clock nothing says whether two readings bracket a moment. */
type Bracketed = 'yes' | 'no' | 'unknown';

/**
 * Whether a spell touches the time from one reading to another, give or take the error of the clocks and the time that
 * reading /proc takes (its own time is that of its begin or its end).
 */
export function brackets(
  world: World,
  since: CounterEvent | null,
  until: CounterEvent,
  [first, last]: Spell,
): Bracketed {
  if (first.at === null && last.at === null) return 'unknown';
  const slack = PREEMPTED + world.clockError(until.source, last.source);
  const began = since && world.between(world.momentOf(since), last);
  const ended = world.between(world.momentOf(until), first);
  if ((began !== null && began > slack) || (ended !== null && ended < -slack)) return 'no';
  return began === null || ended === null ? 'unknown' : 'yes';
}

/** What the steps of a counter say of spells in which it may have risen. */
export interface Rise {
  /** Those that rose and are not known to lie outside. */
  steps: readonly Step[];
  sum: number;
  /** Their readings are known to bracket a spell: without times they are context, and no more. */
  timed: boolean;
  /** Nothing says that the first reading came after a spell began, or the last before one ended: that none was counted shows. */
  covered: boolean;
}

/** null when no series has steps of the counter, or none of them reaches the spells. */
export function riseWithin(
  world: World,
  all: readonly CounterSeries[],
  name: string,
  spells: readonly Spell[],
): Rise | null {
  const reaching = all.filter((series) => {
    const [first, last] = ends(stepsOf(series, name));
    return first && last && spells.some((s) => brackets(world, first.since, last.reading, s) !== 'no');
  });
  if (reaching.length === 0) return null;
  let timed = false;
  const steps = reaching
    .flatMap((series) => risingOf(series)(name))
    .filter((step) => {
      const found = spells.map((spell) => brackets(world, step.since, step.reading, spell));
      timed ||= found.includes('yes');
      return found.some((b) => b !== 'no');
    });
  const covered = reaching.some((series) => {
    const [first, last] = ends(stepsOf(series, name));
    return spells.every((spell) => isCovered(world, first!, last!, spell));
  });
  return { steps, sum: steps.reduce((sum, s) => sum + s.delta, 0), timed, covered };
}

function isCovered(world: World, first: Step, last: Step, [begin, end]: Spell): boolean {
  const begun = first.since && world.between(world.momentOf(first.since), begin);
  const ended = world.between(world.momentOf(last.reading), end);
  return (begun ?? 0) <= 0 && (ended ?? 0) >= 0;
}

function ends(steps: readonly Step[]): [Step | undefined, Step | undefined] {
  return [steps[0], steps.at(-1)];
}

const risingOf = memoised((series: CounterSeries) =>
  byName((name) => stepsOf(series, name).filter((s) => s.delta > 0)),
);

function findSteps(series: CounterSeries, name: string): Step[] {
  const steps: Step[] = [];
  let previous: number | null = null;
  let since: CounterEvent | null = null;
  for (const reading of series.readings) {
    const value = reading.values.get(name);
    if (value === undefined) continue;
    if (reading.delta) steps.push({ series, name, since, reading, from: 0, to: value, delta: value });
    else if (previous !== null && value >= previous) {
      steps.push({ series, name, since, reading, from: previous, to: value, delta: value - previous });
    }
    if (!reading.delta) previous = value;
    since = reading;
  }
  return steps;
}

/** Totals since boot only grow, so their sum puts readings without a common clock in order. */
export function mergeByHost(all: readonly CounterSeries[]): CounterSeries[] {
  const merged: CounterSeries[] = [];
  for (const series of all) {
    const totals = series.readings.every((r) => !r.delta);
    const same = merged.find(
      (m) =>
        totals &&
        series.host !== null &&
        m.host === series.host &&
        m.source.format === series.source.format &&
        m.readings.every((r) => !r.delta),
    );
    if (!same) merged.push({ ...series, readings: [...series.readings] });
    else same.readings = [...same.readings, ...series.readings].sort((a, b) => total(a) - total(b));
  }
  return merged;
}

function total(reading: CounterEvent): number {
  let sum = 0;
  for (const value of reading.values.values()) sum += value;
  return sum;
}

/** Steps of counters: what was added between two readings. */
import type { CounterSeries } from '../../model/case.ts';
import type { CounterEvent } from '../../model/event.ts';
import { byName, memoised } from '../memo.ts';

/** A counter between two readings of one series. */
export interface Step {
  series: CounterSeries;
  name: string;
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

export const riseBySeries = memoised((series: CounterSeries) =>
  byName((name) => {
    const steps = stepsOf(series, name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }),
);

function findSteps(series: CounterSeries, name: string): Step[] {
  const steps: Step[] = [];
  let previous: number | null = null;
  for (const reading of series.readings) {
    const value = reading.values.get(name);
    if (value === undefined) continue;
    if (reading.delta) steps.push({ series, name, reading, from: 0, to: value, delta: value });
    else if (previous !== null && value >= previous) {
      steps.push({ series, name, reading, from: previous, to: value, delta: value - previous });
    }
    if (!reading.delta) previous = value;
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

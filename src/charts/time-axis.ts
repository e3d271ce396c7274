/**
 * Equal steps of time as Vega-Lite draws them: wall-clock times as instants in UTC, a clock without day as such of 1970,
 * others in seconds. A Date holds milliseconds: finer steps are counted from the first.
 */
import type { Picture } from '../model/incident.ts';

interface StepAxis {
  /** Where step `i` begins and ends, as `field` of the data. */
  at(i: number): { from: number; to: number };
  /** Channels from `from` to `to`. */
  x: { x: object; x2: object };
}

export function stepAxis({ from, clock, step }: Pick<Picture, 'from' | 'clock' | 'step'>): StepAxis {
  const x2 = { field: 'to' };
  if (step < 0.001) {
    const title = `ms after ${from.replace('T', ' ').replace(/Z$/, ' UTC')}${clock === 'wall' ? ' by the local clock of the logs' : ''}`;
    const after = (i: number) => i * step * 1000;
    return {
      at: (i) => ({ from: after(i), to: after(i + 1) }),
      x: { x: { field: 'from', type: 'quantitative', title }, x2 },
    };
  }
  const format = step < 0.5 ? '%H:%M:%S.%L' : step < 900 ? '%H:%M:%S' : '%m-%d %H:%M';
  const isDated = clock === 'utc' || /T/.test(from);
  const start =
    clock === 'relative' ? Number(from) * 1000 : Date.parse(isDated ? utc(from) : `1970-01-01T${utc(from)}`);
  const isSeconds = clock === 'relative' || Number.isNaN(start);
  const begin = Number.isNaN(start) ? 0 : start;
  const scale = isSeconds ? 1 / 1000 : 1;
  const title = clock === 'utc' ? 'UTC' : clock === 'wall' ? 'local clock of the logs' : 'seconds';
  return {
    at: (i) => ({ from: (begin + i * step * 1000) * scale, to: (begin + (i + 1) * step * 1000) * scale }),
    x: {
      x: isSeconds
        ? { field: 'from', type: 'quantitative', title, scale: { zero: false } }
        : { field: 'from', type: 'temporal', title, scale: { type: 'utc' }, axis: { format, tickCount: 6 } },
      x2,
    },
  };
}

/** To the millisecond, which is what a Date holds. */
function utc(time: string): string {
  return `${time
    .replace(/Z$/, '')
    .replace(/(\.\d{3})\d+/, '$1')
    .replace(/ \(.*\)$/, '')}Z`;
}

/** Steps in which something was counted: fewer than three make no picture. */
export function isPicture(rows: readonly (readonly number[])[]): boolean {
  const filled = new Set(rows.flatMap((counts) => counts.flatMap((n, i) => (n > 0 ? [i] : []))));
  return filled.size >= 3;
}

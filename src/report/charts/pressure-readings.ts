/** The panels of `listener-pressure` that show readings: overflow counters, and accept queues against their limits. */
import type { TimelineItem } from '../../model/result.ts';
import { shortened } from '../escape.ts';
import { onAxis } from './axis-layers.ts';
import { INK } from './chart.ts';
import { ACCENT, SECOND } from './palette.ts';

/** An item with its place on the x axis. */
export interface Placed {
  item: TimelineItem;
  signal: string | null;
  x: number;
}

interface Reading {
  x: number;
  series: string;
  value: number;
}

const LINE_COLORS = [ACCENT, SECOND, '#009e73', '#cc79a7', '#e69f00', '#7f7f7f'];

/** Each panel with the words that describe it. */
export function readingPanels(placed: readonly Placed[]): { panel: object; words: string }[] {
  const counters = sameMerged(counterReadings(placed));
  const queues = queueReadings(placed);
  const limits = queueReadings(placed, 'acceptLimit');
  const panels = [];
  if (counters.length > 0) {
    const names = [...new Set(counters.map((c) => c.series))].join(', ');
    panels.push({ panel: linePanel('counter', counters, []), words: `readings of ${names}` });
  }
  if (queues.length > 0) {
    const against = limits.length > 0 ? ' against its limit' : '';
    panels.push({ panel: linePanel('in accept queue', queues, limits), words: `the accept queue${against}` });
  }
  return panels;
}

function counterReadings(placed: readonly Placed[]): Reading[] {
  return placed.flatMap(({ item, x }) =>
    item.kind !== 'counter'
      ? []
      : Object.entries(item.measures ?? {}).map(([series, value]) => ({ x, series, value })),
  );
}

function queueReadings(
  placed: readonly Placed[],
  measure: 'acceptQueue' | 'acceptLimit' = 'acceptQueue',
): Reading[] {
  return placed.flatMap(({ item, x }) => {
    const value = item.measures?.[measure];
    if (item.kind !== 'listener' || value === undefined) return [];
    const listener = /^listener (\S+):/.exec(item.what)?.[1] ?? 'listener';
    return [{ x, series: shortened(listener, 50), value }];
  });
}

/** Counters that always read the same (ListenOverflows and ListenDrops usually do) share one line. */
function sameMerged(readings: readonly Reading[]): Reading[] {
  const shapes = new Map<string, string[]>();
  for (const name of new Set(readings.map((r) => r.series))) {
    const shape = JSON.stringify(readings.filter((r) => r.series === name).map((r) => [r.x, r.value]));
    const names = shapes.get(shape);
    if (names) names.push(name);
    else shapes.set(shape, [name]);
  }
  const merged = new Map([...shapes.values()].map((names) => [names[0]!, names.join(' = ')]));
  return readings.flatMap((r) => (merged.has(r.series) ? [{ ...r, series: merged.get(r.series)! }] : []));
}

function linePanel(title: string, readings: readonly Reading[], limits: readonly Reading[]): object {
  const domain = [...new Set(readings.map((r) => r.series))];
  const color = {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain, range: domain.map((_, i) => LINE_COLORS[i % LINE_COLORS.length]) },
    legend: { orient: 'top', columns: 3, symbolType: 'stroke', offset: 16 },
  };
  const y = {
    field: 'value',
    type: 'quantitative',
    title,
    scale: { zero: title !== 'counter', nice: true, padding: 4 },
    axis: { tickMinStep: 1, tickCount: 4, format: ',d' },
  };
  const labelled = readings.length <= 12;
  return {
    height: 90,
    layer: [
      {
        data: { values: readings },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
        encoding: { x: onAxis('x'), y, color },
      },
      {
        data: { values: readings },
        mark: { type: 'circle', size: labelled ? 60 : 16, opacity: 1 },
        encoding: { x: onAxis('x'), y, color },
      },
      ...(labelled ? [valueLabels(readings, y)] : []),
      ...(limits.length > 0 ? [limitLine(limits, y)] : []),
    ],
  };
}

function valueLabels(readings: readonly Reading[], y: object): object {
  return {
    data: { values: readings },
    mark: { type: 'text', dy: -10 },
    encoding: { x: onAxis('x'), y, text: { field: 'value', type: 'quantitative', format: ',d' } },
  };
}

function limitLine(limits: readonly Reading[], y: object): object {
  return {
    data: { values: limits },
    mark: { type: 'line', interpolate: 'step-after', color: INK, strokeDash: [5, 4] },
    encoding: { x: onAxis('x'), y, detail: { field: 'series', type: 'nominal' } },
  };
}

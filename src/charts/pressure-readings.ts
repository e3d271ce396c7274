/** The panels of `listener-pressure` that show readings: overflow counters, and accept queues against their limits. */
import type { Result, TimelineItem } from '../tables/result.ts';
import { shortened } from '../view/escape.ts';
import { onAxis } from './axis-layers.ts';
import { INK } from './chart.ts';
import { ACCENT, SECOND } from './palette.ts';

/** An item with its place on the x axis. */
export interface Placed {
  item: TimelineItem;
  signal: string | null;
  x: number;
  /** Number of its source where its time is not known, else 0: only readings of one line may be joined. */
  line: number;
}

interface Reading {
  x: number;
  series: string;
  value: number;
  line: number;
}

const LINE_COLORS = [ACCENT, SECOND, '#009e73', '#cc79a7', '#e69f00', '#7f7f7f'];

/** Each panel with the words that describe it. */
export function readingPanels(
  placed: readonly Placed[],
  { inputs }: Result,
): { panel: object; words: string }[] {
  const hosts = new Map(inputs.map((i) => [i.name, i.host]));
  const counters = sameMerged(telling(counterReadings(placed, (source) => hosts.get(source) ?? '')));
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

/** `hostOf`: the host whose counters a source shows, or ''; named where there are several. */
function counterReadings(placed: readonly Placed[], hostOf: (source: string) => string): Reading[] {
  const counters = placed.filter(({ item }) => item.kind === 'counter' && item.measures !== undefined);
  const several = new Set(counters.map(({ item }) => hostOf(item.source))).size > 1;
  return counters.flatMap(({ item, x, line }) => {
    const host = several ? ` ${shortened(hostOf(item.source) || '(host not known)', 40)}` : '';
    return Object.entries(item.measures!).map(([name, value]) => ({
      x,
      series: name + host,
      value,
      line,
    }));
  });
}

/** Counters that rose, or that have one reading which is not 0: the others say nothing of pressure. */
function telling(readings: readonly Reading[]): Reading[] {
  const bySeries = new Map<string, Set<number>>();
  for (const { series, value } of readings)
    bySeries.set(series, (bySeries.get(series) ?? new Set()).add(value));
  const count = (series: string) => readings.filter((r) => r.series === series).length;
  const quiet = new Set(
    [...bySeries]
      .filter(([name, v]) => (v.has(0) ? v.size === 1 : v.size === 1 && count(name) > 1))
      .map(([n]) => n),
  );
  return readings.filter((r) => !quiet.has(r.series));
}

function queueReadings(
  placed: readonly Placed[],
  measure: 'acceptQueue' | 'acceptLimit' = 'acceptQueue',
): Reading[] {
  return placed.flatMap(({ item, x, line }) => {
    const value = item.measures?.[measure];
    if (item.kind !== 'listener' || value === undefined) return [];
    const listener = /^listener (\S+):/.exec(item.what)?.[1] ?? 'listener';
    return [{ x, series: shortened(listener, 50), value, line }];
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
        encoding: { x: onAxis('x'), y, color, detail: { field: 'line', type: 'nominal' } },
      },
      {
        data: { values: readings },
        mark: { type: 'circle', size: labelled ? 60 : 16, opacity: 1 },
        encoding: { x: onAxis('x'), y, color },
      },
      ...(labelled ? [valueLabels(readings, y)] : []),
      ...(limits.length > 0 ? limitLayers(limits, y) : []),
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

/** A dash at every reading of the limit, joined where their order is known; named at the last one. */
function limitLayers(limits: readonly Reading[], y: object): object[] {
  const x = onAxis('x');
  const named = [...new Map(limits.map((l) => [l.series, { ...l, text: `limit ${l.value}` }])).values()];
  const detail = [
    { field: 'series', type: 'nominal' },
    { field: 'line', type: 'nominal' },
  ];
  const line = { type: 'line', interpolate: 'step-after', color: INK, strokeDash: [5, 4] };
  const dash = { type: 'tick', orient: 'horizontal', size: 12, thickness: 2, color: INK };
  const text = { type: 'text', align: 'right', dy: 10, dx: 6, fontStyle: 'italic' };
  return [
    { data: { values: limits }, mark: line, encoding: { x, y, detail } },
    { data: { values: limits }, mark: dash, encoding: { x, y } },
    { data: { values: named }, mark: text, encoding: { x, y, text: { field: 'text', type: 'nominal' } } },
  ];
}

import type { Result, TimelineItem } from '../tables/result.ts';
import { isStray } from '../view/ladder.ts';
import { shareShown } from '../view/words.ts';
import { axisLabels, breakBands, onAxis, tickLines } from './axis-layers.ts';
import { type BrokenAxis, brokenAxis, ONE_CUT } from './broken-axis.ts';
import { type ChartBuilder, chart, FAINT, INK, sizeLegend, WIDTH } from './chart.ts';
import { ACCENT, SECOND } from './palette.ts';
import { type Placed, readingPanels } from './pressure-readings.ts';
import { tally } from './tally.ts';

/** Signs of pressure that single events give, top to bottom; those in the accent colour are the bad ones. */
const SIGNALS = [
  ['SYN', SECOND],
  ['SYN again', ACCENT],
  ['SYN-ACK', SECOND],
  ['SYN-ACK again', ACCENT],
  ['queued to be accepted', SECOND],
  ['accepted', SECOND],
  ['packet dropped', ACCENT],
  ['listener opened', SECOND],
  ['listener closed', ACCENT],
] as const;

type Signal = (typeof SIGNALS)[number][0];

/** SYNs, retries, drops, overflow counters and accept queue, over time or in order. */
export const listenerPressure: ChartBuilder = {
  id: 'listener-pressure',
  build(result) {
    const relevant = relevantItems(result);
    if (relevant.length === 0) return null;
    const { axis, placed, gutter } = placeItems(relevant);
    const signals = placed.filter((p) => p.signal !== null);
    const readings = readingPanels(placed, result);
    const panels = [...(signals.length > 0 ? [signalPanel(signals)] : []), ...readings.map((r) => r.panel)];
    const framed = panels.map((panel, i) => frame(panel, axis, gutter, i === 0, i === panels.length - 1));
    const cut = axis && axis.breaks.length > 0 ? '; waits without any are cut out (//)' : '';
    const subtitle = [
      axis ? `Time since the first of these events${cut}.` : 'In order; no time is known.',
      ...(axis && gutter > 0 ? ['Left of the line: readings whose time is not known, in their order.'] : []),
      ...shareShown(result),
    ];
    const said = [...new Set(signals.map((s) => s.signal))].join(', ');
    const parts = [said && `how often and when: ${said}`, ...readings.map((r) => r.words)].filter(Boolean);
    const description = `What the listener went through, ${parts.join('; ')}.`;
    const body = { vconcat: framed, spacing: 24, resolve: { scale: { color: 'independent' } } };
    return chart('listener-pressure', 'Pressure on the listener', description, body, subtitle);
  },
};

interface Relevant {
  item: TimelineItem;
  signal: Signal | null;
}

function relevantItems(result: Result): Relevant[] {
  const packets = new HandshakePackets();
  const relevant: Relevant[] = [];
  for (const item of result.timeline) {
    const signal = item.kind === 'packet' ? packets.signalOf(item) : signalOf(item);
    if (signal !== null || hasReading(item)) relevant.push({ item, signal });
  }
  return relevant;
}

function hasReading(item: TimelineItem): boolean {
  return item.measures !== undefined && (item.kind === 'counter' || item.kind === 'listener');
}

/** Tells first SYNs and SYN-ACKs from repeated ones; of several captures, counts the first that shows a connection. */
class HandshakePackets {
  readonly #source = new Map<string, string>();
  readonly #before = new Set<string>();

  signalOf(item: TimelineItem): Signal | null {
    const flags = /^(SYN\|ACK|SYN)(?=,)/.exec(item.what)?.[1];
    if (!flags) return null;
    const source = this.#source.get(item.connection) ?? item.source;
    this.#source.set(item.connection, source);
    if (source !== item.source) return null;
    const key = `${item.connection} ${item.side} ${flags}`;
    const again = this.#before.has(key);
    this.#before.add(key);
    if (flags === 'SYN') return again ? 'SYN again' : 'SYN';
    return again ? 'SYN-ACK again' : 'SYN-ACK';
  }
}

function signalOf(item: TimelineItem): Signal | null {
  switch (item.kind) {
    case 'drop':
      return isStray(item) ? null : 'packet dropped';
    case 'call':
      return item.what.startsWith('accept') ? 'accepted' : null;
    case 'state':
      return item.stateBefore === 'LISTEN' && item.stateAfter === 'SYN_RECV' ? 'queued to be accepted' : null;
    case 'listener':
      if (item.stateBefore === item.stateAfter) return null;
      if (item.stateBefore === 'LISTEN') return 'listener closed';
      return item.stateBefore !== '' && item.stateAfter === 'LISTEN' ? 'listener opened' : null;
    default:
      return null;
  }
}

const GUTTER_STEP = 4;
const GUTTER_MAX = 30;
/** More distinct moments than this are rounded to a grid first. */
const MAX_MOMENTS = 4000;

/** Timed items on a broken axis, the others in their order in a gutter to its left (all of it without any time). */
function placeItems(relevant: readonly Relevant[]): {
  axis: BrokenAxis | null;
  placed: Placed[];
  gutter: number;
} {
  const clock = commonClock(relevant);
  const timed = (r: Relevant) => r.item.at !== null && r.item.clock === clock;
  const untimed = relevant.filter((r) => !timed(r));
  const times = relevant.filter(timed).map((r) => r.item.at!);
  const zero = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const end = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const grid = times.length > MAX_MOMENTS ? (end - zero) / MAX_MOMENTS : 1;
  const moment = (at: number) => Math.round((at - zero) / grid) * grid;
  const gutter = times.length === 0 ? 100 : Math.min(GUTTER_MAX, GUTTER_STEP * untimed.length);
  const axis =
    times.length === 0
      ? null
      : brokenAxis(times.map(moment), { start: gutter === 0 ? 0 : gutter + 2, ...ONE_CUT });
  const sources = [...new Set(untimed.map((r) => r.item.source))];
  const ranks = new Map(untimed.map((r, i) => [r, ((i + 0.5) / untimed.length) * gutter]));
  const placed = relevant.map((r) => ({
    ...r,
    x: ranks.get(r) ?? axis!.x(moment(r.item.at!)),
    line: ranks.has(r) ? sources.indexOf(r.item.source) + 1 : 0,
  }));
  return { axis, placed, gutter };
}

/** The clock that times most of the items: times of different clocks cannot share an axis. */
function commonClock(relevant: readonly Relevant[]): string {
  const counts = new Map<string, number>();
  for (const { item } of relevant) {
    if (item.at !== null) counts.set(item.clock, (counts.get(item.clock) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

/** Events closer together than this are one symbol with a number. */
const BIN = 0.8;
/** With so many events that symbols would hide each other, further apart. */
const MANY = 200;
const WIDE_BIN = 2.5;

function signalPanel(placed: readonly Placed[]): object {
  const width = placed.length > MANY ? WIDE_BIN : BIN;
  const rows = placed.map((p) => ({ signal: p.signal, bin: Math.round(p.x / width) * width }));
  const values = tally(rows, 'events');
  const seen = SIGNALS.filter(([name]) => placed.some((p) => p.signal === name));
  const domain = seen.map(([name]) => name);
  return {
    height: { step: 22 },
    layer: [
      {
        data: { values },
        mark: { type: 'circle', opacity: 0.9, stroke: INK, strokeWidth: 0.4 },
        encoding: {
          x: onAxis('bin'),
          y: {
            field: 'signal',
            type: 'nominal',
            scale: { domain },
            title: null,
            axis: { ticks: false, domain: false, labelPadding: 14 },
          },
          size: {
            field: 'events',
            type: 'quantitative',
            title: 'events',
            scale: { type: 'sqrt', range: [50, 420], domainMin: 1 },
            legend: sizeLegend(values.map((v) => v.events)),
          },
          color: {
            field: 'signal',
            type: 'nominal',
            scale: { domain, range: seen.map(([, color]) => color) },
            legend: null,
          },
        },
      },
    ],
  };
}

function frame(
  panel: object,
  axis: BrokenAxis | null,
  gutter: number,
  first: boolean,
  last: boolean,
): object {
  const { layer, ...rest } = panel as { layer: object[] };
  const shown =
    axis && gutter > 0 && last
      ? { ...axis, ticks: [{ x: gutter / 2, label: 'no time' }, ...axis.ticks] }
      : axis;
  const separator = {
    data: { values: [{ x: gutter + 1 }] },
    mark: { type: 'rule', color: FAINT, strokeWidth: 2 },
    encoding: { x: onAxis('x'), y: { value: 0 }, y2: { value: 'height' } },
  };
  return {
    width: WIDTH,
    ...rest,
    layer: [
      ...(axis ? [tickLines(axis.ticks)] : []),
      ...(axis ? breakBands(axis) : []),
      ...layer,
      ...(axis && gutter > 0 ? [separator] : []),
      ...(shown ? axisLabels(shown, { breaks: first, ticks: last }) : []),
    ],
  };
}

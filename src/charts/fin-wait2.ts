import { formatSpan } from '../align/format-time.ts';
import { binOf, LEAST_SECONDS } from '../explain/facts/durations.ts';
import type { Durations } from '../model/result.ts';
import type { Result, TimelineItem } from '../tables/result.ts';
import { shortened } from '../view/escape.ts';
import { counted, shareShown } from '../view/words.ts';
import { type ChartBuilder, chart, INK, PAPER, sizeLegend, WIDTH } from './chart.ts';
import { LABELS, TICKS } from './log-time.ts';
import { CONFIDENCE_COLORS } from './palette.ts';
import { tally } from './tally.ts';

/** More connections than this are counted in bins instead of drawn one by one. */
const LIMIT = 40;

const MEASURES = [
  ['FIN_WAIT1 in the kernel', '#e69f00', 'square'],
  ['FIN_WAIT2 in the full socket', '#0072b2', 'circle'],
  ['FIN_WAIT2 on the wire', '#d55e00', 'diamond'],
] as const;

interface Span {
  connection: string;
  measure: (typeof MEASURES)[number][0];
  seconds: number;
}

/** How long the side that closed first waited, by the kernel's state events and by the packets. */
export const finWait2: ChartBuilder = {
  id: 'fin-wait2',
  build(result) {
    const spans = spansOf(result);
    const counts = countedOf(result);
    // one dot is no picture
    if (spans.length < 3 && counts.length === 0) return null;
    // those of which both are known are in both
    const most = counts.reduce(
      (sofar, { bins }) =>
        Math.max(
          sofar,
          bins.reduce((sum, b) => sum + b.connections, 0),
        ),
      0,
    );
    const connections = new Set(spans.map((s) => s.connection)).size + most;
    const description = `${words(spans, counts)}, for ${counted(connections, 'connection')}, on a logarithmic scale from microseconds to minutes.`;
    const drawn = spans.map((s) => ({ ...s, seconds: Math.max(s.seconds, ZERO) }));
    const body = connections <= LIMIT ? each(drawn, result) : binned(drawn, counts);
    const subtitle = [
      'The full socket leaves FIN_WAIT2 at once when the process has closed it; a timewait socket stays in it.',
      ...(connections > LIMIT
        ? [`${counted(connections, 'connection')}, counted in four bins a decade`]
        : []),
      ...(spans.some((s) => s.measure === MEASURES[0][0])
        ? shareShown(result).map((share) => `FIN_WAIT1: ${share}`)
        : []),
    ];
    return chart('fin-wait2', 'FIN_WAIT1 and FIN_WAIT2: kernel against wire', description, body, subtitle);
  },
};

const ZERO = LEAST_SECONDS;

/** Of connections that are only counted. */
type Counted = Durations & { measure: Span['measure'] };

function countedOf({ unlisted }: Result): Counted[] {
  const [kernel, wire] = [unlisted?.finWait2Kernel, unlisted?.finWait2];
  return [
    ...(kernel ? [{ measure: MEASURES[1][0], ...kernel }] : []),
    ...(wire ? [{ measure: MEASURES[2][0], ...wire }] : []),
  ];
}

function spansOf(result: Result): Span[] {
  const spans: Span[] = [];
  const add = (connection: string, measure: Span['measure'], seconds: number | null) => {
    if (seconds !== null) spans.push({ connection, measure, seconds });
  };
  const finWait1 = finWait1Spans(result.timeline);
  for (const row of result.connections) {
    add(row.id, MEASURES[0][0], finWait1.get(row.id) ?? null);
    add(row.id, MEASURES[1][0], row.finWait2KernelS);
    add(row.id, MEASURES[2][0], row.finWait2WireS);
  }
  return spans;
}

/** Seconds in FIN_WAIT1 by connection, where both its ends are in the timeline. */
function finWait1Spans(timeline: readonly TimelineItem[]): Map<string, number> {
  const entered = new Map<string, number>();
  const spans = new Map<string, number>();
  for (const item of timeline) {
    if (item.kind !== 'state' || item.stateBefore === item.stateAfter) continue;
    const at = item.at ?? item.elapsed ?? null;
    const key = `${item.connection} ${item.side}`;
    if (item.stateAfter === 'FIN_WAIT1' && at !== null) entered.set(key, at);
    else if (item.stateBefore === 'FIN_WAIT1' && at !== null && entered.has(key)) {
      spans.set(item.connection, (at - entered.get(key)!) / 1e9);
    }
  }
  return spans;
}

function words(spans: readonly Span[], counts: readonly Counted[]): string {
  const parts = MEASURES.flatMap(([name]) => {
    const seconds = spans.filter((s) => s.measure === name).map((s) => s.seconds);
    for (const own of counts) if (own.measure === name) seconds.push(own.shortest, own.longest);
    if (seconds.length === 0) return [];
    const [low, high] = seconds.reduce(([a, b], s) => [Math.min(a, s), Math.max(b, s)], [Infinity, 0]);
    const [least, most] = [formatSpan(low! * 1e9), formatSpan(high! * 1e9)];
    return [`${name} lasted ${least === most ? least : `${least} to ${most}`}`];
  });
  return parts.join(', ');
}

function duration(spans: readonly Pick<Span, 'seconds'>[]): object {
  const [low, high] = spans.reduce(
    ([a, b], s) => [Math.min(a!, s.seconds), Math.max(b!, s.seconds)],
    [1e-6, 60],
  );
  return {
    field: 'seconds',
    type: 'quantitative',
    title: 'duration (logarithmic)',
    scale: { type: 'log', domain: [low, high], nice: false, padding: 10 },
    axis: { values: TICKS, labelExpr: LABELS, grid: true },
  };
}

/** Where most kernels let go of a FIN_WAIT2 that nobody owns. */
function timeoutLine(x: object): object[] {
  const data = { values: [{ seconds: 60, label: 'tcp_fin_timeout, by default' }] };
  const encoding = { x, y: { value: 0 } };
  return [
    {
      data,
      mark: { type: 'rule', color: INK, strokeDash: [4, 4], opacity: 0.6 },
      encoding: { ...encoding, y2: { value: 'height' } },
    },
    {
      data,
      mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -2, dy: -3 },
      encoding: { ...encoding, text: { field: 'label', type: 'nominal' } },
    },
  ];
}

function each(spans: readonly Span[], result: Result): Record<string, unknown> {
  const names = new Map(result.connections.map((r) => [r.id, shortened(`${r.id} :${r.client.port}`, 40)]));
  const values = spans.map((s) => ({ ...s, connection: names.get(s.connection) }));
  const seen = MEASURES.filter(([name]) => spans.some((s) => s.measure === name));
  const domain = seen.map(([name]) => name);
  const x = duration(spans);
  const y = {
    field: 'connection',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { ticks: false, domain: false, grid: true },
  };
  return {
    width: WIDTH,
    height: { step: 18 },
    layer: [
      ...timeoutLine(x),
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 90, opacity: 1, stroke: INK, strokeWidth: 0.6 },
        encoding: {
          x,
          y,
          color: {
            field: 'measure',
            type: 'nominal',
            title: null,
            scale: { domain, range: seen.map(([, c]) => c) },
          },
          shape: {
            field: 'measure',
            type: 'nominal',
            title: null,
            scale: { domain, range: seen.map(([, , s]) => s) },
          },
        },
      },
    ],
  };
}

function binned(spans: readonly Span[], counts: readonly Counted[]): Record<string, unknown> {
  const values = tally(
    spans.map(({ measure, seconds }) => ({ measure, seconds: binOf(seconds) })),
    'connections',
  );
  for (const { measure, bins } of counts) {
    for (const bin of bins) {
      const same = values.find((v) => v.measure === measure && v.seconds === bin.seconds);
      if (same) same.connections += bin.connections;
      else values.push({ measure, ...bin });
    }
  }
  const x = duration([...spans, ...values]);
  return {
    width: WIDTH,
    height: { step: 40 },
    layer: [
      ...timeoutLine(x),
      {
        data: { values },
        mark: {
          type: 'circle',
          opacity: 0.9,
          stroke: PAPER,
          strokeWidth: 0.5,
          color: CONFIDENCE_COLORS.proved,
        },
        encoding: {
          x,
          y: {
            field: 'measure',
            type: 'nominal',
            sort: MEASURES.map(([name]) => name),
            title: null,
            axis: { ticks: false, domain: false },
          },
          size: {
            field: 'connections',
            type: 'quantitative',
            scale: { type: 'sqrt', range: [30, 900], domainMin: 1 },
            legend: sizeLegend(values.map((v) => v.connections)),
          },
        },
      },
    ],
  };
}

import { formatSpan } from '../align/format-time.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import type { TimelineItem } from '../tables/result.ts';
import { shortened } from '../view/escape.ts';
import { type Focus, focusOf } from '../view/focus.ts';
import { isStray } from '../view/ladder.ts';
import { counted } from '../view/words.ts';
import { axisLabels, breakBands, LABEL_ROOM, onAxis, tickLines } from './axis-layers.ts';
import { type BrokenAxis, brokenAxis, ONE_CUT } from './broken-axis.ts';
import { type Chart, type ChartBuilder, chart, INK, PAPER, WIDTH } from './chart.ts';
import { STATE_COLORS } from './palette.ts';

const LIMIT = 30;

const CUT_OUT = ' The wait marked // is cut out; each side of it has a scale of its own.';

/** One end of one connection. */
interface Lane {
  name: string;
  /** Position in time of each item, ns: of all connections since the first event, or of each socket since its own. */
  steps: { item: TimelineItem; at: number }[];
  /** Last event of the connection, at either end: as long as that an end stays in its last state. */
  until: number;
}

interface Bar {
  lane: string;
  state: string;
  from: number;
  to: number;
  /** The state lasted longer than the evidence: paler. */
  open: boolean;
}

/** Moments drawn on a lane besides its bars. */
const MARKS: Partial<Record<TimelineItem['kind'], string>> = {
  reset: 'RST',
  drop: 'packet dropped',
  retransmit: 'retransmission',
  socket: 'row of a socket table',
};

/** TCP states of both ends of each connection of interest, long waits cut out of the axis. */
export const stateTimeline: ChartBuilder = {
  id: 'state-timeline',
  build(result) {
    const focus = focusOf(result);
    const { lanes, connections, unplaced, own, first } = lanesOf(focus);
    const moments = lanes.flatMap(momentsOf);
    // ends of connections alone, as tcplife prints them, leave nothing to draw
    if (connections < 2 || moments.length === 0) return null;
    const axis = brokenAxis(moments, {
      ...ONE_CUT,
      ...(first && { label: clockLabel(first) }),
    });
    const of = candidates(focus).length;
    const zone =
      first?.clock === 'utc' ? 'Times are UTC.' : first?.clock === 'wall' ? 'Local clock of the logs.' : '';
    const subtitle = [
      `${first ? zone : "Time since each socket's first event, by the durations its log prints."}${axis.breaks.length > 0 ? CUT_OUT : ''}`.trim(),
      ...(own ? ['* this log prints no times: from its own first event, by the durations it prints'] : []),
      ...(of > connections ? [`${connections} examples of ${of} connections`] : []),
      ...(unplaced > 0 ? [`${unplaced} ends whose order alone is known are left out`] : []),
    ].filter((line) => line !== '');
    return stateChart(lanes, axis, subtitle, connections);
  },
};

function candidates({ telling, result }: Focus): readonly string[] {
  return telling.length > 0 ? telling : result.connections.map((r) => r.id);
}

interface Chosen {
  lanes: Lane[];
  connections: number;
  unplaced: number;
  /** Some lanes are counted from their own first event. */
  own: boolean;
  /** The first event of all, where the lanes are on one clock. */
  first: TimelineItem | null;
}

/** On one clock, where there is any; else each socket from its own start. */
function lanesOf(focus: Focus): Chosen {
  const order = new Map(focus.result.connections.map((r, i) => [r.id, i]));
  const all = candidates(focus);
  const states = all.flatMap((id) => focus.timeline.get(id) ?? []).filter((i) => i.kind === 'state');
  const clock = (['utc', 'wall', 'relative'] as const).find((c) =>
    states.some((i) => i.clock === c && i.at !== null),
  );
  const chosen: { id: string; lanes: Lane[] }[] = [];
  let unplaced = 0;
  let first: TimelineItem | null = null;
  for (const id of all) {
    if (chosen.length >= LIMIT) break;
    const items = focus.timeline.get(id) ?? [];
    const timed = clock === undefined ? [] : items.filter((i) => i.at !== null && i.clock === clock);
    const found: Lane[] = [];
    for (const side of ['client', 'server'] as const) {
      const lane = laneOf(focus.rows.get(id)!, side, items, timed);
      if (lane === 'unplaced') unplaced++;
      else if (lane !== null) found.push(lane);
    }
    if (found.length === 0) continue;
    chosen.push({ id, lanes: found });
    const [earliest] = timed;
    if (earliest && (first === null || earliest.at! < first.at!)) first = earliest;
  }
  chosen.sort((a, b) => order.get(a.id)! - order.get(b.id)!);
  const zero = first?.at ?? 0;
  const isOwn = (lane: Lane) => lane.name.endsWith('*');
  const lanes = chosen.flatMap((c) => c.lanes).map((lane) => (isOwn(lane) ? lane : shifted(lane, zero)));
  return { lanes, connections: chosen.length, unplaced, own: lanes.some(isOwn), first };
}

function shifted({ name, steps, until }: Lane, zero: number): Lane {
  return { name, steps: steps.map(({ item, at }) => ({ item, at: at - zero })), until: until - zero };
}

/** Times of day, to the millisecond, of moments since an item. */
function clockLabel({ time, clock }: TimelineItem): (since: number) => string {
  const of = /(\d\d):(\d\d):(\d\d)(\.\d+)?/.exec(time);
  const seconds = of ? (Number(of[1]) * 60 + Number(of[2])) * 60 + Number(of[3]) + Number(of[4] ?? 0) : 0;
  return (since) => {
    if (!of || clock === 'relative') return `+${formatSpan(since)}`;
    const text = new Date(Math.round((seconds + since / 1e9) * 1000)).toISOString();
    return text.slice(11, 23).replace(/\.000$/, '');
  };
}

function laneOf(
  row: ConnectionRow,
  side: 'client' | 'server',
  items: readonly TimelineItem[],
  timed: readonly TimelineItem[],
): Lane | 'unplaced' | null {
  const mine = items.filter((i) => i.side === side);
  if (!mine.some((i) => i.kind === 'state')) return null;
  const end = side === 'client' ? `:${row.client.port} client` : `:${row.server.port} server`;
  const name = `${row.id} ${end}`;
  const placed = timed.filter((i) => i.side === side).map((item) => ({ item, at: item.at! }));
  if (placed.some((s) => s.item.kind === 'state'))
    return { name, steps: placed, until: latest(timed.map((i) => i.at!)) };
  const steps = mine.flatMap((item) => (item.elapsed == null ? [] : [{ item, at: item.elapsed }]));
  return steps.length > 1 ? { name: `${name} *`, steps, until: latest(steps.map((s) => s.at)) } : 'unplaced';
}

function latest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** A bar from each change of state to the next; none in CLOSE, when the socket is gone. */
function barsOf(lane: Lane): Bar[] {
  const states = lane.steps.filter((s) => s.item.kind === 'state');
  const bars: Bar[] = [];
  for (const [i, { item, at }] of states.entries()) {
    if (item.stateAfter === 'CLOSE') continue;
    const next = states[i + 1];
    const to = next?.at ?? Math.max(lane.until, at);
    const last = bars.at(-1);
    if (last && last.state === item.stateAfter && last.to === at) last.to = to;
    else bars.push({ lane: lane.name, state: item.stateAfter, from: at, to, open: next === undefined });
  }
  return bars;
}

/** A reset that several captures show is one mark. */
function marksOf(lane: Lane): { lane: string; at: number; mark: string }[] {
  const resets = new Set<string>();
  return lane.steps.flatMap(({ item, at }) => {
    if (isStray(item)) return [];
    const reset = item.kind === 'packet' && /^RST\b/.test(item.what);
    if (reset && resets.has(item.what)) return [];
    if (reset) resets.add(item.what);
    const mark = reset ? 'RST' : MARKS[item.kind];
    return mark ? [{ lane: lane.name, at, mark }] : [];
  });
}

/** What the axis must show: packets that are not drawn would only break it up. */
function momentsOf(lane: Lane): number[] {
  return [...barsOf(lane).flatMap((b) => [b.from, b.to]), ...marksOf(lane).map((m) => m.at)];
}

/** Narrower than this a bar could not be seen. */
const MIN_BAR = 0.5;

function stateChart(
  lanes: readonly Lane[],
  axis: BrokenAxis,
  subtitle: string[],
  connections: number,
): Chart {
  const bars = lanes.flatMap(barsOf).map((b) => {
    const x = axis.x(b.from);
    const { lane, state, from, to } = b;
    const x2 = Math.max(axis.x(to), x + MIN_BAR);
    return { lane, state, from, to, duration: formatSpan(to - from), x, x2, opacity: b.open ? 0.5 : 1 };
  });
  const marks = lanes.flatMap(marksOf).map((m) => ({ ...m, x: axis.x(m.at) }));
  const seen = new Set(bars.map((b) => b.state));
  const colors = STATE_COLORS.filter(([state]) => seen.has(state));
  const names = lanes.map((l) => shortened(l.name, 40));
  const y = {
    field: 'lane',
    type: 'nominal',
    sort: null,
    scale: { domain: names },
    title: null,
    axis: { ticks: false, domain: false, labelPadding: 8 },
  };
  const title = `TCP states of both ends of ${connections === 1 ? 'one connection' : `${connections} connections`}`;
  const states = colors.map(([s]) => s).join(', ');
  const description = `Bars of the TCP states (${states}) that each end of ${counted(connections, 'connection')} went through${axis.breaks.length > 0 ? `; ${counted(axis.breaks.length, 'wait')} cut out of the axis` : ''}.`;
  const stateLayer = {
    data: { values: bars },
    mark: { type: 'bar', height: 12, stroke: INK, strokeWidth: 0.4 },
    encoding: {
      y,
      x: onAxis('x'),
      x2: { field: 'x2' },
      fillOpacity: { field: 'opacity', type: 'quantitative', scale: null, legend: null },
      color: {
        field: 'state',
        type: 'nominal',
        title: null,
        legend: { offset: LABEL_ROOM },
        scale: { domain: colors.map(([s]) => s), range: colors.map(([, c]) => c) },
      },
    },
  };
  const body = {
    width: WIDTH,
    height: { step: 18 },
    layer: [
      tickLines(axis.ticks),
      stateLayer,
      ...breakBands(axis),
      ...(marks.length > 0 ? [markLayer(marks, y)] : []),
      ...axisLabels(axis, { breaks: true, ticks: true }),
    ],
  };
  return chart('state-timeline', title, description, body, subtitle);
}

const SHAPES = [
  ['RST', 'cross'],
  ['packet dropped', 'triangle-down'],
  ['retransmission', 'circle'],
  ['row of a socket table', 'diamond'],
] as const;

function markLayer(marks: readonly { mark: string }[], y: object): object {
  const seen = SHAPES.filter(([name]) => marks.some((m) => m.mark === name));
  return {
    data: { values: marks },
    mark: { type: 'point', filled: true, color: INK, stroke: PAPER, strokeWidth: 1, size: 70, opacity: 1 },
    encoding: {
      y,
      x: onAxis('x'),
      shape: {
        field: 'mark',
        type: 'nominal',
        title: null,
        legend: { offset: LABEL_ROOM },
        scale: { domain: seen.map(([name]) => name), range: seen.map(([, shape]) => shape) },
      },
    },
  };
}

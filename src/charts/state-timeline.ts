import { formatSpan } from '../align/format-time.ts';
import type { ConnectionRow, TimelineItem } from '../model/result.ts';
import { shortened } from '../view/escape.ts';
import { type Focus, focusOf } from '../view/focus.ts';
import { isStray } from '../view/ladder.ts';
import { counted } from '../view/words.ts';
import { axisLabels, breakBands, LABEL_ROOM, onAxis, tickLines } from './axis-layers.ts';
import { type BrokenAxis, brokenAxis } from './broken-axis.ts';
import { type Chart, type ChartBuilder, chart, INK, PAPER, WIDTH } from './chart.ts';
import { STATE_COLORS } from './palette.ts';

const LIMIT = 30;

const CUT_OUT =
  ' Waits in which nothing changes are cut out (//); each stretch between them has a scale of its own.';

/** One end of one connection. */
interface Lane {
  name: string;
  /** Position in time of each item; nanoseconds since the connection's (or this socket's own) first event. */
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
    const { lanes, connections, unplaced, own } = lanesOf(focus);
    if (lanes.length === 0) return null;
    const axis = brokenAxis(lanes.flatMap(momentsOf));
    const of = candidates(focus).length;
    const subtitle = [
      `Time since each connection's first event.${axis.breaks.length > 0 ? CUT_OUT : ''}`,
      ...(own ? ['* this log prints no times: from its own first event, by the durations it prints'] : []),
      ...(of > connections ? [`the ${connections} most telling of ${of} connections`] : []),
      ...(unplaced > 0 ? [`${unplaced} ends whose order alone is known are left out`] : []),
    ];
    return stateChart(lanes, axis, subtitle, connections);
  },
};

function candidates({ telling, result }: Focus): readonly string[] {
  return telling.length > 0 ? telling : result.connections.map((r) => r.id);
}

function lanesOf(focus: Focus): { lanes: Lane[]; connections: number; unplaced: number; own: boolean } {
  const lanes: Lane[] = [];
  const order = new Map(focus.result.connections.map((r, i) => [r.id, i]));
  let connections = 0;
  let unplaced = 0;
  let own = false;
  const chosen: { id: string; lanes: Lane[] }[] = [];
  for (const id of candidates(focus)) {
    if (connections >= LIMIT) break;
    const items = focus.timeline.get(id) ?? [];
    const zero = items.find((i) => i.at !== null)?.at ?? null;
    const found: Lane[] = [];
    for (const side of ['client', 'server'] as const) {
      const lane = laneOf(focus.rows.get(id)!, side, items, zero);
      if (lane === 'unplaced') unplaced++;
      else if (lane !== null) found.push(lane);
      if (lane !== null && lane !== 'unplaced' && lane.name.endsWith('*')) own = true;
    }
    if (found.length === 0) continue;
    connections++;
    chosen.push({ id, lanes: found });
  }
  chosen.sort((a, b) => order.get(a.id)! - order.get(b.id)!);
  for (const c of chosen) lanes.push(...c.lanes);
  return { lanes, connections, unplaced, own };
}

function laneOf(
  row: ConnectionRow,
  side: 'client' | 'server',
  items: readonly TimelineItem[],
  zero: number | null,
): Lane | 'unplaced' | null {
  const mine = items.filter((i) => i.side === side);
  if (!mine.some((i) => i.kind === 'state')) return null;
  const end = side === 'client' ? `:${row.client.port} client` : `:${row.server.port} server`;
  const name = `${row.id} ${end}`;
  const timed = mine.flatMap((item) =>
    item.at === null || zero === null ? [] : [{ item, at: item.at - zero }],
  );
  if (zero !== null && timed.some((s) => s.item.kind === 'state')) {
    return { name, steps: timed, until: latest(items.map((i) => i.at ?? zero)) - zero };
  }
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
  return [0, ...barsOf(lane).flatMap((b) => [b.from, b.to]), ...marksOf(lane).map((m) => m.at)];
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
  const description = `Bars of the TCP states (${states}) that each end of ${counted(connections, 'connection')} went through, over time since the connection's first event${axis.breaks.length > 0 ? `; ${counted(axis.breaks.length, 'wait')} cut out of the axis` : ''}.`;
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

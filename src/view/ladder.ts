/** One connection as a ladder: what each end did, and what went between them, in order. Text and HTML draw the same. */
import { formatSpan } from '../align/format-time.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Evidence } from '../model/finding.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import type { Result, TimelineItem } from '../tables/result.ts';
import type { Focus } from './focus.ts';
import { counted } from './words.ts';

/** Where a step stands: at an end, as a packet sent by an end, or at the server's listener. */
export type Lane = 'client' | 'server' | 'from-client' | 'from-server' | 'listener';

export interface Step {
  /** The item itself, at the first place. */
  item: TimelineItem;
  /** Since the first timed step, or since this socket's own first state; the time itself when neither; or ''. */
  when: string;
  lane: Lane;
  /** A packet that was lost or that the receiver's kernel dropped, or a reset: what a reader looks for. */
  alarming: boolean;
  /** A packet that one capture has and the other lacks, which a verdict says was lost between them. */
  lost: boolean;
  /** As it stands in the timeline: not yet made safe for any output. */
  what: string;
  /** `comm[pid]`; `during comm[pid]` when the kernel may only have interrupted it; or ''. */
  who: string;
  /** Its place among the others is not known, only its order within its source: such steps come last. */
  unplaced: boolean;
  /** Where it can be checked; several when more than one capture shows the packet. */
  places: Place[];
}

export interface Place {
  /** Place in Ladder.sources, from 0. */
  source: number;
  locator: string;
  /** Nanoseconds since the first timed step, or since this socket's own first state; null when only the order is known. */
  offset: number | null;
}

export interface Ladder {
  row: ConnectionRow;
  /** Time of the first timed step, as its clock has it, or ''. */
  begins: string;
  steps: Step[];
  /** Steps beyond the limit, left out before step number `resumes`. */
  omitted: number;
  resumes: number;
  /** Drops of frames for another host, which are not among the steps. */
  strays: number;
  sources: string[];
}

/** Steps shown after those left out, at most: half of all. */
const TAIL = 12;

/** At most `limit` steps (one more, where a line would stand for one): the first and the last ones, because begin and end tell most. */
export function ladderOf(focus: Focus, id: string, limit = 60): Ladder {
  const row = focus.rows.get(id)!;
  const own = focus.timeline.get(id) ?? [];
  const states = own.filter((i) => i.kind === 'state');
  // a log placed by durations alone counts from its own start: then nothing else may be counted from elsewhere
  const ownStart = states.length > 0 && states.every((i) => i.at === null);
  const zero = ownStart ? null : (own.find((i) => i.at !== null) ?? null);
  const placed = (i: TimelineItem) => (ownStart ? i.kind === 'state' : zero === null || i.at !== null);
  const all = withSurroundings(focus, row);
  const told = all.filter((i) => !isStray(i));
  const groups = sightings([...told.filter(placed), ...told.filter((i) => !placed(i))]);
  const tail = Math.min(TAIL, limit >> 1);
  const kept =
    groups.length <= limit + 1 ? groups : [...groups.slice(0, limit - tail), ...groups.slice(-tail)];
  const sources = [...new Set(kept.flat().map((i) => i.source))];
  const lacking = lackingOf(focus, row);
  const steps = kept.map(([item, ...others]) => {
    const without = others.length === 0 ? lacking(item) : '';
    return {
      item,
      when: whenOf(item, zero),
      lane: laneOf(item),
      alarming: without !== '' || ALARMING.has(item.kind) || /^RST\b/.test(item.what),
      lost: without !== '',
      what: `${whatOf(item)}${without && `, not in ${without}`}`,
      who: whoOf(item),
      unplaced: !placed(item),
      places: [item, ...others].map((i) => ({
        source: sources.indexOf(i.source),
        locator: i.locator,
        offset: offsetOf(i, zero),
      })),
    };
  });
  const begins = zero === null ? '' : trimTime(zero.time);
  const strays = all.length - told.length;
  return {
    row,
    begins,
    steps,
    omitted: groups.length - kept.length,
    resumes: kept.length - tail,
    strays,
    sources,
  };
}

const ALARMING: ReadonlySet<TimelineItem['kind']> = new Set(['drop', 'icmp', 'reset']);

/** Packets that causes say were lost between two captures. */
const LOST: Readonly<Record<string, RegExp>> = {
  'syn-lost-on-path': /^SYN(?![|])/,
  'syn-ack-lost-on-path': /^SYN[|]ACK/,
  'data-lost-on-path': /, \d+ bytes/,
};

/** Of a packet that only one capture has: the name of the other, where a verdict names the packet as lost in between; or ''. */
function lackingOf(
  { result, findings, timeline }: Focus,
  { id }: ConnectionRow,
): (item: TimelineItem) => string {
  const lost = (findings.get(id) ?? []).filter((f) => Object.hasOwn(LOST, f.rule));
  if (lost.length === 0) return () => '';
  const captures = new Set((timeline.get(id) ?? []).flatMap((i) => (i.kind === 'packet' ? [i.source] : [])));
  const isOf = (item: TimelineItem, e: Evidence) =>
    e.at === item.locator && e.source !== null && result.inputs[e.source - 1]!.name === item.source;
  return (item) => {
    const isLost =
      item.kind === 'packet' &&
      lost.some((f) => LOST[f.rule]!.test(item.what) && f.evidence.some((e) => isOf(item, e)));
    return isLost ? ([...captures].find((name) => name !== item.source) ?? '') : '';
  };
}

/**
 * A frame addressed to another host, seen because an interface is promiscuous: ip_rcv_core() throws it away
 * (SKB_DROP_REASON_OTHERHOST), and nothing of the connection is lost.
 */
export function isStray({ kind, what }: TimelineItem): boolean {
  return kind === 'drop' && what.endsWith(', reason OTHERHOST');
}

/** Said of a ladder without its strays; '' when there are none. */
export function strayWords({ strays }: Ladder): string {
  if (strays === 0) return '';
  const copies = strays === 1 ? 'one copy' : `${strays} copies`;
  return `${copies} of its packets addressed to another host, which the kernel threw away, in timeline.csv only`;
}

/** What stands above a step: that others are left out there, or that its order is not known. `where`: these are to be found. */
export function dividersOf({ steps, omitted, resumes }: Ladder, i: number, where = ''): string[] {
  return [
    ...(omitted > 0 && i === resumes ? [`… ${counted(omitted, 'more step')}${where}`] : []),
    ...(steps[i]!.unplaced && !steps[i - 1]?.unplaced ? ['not in order with the above:'] : []),
  ];
}

type Sightings = [TimelineItem, ...TimelineItem[]];

/**
 * Two streams of one kernel tell of one event with times that differ by the error of their clock anchors. Nanoseconds;
 * what a kernel does twice on one socket in the same words lies further apart (TCP_TIMEOUT_MIN and the timers).
 */
const SAME_EVENT = 20e6;

/**
 * Puts what several sources show of one thing into one group: a packet in two captures, an event in two streams of one
 * kernel, a socket in tables without a time. What one source shows twice stays two.
 */
function sightings(items: readonly TimelineItem[]): Sightings[] {
  const alike = new Map<string, Map<string, TimelineItem[]>>();
  for (const item of items) {
    const key = `${item.kind} ${item.side} ${item.what} ${item.comm} ${item.pid}`;
    const bySource = alike.get(key) ?? new Map<string, TimelineItem[]>();
    bySource.set(item.source, [...(bySource.get(item.source) ?? []), item]);
    alike.set(key, bySource);
  }
  const twins = new Map<TimelineItem, TimelineItem>();
  for (const bySource of alike.values()) {
    const [most, ...others] = [...bySource.values()].sort((a, b) => b.length - a.length);
    for (const other of others) for (const [item, twin] of pairs(other, most!)) twins.set(item, twin);
  }
  const groups = new Map<TimelineItem, Sightings>();
  for (const item of items) {
    const head = twins.get(item) ?? item;
    const group = groups.get(head);
    if (group) group.push(item);
    else groups.set(head, [item]);
  }
  return [...groups.values()];
}

/** Each of `few` with the one of `many` that it shows again: in order when none is missing, else the nearest in time. */
function pairs(few: readonly TimelineItem[], many: readonly TimelineItem[]): [TimelineItem, TimelineItem][] {
  const found: [TimelineItem, TimelineItem][] = [];
  let next = 0;
  for (const [i, item] of few.entries()) {
    const last = many.length - (few.length - i);
    for (let j = next; j < last && apart(item, many[next + 1]!) < apart(item, many[next]!); j++) next++;
    const twin = many[next++]!;
    if (item.kind === 'packet' || apart(item, twin) <= SAME_EVENT) found.push([item, twin]);
  }
  return found;
}

/** Nanoseconds; 0 when neither has a time. */
function apart(a: TimelineItem, b: TimelineItem): number {
  if (a.at === null || b.at === null) return a.at === b.at ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(a.at - b.at);
}

/** The connection's items, and those of its listener that happened, or for want of times were noted, between them. */
function withSurroundings(focus: Focus, row: ConnectionRow): TimelineItem[] {
  const own = focus.timeline.get(row.id) ?? [];
  const [from, to] = [own[0]?.number ?? 0, own.at(-1)?.number ?? 0];
  const times = own.flatMap((i) => (i.at === null ? [] : [i.at]));
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0];
  const port = `:${row.server.port}:`;
  const between = (i: TimelineItem) =>
    i.at === null || times.length === 0 ? i.number >= from && i.number <= to : i.at >= first && i.at <= last;
  const around = (focus.timeline.get('') ?? []).filter(
    (i) => i.kind === 'listener' && i.what.includes(port) && between(i),
  );
  return [...own, ...around].sort((a, b) => a.number - b.number);
}

function offsetOf(item: TimelineItem, zero: TimelineItem | null): number | null {
  if (zero === null) return item.elapsed ?? null;
  return item.at !== null && item.clock === zero.clock ? item.at - zero.at! : null;
}

function whenOf(item: TimelineItem, zero: TimelineItem | null): string {
  const since = offsetOf(item, zero);
  if (since === null) return shortTime(item.time);
  return since === 0 ? '0' : `${since < 0 ? '' : '+'}${formatSpan(since)}`;
}

/** A time without the milli-, micro- and nanoseconds that its source did not measure. */
export function trimTime(time: string): string {
  return time.replace(/(\.\d*?)(?:000)+(?=Z|$)/, '$1').replace(/\.(?=Z|$)/, '');
}

/** `trimTime` without the date. */
export function shortTime(time: string): string {
  return trimTime(time).replace(/^\d{4}-\d\d-\d\dT/, '');
}

/** Where a fact can be checked: `access.log, line 7, 12:00:01.5`, or ''. */
export function placeOf({ source, at, time }: Evidence, { inputs }: Pick<Result, 'inputs'>): string {
  const name = source === null ? '' : inputs[source - 1]!.name;
  return [name, at, trimTime(time)].filter(Boolean).join(', ');
}

/** What a kernel said of a reset or a retransmission stands at its end: the packet itself is another item. */
function laneOf({ side, kind }: TimelineItem): Lane {
  if (side === '') return 'listener';
  return kind === 'packet' ? `from-${side}` : side;
}

/**
 * Changes of state that happen in a call of the owner; all others are made while a packet is handled or a timer runs,
 * in whatever process that interrupts (tcp_rcv_state_process, tcp_write_err).
 */
const OWN_CALLS = new Set([
  'CLOSE SYN_SENT',
  'CLOSE LISTEN',
  'LISTEN CLOSE',
  'ESTABLISHED FIN_WAIT1',
  'CLOSE_WAIT LAST_ACK',
]);

function whoOf(item: TimelineItem): string {
  if (item.comm === '' && item.pid === null) return '';
  const name =
    item.comm === '' ? `pid ${item.pid}` : `${item.comm}${item.pid === null ? '' : `[${item.pid}]`}`;
  const own =
    item.kind === 'call' ||
    item.kind === 'socket' ||
    item.stateBefore === item.stateAfter ||
    (item.kind === 'listener' && item.stateBefore === '') ||
    OWN_CALLS.has(`${item.stateBefore} ${item.stateAfter}`);
  return own ? name : `during ${name}`;
}

function whatOf(item: TimelineItem): string {
  return item.kind === 'state' || item.kind === 'listener' ? item.what.replace(' -> ', ' → ') : item.what;
}

/** `c7  10.0.0.1:4000 → 10.0.0.2:80` */
export function titleOf(row: ConnectionRow): string {
  return `${row.id}  ${tupleOf(row)}`;
}

export function tupleOf(row: ConnectionRow): string {
  return `${formatEndpoint(row.client)} → ${formatEndpoint(row.server)}`;
}

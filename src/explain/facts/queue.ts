/** How full a listener's accept queue was, each time a capture's probe looked at it. */
import type { Listener } from '../../model/case.ts';
import type { ProbeEvent } from '../../model/event.ts';
import { getOr } from '../../model/get-or.ts';
import type { QueueCountEvent, SocketEvent } from '../../model/table-event.ts';
import type { Moment } from '../rule.ts';
import { count } from '../words.ts';
import type { Facts } from './facts.ts';
import type { World } from './world.ts';

/** sk_ack_backlog and sk_max_ack_backlog at one moment. */
export interface QueueLook {
  event: ProbeEvent;
  moment: Moment;
  held: number;
  limit: number;
}

/** Probes that read both, of the listener or of one of its connections. */
const LOOKS: ReadonlySet<string> = new Set([
  'accept-queue',
  'conn-request',
  'child-refused',
  'cookie-check',
  'synack-retransmit',
  'request-removed',
  'syn-flood',
  'listen-stop',
]);

/** sk_acceptq_is_full: a queue with limit n takes n + 1. */
export function isFullLook({ held, limit }: Pick<QueueLook, 'held' | 'limit'>): boolean {
  return held > limit;
}

/** The same of a row of a listener; null where the table shows no limit. */
export function isAboveLimit({ acceptLimit, recvQ }: SocketEvent): boolean | null {
  return acceptLimit !== null && acceptLimit > 0 ? isFullLook({ held: recvQ, limit: acceptLimit }) : null;
}

/** Histograms of queues, which name no listener, by its limit. */
export function queueCountsByLimit({ context }: World): Map<number, QueueCountEvent[]> {
  const byLimit = new Map<number, QueueCountEvent[]>();
  for (const e of context.queueCounts) getOr(byLimit, e.limit, () => []).push(e);
  return byLimit;
}

/** `its accept queue held 129 of 128`. */
export function heldText({ held, limit }: Pick<QueueLook, 'held' | 'limit'>): string {
  return `its accept queue held ${held} of ${limit}`;
}

/** What one event says of the queue; null when the probe reads none. */
export function lookOf(world: World, event: ProbeEvent): QueueLook | null {
  const { backlog, limit } = event.values;
  if (!LOOKS.has(event.name) || backlog === undefined || limit === undefined) return null;
  const moment = { source: event.source, at: world.context.timeline.at(event.source, event.time) };
  return { event, moment, held: backlog, limit };
}

/** All looks at the queue of one listener, in the order of time. */
export function queueLooks(world: World, listeners: readonly Listener[], all: Iterable<Facts>): QueueLook[] {
  const looks: QueueLook[] = [];
  const add = (e: ProbeEvent) => {
    const look = lookOf(world, e);
    if (look) looks.push(look);
  };
  for (const l of listeners) for (const e of l.probes) add(e);
  for (const f of all) for (const e of f.case.kernel) if (e.kind === 'probe') add(e);
  return looks.filter((l) => l.moment.at !== null).sort((a, b) => a.moment.at! - b.moment.at!);
}

/** How far from a connection a file may lie that still tells of the listener that it met, ns. */
const BESIDE = 60e9;

/** Not known to be of another time than the connection: a file of tables or events, from its first record to its last. */
export function isOfItsTime({ world, extent: [first, last] }: Facts, source: number): boolean {
  const { timeline } = world.context;
  const { times } = world.source(source);
  if (!times || first.at === null || last.at === null || !timeline.comparable(first.source, source))
    return true;
  const [from, to] = [timeline.at(source, times.first), timeline.at(source, times.last)];
  return from === null || to === null || (from - BESIDE <= last.at && first.at <= to + BESIDE);
}

/** Looks of other clocks may lie between; more than so many in a row are not searched. */
const OTHER_CLOCKS = 100;

/** The last look at or before a moment whose clock can be compared with it. */
export function lookBefore(world: World, looks: readonly QueueLook[], moment: Moment): QueueLook | null {
  if (moment.at === null) return null;
  let low = 0;
  let high = looks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (looks[middle]!.moment.at! <= moment.at) low = middle + 1;
    else high = middle;
  }
  const before = looks.slice(Math.max(0, low - OTHER_CLOCKS), low);
  return before.findLast((look) => world.between(moment, look.moment) !== null) ?? null;
}

/** `its accept queue held 2 of 1 when three of its SYNs came`. */
export function heldWhen(looks: readonly QueueLook[], what: string): string {
  const fullest = looks.reduce((a, b) => (b.held - b.limit > a.held - a.limit ? b : a));
  const when = looks.length === 1 ? `when the ${what} came` : `when ${count(looks.length, what)} came`;
  return `${heldText(fullest)} ${when}`;
}

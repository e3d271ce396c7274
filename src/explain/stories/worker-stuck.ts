/**
 * A process that accepts too slowly, or no longer: its accept queue fills with connections that nobody serves (clients that
 * give up leave CLOSE_WAIT there), new SYNs and ACKs are dropped, and when it ends the waiting ones are reset.
 */
import { SERVER } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts, QueueSight } from '../facts/listener.ts';
import { isOfItsTime } from '../facts/queue.ts';
import type { World } from '../facts/world.ts';
import { refusedSyns } from '../procedures/silent-syn.ts';
import type { Explained } from '../rule.ts';
import { connectionsOf, timesOf, weakest } from '../together.ts';
import { count, HEDGES, list, moment, number, predicate } from '../words.ts';
import { cite, covered, FILES, sourcesOf } from './cite.ts';
import type { StoryTeller } from './index.ts';

const LOST_ACK = ['accept-queue-overflow-ack', 'cookie-overflow-reset', 'request-expired-reset'];
const FULL = ['close-wait-unaccepted', 'accept-queue-overflow-syn', 'listener-closed-reset', ...LOST_ACK];
/** Told where the listener was closed: without that its queue has no part in it. */
const REFUSED = 'connection-refused';
const RULES = [...FULL, REFUSED];

export const workerStuck: StoryTeller = (world, explained) => {
  const { cases } = world.context;
  const byServer = new Map<number, Explained[]>();
  for (const e of explained)
    if (RULES.includes(e.rule.id)) getOr(byServer, cases.server(e.n), () => []).push(e);
  const incidents = [...byServer.values()].flatMap(
    (own) => incident(world, own[0]!.facts.listener, own) ?? [],
  );
  const [gravest, ...others] = incidents.sort((a, b) => b.connections - a.connections);
  if (!gravest) return null;
  const parts = new Set(incidents.flatMap((i) => i.told));
  const also = others.map((i) => i.server).slice(0, FILES);
  if (others.length > FILES) also.push(`${number(others.length - FILES)} more servers`);
  return {
    sentences: [
      ...gravest.sentences,
      ...(others.length > 0 ? [`The accept queue was full at ${list(also)} too.`] : []),
    ],
    rules: covered(explained, RULES, (e) => parts.has(e)),
    faults: incidents.map(({ listener, headline, action }) => ({
      title: 'accept() not called fast enough: accept queue full',
      headline,
      action,
      rules: [...FULL, 'syn-cookie-handshake', 'abort-on-overflow-reset'],
      isPart: (e) => cases.server(e.n) === listener.number,
    })),
  };
};

interface Incident {
  listener: ListenerFacts;
  server: string;
  sentences: string[];
  headline: string;
  action: string;
  told: readonly Explained[];
  connections: number;
}

function incident(world: World, listener: ListenerFacts, all: Explained[]): Incident | null {
  const of = (...rules: string[]) =>
    all.filter((e) => rules.includes(e.rule.id) && e.finding.confidence !== 'possible');
  const waiting = of('close-wait-unaccepted', 'listener-closed-reset');
  const syns = of('accept-queue-overflow-syn');
  const acks = of(...LOST_ACK);
  const [overflowed] = [...syns, ...acks];
  if (!overflowed || (waiting.length === 0 && !listener.fullSightOf(overflowed.facts))) return null;
  const sight = fullest(world, overflowed.facts);
  const reset = of('listener-closed-reset');
  const told = reset.length > 0 ? all : all.filter((e) => e.rule.id !== REFUSED);
  const server = world.serverOf(told[0]!.facts.n);
  const sentences = [
    filled(world, waiting, sight, server),
    lost(world, listener, syns, acks),
    ended(world, listener, told, reset),
  ];
  return {
    listener,
    server,
    sentences: sentences.filter((s) => s !== ''),
    headline:
      `${processOn(sight, server)} did not accept connections as fast as they came; its full accept queue ` +
      `${HEDGES[weakest([...syns, ...acks])]}dropped ${list(dropped(syns, acks))}.${closed(told, reset)}`,
    action: actionOf(world, listener, sight),
    told,
    connections: connectionsOf(told).length,
  };
}

/** ` Its listener closed: 6 reset, 26 most likely refused.` What only may have been refused is not counted. */
function closed(told: readonly Explained[], reset: readonly Explained[]): string {
  if (reset.length === 0) return '';
  const refused = told.filter((e) => e.rule.id === REFUSED && e.finding.confidence !== 'possible');
  const parts = [outcome(reset, 'reset'), ...(refused.length > 0 ? [outcome(refused, 'refused')] : [])];
  return ` Its listener closed: ${parts.join(', ')}.`;
}

function outcome(own: readonly Explained[], what: string): string {
  return `${number(connectionsOf(own).length)} ${HEDGES[weakest(own)]}${what}`;
}

function processOn(sight: QueueSight | null, server: string): string {
  const { comm, pid } = sight?.row.owner === 'known' ? sight.row : { comm: null, pid: null };
  return comm === null ? `The process that listens on ${server}` : `${comm} (pid ${pid ?? '?'}) on ${server}`;
}

/** A longer queue is of use where its limit is known and small; why nobody empties it comes first. */
function actionOf(world: World, listener: ListenerFacts, sight: QueueSight | null): string {
  const { comm, pid } = sight?.row.owner === 'known' ? sight.row : { comm: null, pid: null };
  const who = comm === null ? 'the listening process' : `${comm} (pid ${pid ?? '?'})`;
  const look = `a stack dump, \`strace -f -p ${pid ?? 'PID'}\``;
  const find = `Find out why ${who} does not call accept() fast enough (${look}).`;
  const limit = listener.queueLooks[0]?.limit ?? sight?.row.acceptLimit ?? null;
  if (limit === null || limit === 0) return find;
  const most = world.sysctl('net.core.somaxconn', listener.server.address);
  const queue =
    most === null
      ? `raise the backlog of listen() (the limit is now ${limit}) and net.core.somaxconn`
      : most > limit
        ? `raise the backlog of listen() (now ${limit}; net.core.somaxconn is ${most} and not the limit)`
        : `raise net.core.somaxconn (now ${most}, the limit) and the backlog of listen()`;
  return `${find} For bursts only, ${queue}.`;
}

/** `112 SYNs (40 connections)`, `the final ACK of 2 handshakes`. */
function dropped(syns: readonly Explained[], acks: readonly Explained[]): string[] {
  const parts = [];
  if (syns.length > 0) {
    const facts = connectionsOf(syns);
    const counts = facts.map(refusedSyns);
    const known = counts.filter((n) => n !== null);
    const sent = known.length === counts.length ? known.reduce((a, b) => a + b, 0) : null;
    parts.push(`${sent === null ? 'SYNs' : count(sent, 'SYN')} (${count(facts.length, 'connection')})`);
  }
  if (acks.length > 0) parts.push(`the final ACK of ${count(connectionsOf(acks).length, 'handshake')}`);
  return parts;
}

/** Of the same queue the table of ss: it names the thread, as the state events do, and where it can the limit. */
function fullest(world: World, f: Facts): QueueSight | null {
  const rank = ({ row }: QueueSight) => row.recvQ + (world.source(row.source).format === 'ss' ? 0.5 : 0);
  return f.listener.sights
    .filter(({ row }) => isOfItsTime(f, row.source))
    .reduce<QueueSight | null>((most, s) => (most && rank(most) >= rank(s) ? most : s), null);
}

/** Whether it was slow or accepted nothing at all no file says: a full queue shows only that more came than it took. */
function filled(
  world: World,
  waiting: readonly Explained[],
  sight: QueueSight | null,
  server: string,
): string {
  const owner =
    sight?.row.owner === 'known' ? `${sight.row.comm ?? 'process'} (${sight.row.pid ?? '?'})` : null;
  const who = owner
    ? `Process ${owner}, which listens on ${server},`
    : `The process that listens on ${server}`;
  const own = connectionsOf(waiting);
  const closeWait = own.filter(
    (f) => f.life(SERVER)?.was('CLOSE_WAIT') || f.rows(SERVER).some((r) => r.state === 'CLOSE_WAIT'),
  ).length;
  // more may have come after the table was printed
  const stood = Math.max(own.length, sight?.row.recvQ ?? 0);
  const limit = sight?.row.acceptLimit;
  const full = limit && stood === limit + 1 ? `, 1 more than its limit of ${limit}` : '';
  const which =
    stood === 1 ? 'it' : closeWait === stood ? `all ${number(stood)}` : `${number(closeWait)} of them`;
  const left = closeWait > 0 ? `; ${which} ended up in CLOSE_WAIT` : '';
  const files = [
    ...(sight ? [world.source(sight.row.source).name] : []),
    ...sourcesOf(
      world,
      waiting.flatMap((e) => e.finding.evidence),
    ),
  ];
  return `${who} did not accept connections as fast as they came: ${count(stood, 'connection')} ${stood === 1 ? 'was' : 'were'} in its accept queue${full}${left}${cite(files)}.`;
}

function lost(
  world: World,
  listener: ListenerFacts,
  syns: readonly Explained[],
  acks: readonly Explained[],
): string {
  const parts = dropped(syns, acks);
  const [from = ''] = timesOf([...syns, ...acks]);
  // of all listeners of the host; where counters of two hosts rose, they say nothing
  const rising = listener.steps('ListenOverflows').filter((s) => s.delta > 0);
  const isOfOne = rising.length > 0 && rising.every((s) => s.series === rising[0]!.series);
  const rise = isOfOne ? rising.reduce((sum, s) => sum + s.delta, 0) : 0;
  const counted = isOfOne ? `; ListenOverflows of its host rose by ${number(rise)}` : '';
  const counters = isOfOne ? rising.map((s) => s.series.source.name) : [];
  const files = [
    ...sourcesOf(
      world,
      [...syns, ...acks].flatMap((e) => e.finding.evidence),
    ),
    ...counters,
  ];
  const likely = HEDGES[weakest([...syns, ...acks])];
  return `${from === '' ? 'The' : `From ${moment(from)} on the`} full queue ${likely}dropped ${list(parts)}${counted}${cite(files)}.`;
}

/** How it ended for those in the queue, and for who came after. */
function ended(
  world: World,
  listener: ListenerFacts,
  own: readonly Explained[],
  reset: readonly Explained[],
): string {
  const refused = own.filter((e) => e.rule.id === REFUSED);
  if (reset.length === 0) return '';
  // several logs may tell of one closing: the time of the finest clock
  const steps = (c: (typeof listener.closings)[number]) => world.source(c.life.source).clock.resolution;
  const [closing] = [...listener.closings].sort((a, b) => steps(a) - steps(b));
  const { timeline } = world.context;
  const time = closing ? timeline.format(closing.moment.at, timeline.label(closing.moment.source)) : '';
  const n = connectionsOf(reset).length;
  const who = closing?.transition.comm
    ? `Process ${closing.transition.comm} (${closing.transition.pid})`
    : 'The process';
  const when = time === '' ? '' : ` at ${moment(time)}`;
  const after =
    refused.length > 0
      ? `; ${count(connectionsOf(refused).length, 'attempt')} ${connectionsOf(refused).length === 1 ? 'was' : 'were'} ${HEDGES[weakest(refused)]}refused`
      : '';
  const files = [
    ...(closing ? [world.source(closing.life.source).name] : []),
    ...sourcesOf(
      world,
      [...reset, ...refused].flatMap((e) => e.finding.evidence),
    ),
  ];
  return `${who} closed the listening socket${when}, and ${count(n, 'connection')} that nobody had accepted ${predicate(n, 'were reset')}${after}${cite(files)}.`;
}

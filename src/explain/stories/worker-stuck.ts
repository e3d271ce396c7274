/**
 * A process that no longer accepts: its accept queue fills with connections that nobody serves (clients that give up
 * leave CLOSE_WAIT there), new SYNs and ACKs are dropped, and when it ends the waiting ones are reset.
 */
import { SERVER } from '../../model/connection.ts';
import type { Evidence } from '../../model/finding.ts';
import type { ListenerFacts, QueueSight } from '../facts/listener.ts';
import type { World } from '../facts/world.ts';
import { refusedSyns } from '../procedures/syn.ts';
import type { Explained } from '../rule.ts';
import { connectionsOf, timesOf, weakest } from '../together.ts';
import { count, HEDGES, list, moment, number, predicate } from '../words.ts';
import type { StoryTeller } from './index.ts';

const LOST_ACK = ['accept-queue-overflow-ack', 'cookie-overflow-reset', 'request-expired-reset'];
const TOLD = [
  'close-wait-unaccepted',
  'accept-queue-overflow-syn',
  'listener-closed-reset',
  'connection-refused',
  ...LOST_ACK,
];
const FILES = 3;

export const workerStuck: StoryTeller = (world, explained) => {
  const byListener = new Map<ListenerFacts, Explained[]>();
  for (const e of explained) {
    if (!TOLD.includes(e.rule.id)) continue;
    const { listener } = e.facts;
    const own = byListener.get(listener);
    if (own) own.push(e);
    else byListener.set(listener, [e]);
  }
  const told = [...byListener].map(([listener, own]) => tell(world, listener, own)).filter((s) => s !== null);
  const [gravest, ...others] = told.sort((a, b) => b.connections - a.connections);
  if (!gravest) return null;
  const left = explained.filter(
    (e) => TOLD.includes(e.rule.id) && !told.some((t) => t.listener === e.facts.listener),
  );
  const also = others.map((t) => t.server).slice(0, FILES);
  if (others.length > FILES) also.push(`${number(others.length - FILES)} more`);
  return {
    sentences: [...gravest.sentences, ...(others.length > 0 ? [`The same happened at ${list(also)}.`] : [])],
    // of these other servers have connections too, which no sentence here speaks of
    rules: TOLD.filter((rule) => !left.some((e) => e.rule.id === rule)),
  };
};

interface Told {
  listener: ListenerFacts;
  server: string;
  sentences: string[];
  connections: number;
}

function tell(world: World, listener: ListenerFacts, own: Explained[]): Told | null {
  const of = (...rules: string[]) =>
    own.filter((e) => rules.includes(e.rule.id) && e.finding.confidence !== 'possible');
  const waiting = of('close-wait-unaccepted', 'listener-closed-reset');
  const syns = of('accept-queue-overflow-syn');
  const acks = of(...LOST_ACK);
  const sight = fullest(world, listener);
  if ((waiting.length === 0 && !listener.fullSight) || syns.length + acks.length === 0) return null;
  const server = world.serverOf(own[0]!.facts.n);
  const sentences = [
    stopped(world, listener, waiting, sight, server),
    lost(world, listener, syns, acks),
    ended(world, listener, own, of('listener-closed-reset')),
  ];
  return {
    listener,
    server,
    sentences: sentences.filter((s) => s !== ''),
    connections: connectionsOf(own).length,
  };
}

/** Of the same queue the table of ss: it names the thread, as the state events do, and where it can the limit. */
function fullest(world: World, listener: ListenerFacts): QueueSight | null {
  const rank = ({ row }: QueueSight) => row.recvQ + (world.source(row.source).format === 'ss' ? 0.5 : 0);
  return listener.sights.reduce<QueueSight | null>(
    (most, s) => (most && rank(most) >= rank(s) ? most : s),
    null,
  );
}

function stopped(
  world: World,
  listener: ListenerFacts,
  waiting: readonly Explained[],
  sight: QueueSight | null,
  server: string,
): string {
  const owner =
    sight?.row.owner === 'known' ? `${sight.row.comm ?? 'process'} (${sight.row.pid ?? '?'})` : null;
  const who = owner
    ? `Process ${owner}, which listens on ${server},`
    : `The process that listens on ${server}`;
  const did = listener.accepted ? 'stopped accepting connections' : 'accepted no connection';
  const closeWait = connectionsOf(waiting).filter(
    (f) => f.life(SERVER)?.was('CLOSE_WAIT') || f.rows(SERVER).some((r) => r.state === 'CLOSE_WAIT'),
  ).length;
  const stood = sight ? sight.row.recvQ : connectionsOf(waiting).length;
  const limit = sight?.row.acceptLimit ? `, 1 more than its limit of ${sight.row.acceptLimit}` : '';
  const full =
    sight && listener.fullSight && sight.row.recvQ === (sight.row.acceptLimit ?? -2) + 1 ? limit : '';
  const left = closeWait > 0 ? `; ${number(closeWait)} of them ended up in CLOSE_WAIT` : '';
  const files = [
    ...(sight ? [world.source(sight.row.source).name] : []),
    ...sourcesOf(
      world,
      waiting.flatMap((e) => e.finding.evidence),
    ),
  ];
  return `${who} ${did}: ${count(stood, 'connection')} ${stood === 1 ? 'was' : 'were'} in its accept queue${full}${left}${cite(files)}.`;
}

function lost(
  world: World,
  listener: ListenerFacts,
  syns: readonly Explained[],
  acks: readonly Explained[],
): string {
  const parts = [];
  const [from = ''] = timesOf([...syns, ...acks]);
  if (syns.length > 0) {
    const facts = connectionsOf(syns);
    const counts = facts.map(refusedSyns);
    const known = counts.filter((n) => n !== null);
    const sent = known.length === counts.length ? known.reduce((a, b) => a + b, 0) : null;
    parts.push(`${sent === null ? 'SYNs' : count(sent, 'SYN')} (${count(facts.length, 'connection')})`);
  }
  if (acks.length > 0) parts.push(`the final ACK of ${count(connectionsOf(acks).length, 'handshake')}`);
  const rise = listener.rise('ListenOverflows');
  const counted = rise ? `; ListenOverflows rose by ${number(rise)}` : '';
  const counters = rise ? listener.steps('ListenOverflows').map((s) => s.series.source.name) : [];
  const files = [
    ...sourcesOf(
      world,
      [...syns, ...acks].flatMap((e) => e.finding.evidence),
    ),
    ...counters,
  ];
  return `${from === '' ? 'The' : `From ${moment(from)} on the`} full queue dropped ${list(parts)}${counted}${cite(files)}.`;
}

/** How it ended for those in the queue, and for who came after. */
function ended(
  world: World,
  listener: ListenerFacts,
  own: readonly Explained[],
  reset: readonly Explained[],
): string {
  const refused = own.filter((e) => e.rule.id === 'connection-refused');
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
      ? `; ${count(connectionsOf(refused).length, 'attempt')} ${connectionsOf(refused).length === 1 ? 'was' : 'were'} ${HEDGES[weakest(refused.map((e) => e.finding))]}refused`
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

function sourcesOf(world: World, evidence: readonly Evidence[]): string[] {
  return evidence.flatMap((e) => (e.source === null ? [] : world.source(e.source - 1).name));
}

/** ` (tcpstates.txt, packets.pcap and 2 more files)`; without folders, which the evidence names. */
function cite(files: readonly string[]): string {
  const names = [...new Set(files.map((f) => f.slice(f.lastIndexOf('/') + 1)))];
  if (names.length === 0) return '';
  const shown = names.slice(0, FILES);
  if (names.length > FILES) shown.push(`${names.length - FILES} more`);
  return ` (${list(shown)})`;
}

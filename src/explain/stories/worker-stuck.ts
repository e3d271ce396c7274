/**
 * A process that no longer accepts: its accept queue fills with connections that nobody serves (clients that give up
 * leave CLOSE_WAIT there), new SYNs and ACKs are dropped, and when it ends the waiting ones are reset.
 */
import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts, QueueSight } from '../facts/listener.ts';
import type { World } from '../facts/world.ts';
import { refusedSyns } from '../procedures/syn.ts';
import type { Explained } from '../rule.ts';
import { count, list, moment, number, predicate } from '../words.ts';
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
  const [gravest] = told.sort((a, b) => b.connections - a.connections);
  return gravest ? { sentences: gravest.sentences, rules: TOLD } : null;
};

interface Told {
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
  const sentences = [
    stopped(world, listener, waiting, sight),
    lost(listener, syns, acks),
    ended(world, listener, own, of('listener-closed-reset')),
  ];
  return {
    sentences: sentences.filter((s) => s !== ''),
    connections: connections(own).length,
  };
}

function connections(all: readonly Explained[]): Facts[] {
  return [...new Set(all.map((e) => e.facts))];
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
): string {
  const server = formatEndpoint(listener.server);
  const owner =
    sight?.row.owner === 'known' ? `${sight.row.comm ?? 'process'} (${sight.row.pid ?? '?'})` : null;
  const who = owner
    ? `The process ${owner}, which listens on ${server},`
    : `The process that listens on ${server}`;
  const did = listener.accepted ? 'stopped accepting connections' : 'accepted no connection';
  const closeWait = connections(waiting).filter(
    (f) => f.life(SERVER)?.was('CLOSE_WAIT') || f.rows(SERVER).some((r) => r.state === 'CLOSE_WAIT'),
  ).length;
  const stood = sight ? sight.row.recvQ : connections(waiting).length;
  const limit = sight?.row.acceptLimit ? `, one more than its limit of ${sight.row.acceptLimit}` : '';
  const full =
    sight && listener.fullSight && sight.row.recvQ === (sight.row.acceptLimit ?? -2) + 1 ? limit : '';
  const left =
    closeWait > 0 ? `; ${number(closeWait)} of those it left waiting came to stand in CLOSE_WAIT` : '';
  const files = [
    ...(sight ? [world.source(sight.row.source).name] : []),
    ...sourcesOf(waiting.flatMap((e) => e.finding.evidence)),
  ];
  return `${who} ${did}: ${count(stood, 'connection')} stood in its accept queue${full}${left}${cite(files)}.`;
}

function lost(listener: ListenerFacts, syns: readonly Explained[], acks: readonly Explained[]): string {
  const parts = [];
  const times = [...syns, ...acks].map((e) => e.finding.time).filter((t) => t !== '');
  if (syns.length > 0) {
    const facts = connections(syns);
    const counts = facts.map(refusedSyns);
    const known = counts.filter((n) => n !== null);
    const sent = known.length === counts.length ? known.reduce((a, b) => a + b, 0) : null;
    parts.push(`${sent === null ? 'SYNs' : count(sent, 'SYN')} of ${count(facts.length, 'connection')}`);
  }
  if (acks.length > 0) parts.push(`the last ACK of ${count(connections(acks).length, 'handshake')}`);
  const rise = listener.rise('ListenOverflows');
  const counted = rise ? `; ListenOverflows rose by ${number(rise)}` : '';
  const clock = (syns[0] ?? acks[0])?.finding.clock;
  const from =
    times.length > 0 && clock !== 'order'
      ? ` from ${moment(times.reduce((a, b) => (a < b ? a : b)))} on`
      : '';
  const counters = rise ? listener.steps('ListenOverflows').map((s) => s.series.source.name) : [];
  const files = [...sourcesOf([...syns, ...acks].flatMap((e) => e.finding.evidence)), ...counters];
  return `The full queue cost ${list(parts)}${from}${counted}${cite(files)}.`;
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
  const n = connections(reset).length;
  const who = closing?.transition.comm
    ? `The process ${closing.transition.comm} (${closing.transition.pid})`
    : 'The process';
  const when = time === '' ? '' : ` at ${moment(time)}`;
  const after =
    refused.length > 0
      ? `; ${count(connections(refused).length, 'attempt')} ${refused.length === 1 ? 'was' : 'were'} refused while nothing listened`
      : '';
  const files = [
    ...(closing ? [world.source(closing.life.source).name] : []),
    ...sourcesOf([...reset, ...refused].flatMap((e) => e.finding.evidence)),
  ];
  return `${who} closed the listening socket${when}, and ${count(n, 'connection')} that nobody had accepted ${predicate(n, 'were reset')} with it${after}${cite(files)}.`;
}

function sourcesOf(evidence: readonly Evidence[]): string[] {
  return evidence.map((e) => e.source).filter((name) => name !== '');
}

/** ` (tcpstates.txt, packets.pcap and 2 more files)`; without folders, which the evidence names. */
function cite(files: readonly string[]): string {
  const names = [...new Set(files.map((f) => f.slice(f.lastIndexOf('/') + 1)))];
  if (names.length === 0) return '';
  const shown = names.slice(0, FILES);
  if (names.length > FILES) shown.push(`${names.length - FILES} more`);
  return ` (${list(shown)})`;
}

/**
 * Causes of an unanswered SYN that the evidence excludes: what they would have counted, dropped or repeated did not
 * happen. An absent event counts only where its probe was attached on the listener's host and lost nothing.
 */
import { SERVER } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import type { Spell } from '../facts/steps.ts';
import { SYN_RTO } from '../facts/timing.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { reachedTcp } from './probed-syn.ts';

/** Below TCP in the server: each frees the packet as dropped (kfree_skb), on every kernel. */
const BELOW_TCP = [
  'netfilter-drop',
  'reverse-path-drop',
  'martian-drop',
  'checksum-drop',
  'other-ingress-drop',
];
/** A request was made, and its timer would send the SYN-ACK again. */
const ANSWER_LOST = ['syn-ack-lost-locally', 'syn-ack-lost-on-path'];
/** tcp_conn_request dropped it, and no counter but ListenDrops says so. */
const IN_LISTEN_DROPS_ONLY = ['syn-backlog-reserve-drop', 'no-reply-route-drop'];
/** All that tcp_conn_request drops but for a full accept queue. */
const DROPPED_BY_LISTENER = ['syn-queue-full-drop', 'syn-backlog-reserve-drop', 'no-reply-route-drop'];
/** Only with SYN cookies off. */
const WITHOUT_COOKIES = ['syn-queue-full-drop', 'syn-backlog-reserve-drop'];
/** Counters of the server's host that each of these raises by one a packet. */
const COUNTED: readonly (readonly [string, string])[] = [
  ['syn-queue-full-drop', 'TCPReqQFullDrop'],
  ['reverse-path-drop', 'IPReversePathFilter'],
  ['checksum-drop', 'TcpInCsumErrors'],
];

/** `lost`: when SYNs without an answer were sent, the first at `moment`; `seen`: a capture shows them, so they left the client. */
export function ruledOut(
  f: Facts,
  moment: Moment | null,
  lost: readonly Spell[],
  seen: boolean,
): ReadonlySet<string> {
  const out = new Set<string>();
  const exclude = (rules: readonly string[], when: boolean) => {
    if (when) for (const r of rules) out.add(r);
  };
  const { listener } = f;
  const rise = (name: string) => {
    const found = f.rise(SERVER, name, lost);
    return found?.covered ? found.sum : null;
  };
  exclude(WITHOUT_COOKIES, (f.sysctl(SERVER, 'net.ipv4.tcp_syncookies') ?? 0) > 0);
  const [drops, overflows] = [rise('ListenDrops'), rise('ListenOverflows')];
  exclude(
    IN_LISTEN_DROPS_ONLY,
    drops !== null && drops === (overflows ?? 0) + (rise('TCPReqQFullDrop') ?? 0),
  );
  exclude(['accept-queue-overflow-syn'], overflows === 0);
  for (const [rule, counter] of COUNTED) exclude([rule], rise(counter) === 0);
  const reached = reachedTcp(f);
  exclude([...BELOW_TCP, 'syn-lost-on-path'], reached === true);
  exclude([...DROPPED_BY_LISTENER, ...ANSWER_LOST, 'accept-queue-overflow-syn'], reached === false);
  exclude(BELOW_TCP, seen && complete(listener, 'drop') && synDrops(f) === 0);
  exclude(ANSWER_LOST, neverRepeated(f, moment));
  return out;
}

function synDrops(f: Facts): number {
  return f.drops.filter((d) => d.flags !== null && !d.socketEnds).length;
}

/** Its request would have had its SYN-ACK sent again a second after the SYN (reqsk_timer_handler). */
function neverRepeated(f: Facts, moment: Moment | null): boolean {
  const [source] = moment === null ? [] : observers(f.listener, 'synack-retransmit');
  if (source === undefined || f.probes.of('synack-retransmit').length > 0) return false;
  const repeated = f.wires.some((w) => w.of(w.wire.synAcks, SERVER) > 1);
  const watched = f.probes.recordedBy(source, moment!);
  return !repeated && watched !== null && watched > 2 * SYN_RTO;
}

/** A source recorded this on the listener's host, and misses none of it. */
function complete(listener: ListenerFacts, probe: string): boolean {
  return observers(listener, probe).length > 0;
}

const observersOf = memoised((listener: ListenerFacts): readonly number[] => [
  ...new Set([
    ...listener.queueLooks.map((l) => l.event.source),
    ...listener.probes.map((p) => p.source),
    ...listener.lives.map((l) => l.source),
  ]),
]);

function observers(listener: ListenerFacts, probe: string): number[] {
  return observersOf(listener).filter(
    (source) => listener.world.source(source).recording?.complete.has(probe) ?? false,
  );
}

/**
 * The counter of one queue rose by just as many as there are SYNs without an answer to this listener, and no ACK of a
 * handshake can have been among them: none is left that anything else can have dropped.
 */
export function allAccounted(f: Facts, counted: number, refused: number): boolean {
  return (
    counted === refused &&
    f.listener.notable.every((g) => g.wires.every((w) => w.of(w.wire.synAcks, SERVER) <= 1))
  );
}

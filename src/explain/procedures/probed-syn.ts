/**
 * What became of a SYN in tcp_conn_request, in the words of a capture's function probes (kernel-notes §3): no event of
 * the kernel's own tells of a SYN dropped there, and the probe sees each with the queues as they stood.
 */
import { CLIENT, SERVER } from '../../model/connection.ts';
import type { ProbeEvent } from '../../model/event.ts';
import { eventEvidence, type Wording } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { ONE_CALL } from '../facts/probes.ts';
import { heldText, heldWhen, isFullLook, lookOf, type QueueLook } from '../facts/queue.ts';
import { EVENTS } from '../mask.ts';
import { memoised } from '../memo.ts';
import type { RuleId } from '../rules/index.ts';
import { count } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker } from './common.ts';
import type { Attempt } from './syn-drops.ts';

/** The queues as tcp_conn_request found them, each drop with its cause; empty when no probe saw a SYN dropped. */
export function probedSyn(f: Facts, attempt: Attempt | null): Candidate[] {
  if ((f.mask & EVENTS) === 0) return [];
  const requests = f.probes.of('conn-request');
  // in the order of tcp_conn_request
  return [...flooded(f, requests, attempt), ...acceptQueueFull(f, attempt), ...noRoute(f, attempt)];
}

function told(
  f: Facts,
  rule: RuleId,
  because: Wording,
  events: readonly ProbeEvent[],
  attempt: Attempt | null,
) {
  const evidence = [
    ...(attempt?.evidence ?? []),
    ...events.slice(0, 4).map((e) => eventEvidence(f.world, e, () => fact(f, e))),
  ];
  const moment = attempt?.moment ?? f.atEvent(events[0]!);
  return maker({ side: 'server', moment, evidence })(rule, 'proved', because);
}

function fact(f: Facts, e: ProbeEvent): string {
  const look = lookOf(f.world, e);
  const { qlen, young } = e.values;
  const queue = look ? `: ${heldText(look)}` : '';
  const half = qlen === undefined ? '' : `, its SYN queue ${qlen} (${young ?? 0} not yet sent again)`;
  return `the server's ${e.name}${queue}${half}`;
}

/** Its SYNs that found the accept queue full (sk_acceptq_is_full): such a SYN is dropped, whatever else. */
export function refusedLooks(f: Facts): QueueLook[] {
  return f.probes
    .of('conn-request')
    .map((e) => lookOf(f.world, e))
    .filter((look) => look !== null)
    .filter(isFullLook);
}

function acceptQueueFull(f: Facts, attempt: Attempt | null): Candidate[] {
  const looks = refusedLooks(f);
  if (looks.length === 0) return [];
  const because = () => heldWhen(looks, 'SYN');
  const events = looks.map((l) => l.event);
  return [told(f, 'accept-queue-overflow-syn', because, events, attempt)];
}

/**
 * The SYN queue was full (inet_csk_reqsk_queue_is_full), and no cookie was to be sent: as tcp_syn_flood_action says,
 * else (it is inlined in many kernels) as the length of the queue and tcp_syncookies do.
 */
function flooded(f: Facts, requests: readonly ProbeEvent[], attempt: Attempt | null): Candidate[] {
  const floods = floodOf(f.listener);
  const off = f.sysctl(SERVER, 'net.ipv4.tcp_syncookies') === 0;
  const dropped = requests.filter(
    (e) => floods.get(e)?.values.cookies === 0 || (off && (e.values.qlen ?? 0) > (e.values.limit ?? 0)),
  );
  const [first] = dropped;
  if (!first) return [];
  const spells = dropped.map((e) => [f.atEvent(e), f.atEvent(e)] as const);
  const counted = f.rise(SERVER, 'TCPReqQFullDrop', spells);
  const { qlen, limit } = first.values;
  const because = () =>
    `its SYN queue held ${qlen} of ${limit} when ${dropped.length === 1 ? 'the SYN' : count(dropped.length, 'SYN')} came, and SYN cookies are off`;
  const c = told(f, 'syn-queue-full-drop', because, dropped, attempt);
  return [
    { ...c, confidence: (counted?.timed && counted.sum > 0) || floods.has(first) ? 'proved' : 'inferred' },
  ];
}

/** inet_csk_route_req returned nothing for this very request. */
function noRoute(f: Facts, attempt: Attempt | null): Candidate[] {
  const failed = f.probes.of('no-route-reply');
  if (failed.length === 0) return [];
  const because = () => `its listener found no route back to ${f.endpoint(CLIENT).address} when the SYN came`;
  return [told(f, 'no-reply-route-drop', because, failed, attempt)];
}

/** A SYN → what tcp_syn_flood_action said of it: the two run one after the other on one CPU. */
export const floodOf = memoised((listener: ListenerFacts): ReadonlyMap<ProbeEvent, ProbeEvent> => {
  const floods = listener.probes.filter((e) => e.name === 'syn-flood');
  const found = new Map<ProbeEvent, ProbeEvent>();
  if (floods.length === 0) return found;
  const moments = [...listener.queueLooks.map((l) => l.event)].filter(
    (e) => e.name === 'conn-request' || e.name === 'syn-flood',
  );
  const last = new Map<string, ProbeEvent>();
  for (const e of moments) {
    const cpu = `${e.source} ${e.values.cpu} ${e.socket}`;
    const syn = last.get(cpu);
    if (e.name === 'conn-request') last.set(cpu, e);
    else if (syn && (e.time ?? 0) - (syn.time ?? 0) <= ONE_CALL) found.set(syn, e);
  }
  return found;
});

/** The SYN reached TCP, and TCP took it: a request was made of it, which only then is repeated or removed. */
export function requestMade(f: Facts): ProbeEvent | null {
  return f.probes.of('synack-retransmit')[0] ?? f.probes.of('request-removed')[0] ?? null;
}

/** Sources that traced tcp_conn_request on the host of this listener, and lost nothing: they show every SYN that came to TCP. */
const tracesOfSyns = memoised((listener: ListenerFacts): readonly number[] => {
  const sources = [
    ...listener.queueLooks.map(({ event }) => event.source),
    ...listener.lives.map((life) => life.source),
  ];
  const isComplete = (id: number) =>
    listener.world.source(id).recording?.complete.has('conn-request') ?? false;
  return [...new Set(sources)].filter(isComplete);
});

/** It had begun, and not ended, when the connection did, however far apart their clocks are. */
function wasTracing(f: Facts, source: number): boolean {
  const { from } = f.probes.recording(source)!;
  const [start] = f.extent;
  const since = f.world.between(start, { source, at: f.world.context.timeline.at(source, from) });
  const left = f.probes.recordedBy(source, start);
  const error = f.world.clockError(start.source, source);
  return since !== null && left !== null && since >= error && left >= error;
}

/** Whether SYNs of this connection reached TCP; null where no probe was there to tell. */
export function reachedTcp(f: Facts): boolean | null {
  if (f.probes.of('conn-request').length > 0) return true;
  return tracesOfSyns(f.listener).some((source) => wasTracing(f, source)) ? false : null;
}

/** Room in both queues, and SYN cookies off: what qlen says of the last quarter of tcp_max_syn_backlog. */
export function reserved(f: Facts): { qlen: number; limit: number; event: ProbeEvent } | null {
  const limit = f.sysctl(SERVER, 'net.ipv4.tcp_max_syn_backlog');
  if (limit === null || f.sysctl(SERVER, 'net.ipv4.tcp_syncookies') !== 0) return null;
  const event = f.probes
    .of('conn-request')
    .find((e) => limit - (e.values.qlen ?? 0) < limit >> 2 && !isFull(e) && !floodOf(f.listener).has(e));
  return event ? { qlen: event.values.qlen ?? 0, limit, event } : null;
}

function isFull(e: ProbeEvent): boolean {
  return (e.values.backlog ?? 0) > (e.values.limit ?? 0);
}

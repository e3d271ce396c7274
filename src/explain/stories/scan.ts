/**
 * A scan: one address tries many ports of a host, or one port of many hosts, once or twice each, and sends no data. Most are
 * refused or silent; the others it leaves as soon as they answer (a RST to the SYN-ACK: half-open scan, made of raw packets).
 * Segments with flags that no TCP sends are a scan too, and bare ACKs of no connection to many well-known ports. Health checks come again and again, and find what they check.
 */
import { formatEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex, type WireConnection } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { HALF_OPEN, OPEN, ORDERLY, type Outcome, REFUSED, UNANSWERED } from '../../model/outcome.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { isSenseless } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import { Numbers } from '../facts/numbers.ts';
import { SYN_RTO } from '../facts/timing.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, HEDGES, list, number } from '../words.ts';
import { cite, covered, during, MAYBE_FILTERED } from './cite.ts';
import type { StoryTeller } from './index.ts';

const MANY = 20;
/** A scanner asks again once where it hears nothing. */
const TRIES = 3;
const RULES = [
  'connection-refused',
  'no-socket-reset',
  'linger-zero-reset',
  'unanswered-syn',
  'handshake-unfinished',
  'unexplained-reset',
];

type Answer = 'refused' | 'silent' | 'half-open' | 'open';

interface Probe {
  n: number;
  client: number;
  answer: Answer;
  at: number;
  /** Flags of no TCP. */
  odd: boolean;
  /** Of bare ACKs of no connection: the port that they came from. */
  acks: number | null;
}

interface Scan {
  probes: Probe[];
  address: string;
  targets: Map<string, Answer>;
  odd: boolean;
}

export const scan: StoryTeller = (world, explained) => {
  const { cases, timeline } = world.context;
  if (cases.count < MANY) return null;
  const byClient = new Map<number, Probe[]>();
  for (let n = 0; n < cases.count; n++) {
    const probe = probeOf(world, n);
    if (probe) getOr(byClient, probe.client, () => []).push(probe);
  }
  for (const [client, probes] of byClient) if (probes.length < MANY) byClient.delete(client);
  if (byClient.size === 0) return null;
  for (const probe of touched(world, byClient)) byClient.get(probe.client)!.push(probe);
  const scans = [...byClient.values()]
    .map((probes) => scanOf(world, probes))
    .filter(isScan)
    .sort((a, b) => b.targets.size - a.targets.size);
  const [largest] = scans;
  if (!largest) return null;
  const { address, probes, targets } = largest;
  const { source } = cases.at(probes[0]!.n).wires[0]!;
  const times = new Numbers();
  for (const p of probes) {
    const at = timeline.at(source, p.at as SourceTime);
    if (at !== null) times.push(at);
  }
  const { sorted } = times;
  const when = during(world, source, (sorted[0] ?? null) as never, (sorted.at(-1) ?? null) as never);
  const scanners = new Set(scans.map((s) => s.address));
  const isFiltered = world.captures.holdsOnlySyns(source);
  const confidence = isFiltered ? 'possible' : 'inferred';
  const action = `If ${address} is no scanner or monitor of your own, block it, and check that what is open should be reachable; refused ports need no fix.`;
  const sentences = [
    `${address} ${HEDGES[confidence]}scanned ${where([...targets.keys()])}${when}: ${list(became(largest))}; ${how(largest)}${cite([world.source(source).name])}.`,
    ...(isFiltered ? [MAYBE_FILTERED] : []),
    action,
  ];
  if (scans.length > 1)
    sentences.push(`${count(scans.length - 1, 'other address', 'other addresses')} scanned too.`);
  const isPart = ({ facts: { case: c } }: Explained) =>
    scanners.has(c.client.address) || scanners.has(c.server.address);
  return {
    sentences,
    title: 'Scan',
    action,
    confidence,
    who: address,
    uncaused: { source, connections: probes.map((p) => p.n) },
    rules: covered(explained, RULES, isPart),
  };
};

const ANSWERS: Partial<Record<Outcome, Answer>> = {
  [REFUSED]: 'refused',
  [UNANSWERED]: 'silent',
  [HALF_OPEN]: 'half-open',
};

/** Null of a connection that is used, or of which too little is known. */
function probeOf(world: World, n: number): Probe | null {
  const { cases } = world.context;
  const outcome = cases.outcome(n);
  if (outcome !== 0) {
    const answer = ANSWERS[outcome];
    const { keys, start } = cases.brief(n);
    return answer ? { n, client: keys[CLIENT], answer, at: start, odd: false, acks: null } : null;
  }
  const { payload, start } = cases.brief(n);
  // without data, in packets
  if (payload[CLIENT] || payload[SERVER] || Number.isNaN(start)) return null;
  const c = cases.at(n);
  const [w] = c.wires;
  if (!w || c.wires.length > 1 || w.bytes[0] + w.bytes[1] > 0) return null;
  const acks = strayAcks(w);
  const side = senseless(w) ?? acks;
  const answer = side === null ? attempted(world, w) : w.rsts[1 - side]! > 0 ? 'refused' : 'silent';
  if (!answer) return null;
  const { address, port } = side === SERVER ? w.server : w.client;
  return {
    n,
    client: cases.keyOf(address),
    answer,
    at: w.start,
    odd: side !== null,
    acks: side !== null && side === acks ? port : null,
  };
}

/** Ports below are of services; those of clients are above. */
const SERVICES = 10_000;

/** Who sent ACKs of nothing, from the port of a client to one of a service, which answered with RSTs at most. */
function strayAcks(w: WireConnection): SideIndex | null {
  if (w.syns[0] + w.syns[1] + w.synAcks[0] + w.synAcks[1] + w.fins[0] + w.fins[1] > 0) return null;
  for (const side of [CLIENT, SERVER] as const) {
    const other = (1 - side) as SideIndex;
    const [own, target] = side === CLIENT ? [w.client, w.server] : [w.server, w.client];
    const isBare = w.packets[side] > 0 && w.packets[side] <= TRIES && w.rsts[side] === 0;
    // of a connection that its host knows: a keepalive, to what a restart or a failover has forgotten
    if (w.keyPackets.some((p) => p.side === side && p.options & OPT_TIMESTAMP)) continue;
    const isAnswered = w.rsts[other] > 0 && w.packets[other] === w.rsts[other];
    if (isBare && isAnswered && own.port >= SERVICES && target.port < SERVICES) return side;
  }
  return null;
}

/** Of these clients also the connections that were made and closed, or left, without a byte. */
function* touched(world: World, clients: ReadonlyMap<number, unknown>): Iterable<Probe> {
  const { cases } = world.context;
  for (let n = 0; n < cases.count; n++) {
    const outcome = cases.outcome(n);
    if (outcome !== ORDERLY && outcome !== OPEN) continue;
    const { keys, payload } = cases.brief(n);
    const [client, server] = keys;
    if (payload[CLIENT] || payload[SERVER] || (!clients.has(client) && !clients.has(server))) continue;
    const [w] = cases.at(n).wires;
    if (!w) continue;
    const side = senseless(w);
    const sender = side === SERVER ? server : client;
    if (!clients.has(sender)) continue;
    if (side !== null) yield { n, client: sender, answer: 'silent', at: w.start, odd: true, acks: null };
    else if (w.synAcks[SERVER] > 0) yield { n, client, answer: 'open', at: w.start, odd: false, acks: null };
  }
}

/** Who sent flags of no TCP, and nothing else. */
function senseless(w: WireConnection): SideIndex | null {
  if (w.syns[0] + w.syns[1] + w.synAcks[0] + w.synAcks[1] > 0) return null;
  const odd = w.keyPackets.find((p) => isSenseless(p.flags));
  return odd && w.packets[odd.side] <= TRIES ? odd.side : null;
}

function attempted(world: World, w: WireConnection): Answer | null {
  const tries = w.syns[CLIENT];
  if (tries === 0) return null;
  if (w.synAcks[SERVER] > 0) return w.packets[CLIENT] === tries + w.rsts[CLIENT] ? 'half-open' : 'open';
  if (w.rsts[SERVER] > 0) return 'refused';
  const waited = world.captures.span(w.source)[1] - w.start;
  return tries < TRIES && waited >= 2 * SYN_RTO ? 'silent' : null;
}

function scanOf(world: World, probes: Probe[]): Scan {
  const { cases } = world.context;
  const targets = new Map<string, Answer>();
  const isClient = ({ n, client }: Probe) => cases.brief(n).keys[CLIENT] === client;
  for (const probe of probes) {
    const { n } = probe;
    const target = isClient(probe) ? cases.servers[cases.server(n)]! : cases.at(n).client;
    targets.set(formatEndpoint(target), probe.answer);
  }
  const last = probes.at(-1)!;
  const { client, server } = cases.at(last.n);
  const { address } = isClient(last) ? client : server;
  return { probes, address, targets, odd: probes.every((p) => p.odd) };
}

/** Many ports of one host or many hosts at one port, each tried a few times; and most of them do not serve it. */
function isScan({ probes, targets, odd }: Scan): boolean {
  if (targets.size < MANY || probes.length > TRIES * targets.size) return false;
  // sockets have a port each, a scanner sends from one
  if (new Set(probes.flatMap((p) => p.acks ?? [])).size > TRIES) return false;
  const { hosts, ports } = spread([...targets.keys()]);
  const isWide = targets.size / hosts.size >= MANY || targets.size / ports.size >= MANY;
  const failed = [...targets.values()].filter((a) => a === 'refused' || a === 'silent').length;
  return isWide && (odd || failed * 2 >= targets.size);
}

function spread(targets: readonly string[]): { hosts: Set<string>; ports: Set<string> } {
  return {
    hosts: new Set(targets.map((t) => t.slice(0, t.lastIndexOf(':')))),
    ports: new Set(targets.map(portOf)),
  };
}

function where(targets: readonly string[]): string {
  const { hosts, ports } = spread(targets);
  const of = hosts.size === 1 ? [...hosts][0]! : count(hosts.size, 'address', 'addresses');
  return `${ports.size === 1 ? `port ${[...ports][0]}` : count(ports.size, 'port')} of ${of}`;
}

function became({ targets, odd }: Scan): string[] {
  const of = (...answers: Answer[]) => [...targets].filter(([, a]) => answers.includes(a)).map(([t]) => t);
  const [refused, silent, open] = [of('refused'), of('silent'), of('open', 'half-open')];
  const { hosts } = spread([...targets.keys()]);
  const named = open.map((t) => (hosts.size === 1 ? `port ${portOf(t)}` : t)).sort();
  const names = open.length > 0 && open.length <= MANY / 2 ? ` (${list(named)})` : '';
  return [
    ...(refused.length > 0 ? [`${number(refused.length)} answered with a RST`] : []),
    ...(silent.length > 0
      ? [`${number(silent.length)} gave no answer${odd ? ' (open, or filtered)' : ''}`]
      : []),
    ...(open.length > 0 ? [`${number(open.length)} ${open.length === 1 ? 'is' : 'are'} open${names}`] : []),
  ];
}

function portOf(target: string): string {
  return target.slice(target.lastIndexOf(':') + 1);
}

function how({ probes, odd }: Scan): string {
  if (odd && probes.every((p) => p.acks !== null))
    return 'it sent bare ACKs of no connection (a RST: not filtered)';
  if (odd) return 'it sent flags that no TCP sends';
  const answered = probes.filter((p) => p.answer === 'half-open' || p.answer === 'open');
  if (answered.length === 0) return 'it sent one SYN to most and no data';
  return answered.every((p) => p.answer === 'half-open')
    ? 'it completed no handshake (half-open scan)'
    : 'it sent no data';
}

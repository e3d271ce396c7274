/**
 * A SYN flood: very many attempts on one port within the life of a request, of one SYN each and nothing after it. A client
 * that is there answers the SYN-ACK, or sends its SYN again after a second (kernel-notes §3); who forges addresses does
 * neither. What became of the SYNs the packets show; which queue took them the counters of the server's host, and what those
 * leave is said. An address that also completed a handshake there is a real client's.
 */
import { type Case, numberOf } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import type { Confidence } from '../../model/finding.ts';
import { HALF_OPEN, OPEN, ORDERLY, UNANSWERED } from '../../model/outcome.ts';
import { type CommonTime, NS_PER_MS, type SourceTime } from '../../model/time.ts';
import { distinct, Numbers } from '../facts/numbers.ts';
import { REQUEST_LIFE, SYN_RTO } from '../facts/timing.ts';
import type { World } from '../facts/world.ts';
import { endOf } from '../incident-who.ts';
import { isUnclear } from '../mask.ts';
import { count, HEDGES, list, number } from '../words.ts';
import { cite, covered, during, MAYBE_FILTERED } from './cite.ts';
import { counted } from './flood-counters.ts';
import type { StoryTeller } from './index.ts';

/** Fewer at one time are a scan, or clients that were switched off. */
const MANY = 100;
/** No path on Earth takes longer, but for satellites and full queues: of a hundred clients few are so far away. */
const LONGEST_RTT = 500 * NS_PER_MS;
/** A flood goes on when the next SYN comes within this time. */
const PAUSE = 100 * NS_PER_MS;
const RULES = [
  'handshake-unfinished',
  'unanswered-syn',
  'syn-queue-full-drop',
  'accept-queue-overflow-syn',
  'netfilter-drop',
];
/** Of clients that answer the SYN-ACK with a RST: hosts whose addresses were forged. */
const ANSWERED = 'no-socket-reset';

const CAPTURE_ALL =
  'Capture all segments, not only those with SYN: they show whether these connections were served.';
const KEEP_OUT =
  'Check that net.ipv4.tcp_syncookies is 1 (the default), and have the SYNs limited or filtered before they reach the host; the addresses may be forged.';

interface Flood {
  case: Case;
  /** Those of one SYN each. */
  attempts: Numbers;
  answered: number;
  silent: number;
  /** Begun so late that what they became is not in the file. */
  late: number[];
  /** Those whose address answered the SYN-ACK with a RST. */
  reset: Set<number>;
  /** All connections of its server. */
  members: Int32Array;
  /** See addressKey; some again and again. */
  clients: number[];
  times: Numbers;
  from: CommonTime | null;
  to: CommonTime | null;
  /** Whose clock the times are of. */
  source: number;
  sources: Set<number>;
}

export const synFlood: StoryTeller = (world, explained) => {
  const { cases } = world.context;
  if (cases.count < MANY) return null;
  const [largest, ...others] = world.byServer
    .flatMap((own) => (own.length < MANY ? [] : [floodOf(world, own)]))
    .filter(isFlood)
    .map((flood) => withLate(world, flood))
    .sort((a, b) => size(b) - size(a));
  if (!largest) return null;
  const servers = new Set([largest, ...others].map((f) => cases.server(f.members[0]!)));
  const resets = new Set([largest, ...others].flatMap((f) => [...f.reset]));
  const isFiltered = mayBeFiltered(world, largest);
  const confidence = isFiltered ? 'possible' : 'inferred';
  const first = largest.members[0]!;
  return {
    sentences: tell(world, largest, confidence, others),
    title: 'SYN flood',
    action: isFiltered ? CAPTURE_ALL : KEEP_OUT,
    confidence,
    who: endOf(world, world.facts(first), SERVER, first),
    uncaused: { source: largest.source, connections: [...largest.attempts.sorted] },
    rules: covered(explained, [...RULES, ANSWERED], (e) =>
      e.rule.id === ANSWERED ? resets.has(e.facts.n) : servers.has(cases.server(e.facts.n)),
    ),
  };
};

function size({ answered, silent, reset }: Flood): number {
  return answered + silent + reset.size;
}

/**
 * So many at once that their requests are all there at one time. Without SYN-ACKs a few addresses may be clients with a short
 * timeout of their own, or one that scans.
 */
function isFlood({ answered, clients, times }: Flood): boolean {
  if (answered < MANY && distinct(clients).length < MANY) return false;
  const { sorted } = times;
  for (let i = MANY - 1; i < sorted.length; i++) {
    if (sorted[i]! - sorted[i - MANY + 1]! <= REQUEST_LIFE) return true;
  }
  return false;
}

function floodOf(world: World, members: Int32Array): Flood {
  const { cases, timeline } = world.context;
  const first = cases.at(members[0]!);
  const flood: Flood = {
    case: first,
    attempts: new Numbers(),
    answered: 0,
    silent: 0,
    late: [],
    reset: new Set(),
    members,
    clients: [],
    times: new Numbers(),
    from: null,
    to: null,
    source: first.wires[0]?.source ?? 0,
    sources: new Set(),
  };
  for (const n of members) {
    const outcome = cases.outcome(n);
    if (outcome === HALF_OPEN || outcome === UNANSWERED) {
      const {
        keys: [clientKey],
        start,
      } = cases.brief(n);
      const isAnswered = outcome === HALF_OPEN;
      if (!isForsaken(world, flood.source, start, isAnswered)) {
        flood.late.push(n);
        continue;
      }
      flood.sources.add(flood.source);
      add(flood, n, isAnswered, clientKey, timeline.at(flood.source, start as SourceTime));
    }
    if (outcome !== 0 || !isUnclear(world.mask(n))) continue;
    const c = cases.at(n);
    if (isRefusedByClient(c)) flood.reset.add(n);
    const answers = forsaken(world, c);
    if (answers === null) continue;
    const client = cases.keyOf(c.client.address);
    flood.sources.add(c.wires[0]!.source);
    add(flood, n, answers, client, startOf(world, flood, c));
  }
  return flood;
}

/** Of a flood its last SYNs are a part too, as long as it goes on, and meanwhile those whose forged address belongs to somebody. */
function withLate(world: World, flood: Flood): Flood {
  const { cases, timeline } = world.context;
  for (const n of flood.late) {
    const { keys, start } = cases.brief(n);
    const at = timeline.at(flood.source, start as SourceTime);
    if (at === null || flood.to === null || at - flood.to > PAUSE) continue;
    add(flood, n, cases.outcome(n) === HALF_OPEN, keys[CLIENT], at);
  }
  const { from, to } = flood;
  for (const n of [...flood.reset]) {
    const at = startOf(world, flood, cases.at(n));
    // health checks and scans end so too, at any time
    if (at === null || from === null || to === null || at < from - PAUSE || at > to + PAUSE)
      flood.reset.delete(n);
    else place(flood, n, cases.brief(n).keys[CLIENT], at);
  }
  return flood;
}

/** When its capture saw it begin, on the clock of the flood; null when they cannot be compared. */
function startOf({ context: { timeline } }: World, flood: Flood, { wires: [w] }: Case): CommonTime | null {
  return w && timeline.comparable(w.source, flood.source) ? timeline.at(w.source, w.start) : null;
}

/** One SYN, its SYN-ACK, and bare RSTs of the client. */
function isRefusedByClient({ wires, lives, client }: Case): boolean {
  const [w] = wires;
  if (!w || wires.length > 1 || lives[CLIENT] || w.client.address !== client.address) return false;
  if (w.syns[CLIENT] !== 1 || w.synAcks[SERVER] === 0 || w.rsts[SERVER] > 0) return false;
  return w.rsts[CLIENT] > 0 && w.packets[CLIENT] === 1 + w.rsts[CLIENT];
}

function add(flood: Flood, n: number, isAnswered: boolean, client: number, at: CommonTime | null): void {
  if (isAnswered) flood.answered++;
  else flood.silent++;
  place(flood, n, client, at);
}

function place(flood: Flood, n: number, client: number, at: CommonTime | null): void {
  flood.attempts.push(n);
  flood.clients.push(client);
  if (at !== null) flood.times.push(at);
  if (at !== null && (flood.from === null || at < flood.from)) flood.from = at;
  if (at !== null && (flood.to === null || at > flood.to)) flood.to = at;
}

/** The capture went on for so long that the client would have acknowledged the SYN-ACK, or sent its SYN again. */
function isForsaken(world: World, source: number, start: number, isAnswered: boolean): boolean {
  return world.captures.span(source)[1] - start >= (isAnswered ? LONGEST_RTT : 2 * SYN_RTO);
}

/** One SYN, and nothing more of that client although there was time: whether it was answered. null for all others. */
function forsaken(world: World, { wires, lives, client, icmp }: Case): boolean | null {
  const [w] = wires;
  if (!w || wires.length > 1 || lives[CLIENT] || w.client.address !== client.address) return null;
  // connect() has ended with the error, and sends nothing more
  if (icmp.length > 0) return null;
  const packets = w.packets;
  if (packets[CLIENT] !== 1 || w.syns[CLIENT] !== 1 || w.rsts[SERVER] > 0) return null;
  const isAnswered = w.synAcks[SERVER] > 0;
  return isForsaken(world, w.source, w.start, isAnswered) ? isAnswered : null;
}

/** Addresses of those who completed a handshake with the server (see addressKey). */
function completedOf({ context: { cases } }: World, members: Int32Array): Set<number> {
  const completed = new Set<number>();
  for (const n of members) {
    const outcome = cases.outcome(n);
    if (outcome === ORDERLY || outcome === OPEN) completed.add(cases.brief(n).keys[CLIENT]);
    if (outcome !== 0) continue;
    const c = cases.at(n);
    if (isCompleted(c)) completed.add(cases.keyOf(c.client.address));
  }
  return completed;
}

/** The client acknowledged the SYN-ACK: it is there. */
function isCompleted({ wires: [w], client, lives }: Case): boolean {
  if (lives[CLIENT]?.transitions.some((t) => t.to === 'ESTABLISHED')) return true;
  if (!w || w.client.address !== client.address || w.synAcks[SERVER] === 0) return false;
  return w.packets[CLIENT] > w.syns[CLIENT] + w.rsts[CLIENT];
}

function tell(world: World, flood: Flood, confidence: Confidence, others: readonly Flood[]): string[] {
  const when = during(world, flood.source, flood.from, flood.to);
  const { answered, silent, reset } = flood;
  const became = [
    ...(answered > 0 ? [`${number(answered)} got a SYN-ACK that nobody acknowledged`] : []),
    ...(silent > 0 ? [`${number(silent)} got no SYN-ACK`] : []),
    ...(reset.size > 0 ? [`${number(reset.size)} answered the SYN-ACK with a RST`] : []),
  ];
  const from = count(distinct(flood.clients).length, 'address', 'addresses');
  const n = numberOf(flood.case);
  const sentences = [
    `${world.serverOf(n)} ${HEDGES[confidence]}received a SYN flood${when}: ${count(size(flood), 'connection')} from ${from}, each with one SYN and ${reset.size > 0 ? 'no ACK' : 'nothing'} after it; ` +
      `${list(became)}${cite([...flood.sources].map((id) => world.source(id).name))}.`,
    `${counted(world.listenerOf(n), flood)}${logged(world, flood)}`,
    confidence === 'possible' ? MAYBE_FILTERED : whoseAddresses(world, flood),
  ];
  if (others.length > 0) {
    const hedge = HEDGES[others.some((o) => mayBeFiltered(world, o)) ? 'possible' : 'inferred'];
    sentences.push(`${count(others.length, 'other server')} ${hedge}received a SYN flood too.`);
  }
  return sentences;
}

/** What followed the SYN-ACKs may have been filtered out; one that is sent again was not acknowledged. */
function mayBeFiltered(world: World, { sources, members, answered }: Flood): boolean {
  if (![...sources].every((id) => world.captures.holdsOnlySyns(id))) return false;
  let repeated = 0;
  const { cases } = world.context;
  for (const n of members) {
    if (cases.outcome(n) === UNANSWERED) continue;
    const { wires } = cases.at(n);
    if (wires.some((w) => w.synAcks[CLIENT] + w.synAcks[SERVER] > 1)) repeated++;
  }
  return 2 * repeated <= answered;
}

/** Before, meanwhile or after. */
function whoseAddresses(world: World, { clients, members }: Flood): string {
  const all = distinct(clients);
  const known = completedOf(world, members);
  const real = all.filter((key) => known.has(key)).length;
  const others = count(all.length - real, 'address', 'addresses');
  const forged = 'forged, or of hosts that do not answer';
  if (real === 0)
    return `None of these addresses completed a handshake with it in these files: they are ${forged}.`;
  const clientsOf = `${count(real, 'address', 'addresses')} also completed a handshake with it and ${real === 1 ? 'is a real client' : 'are real clients'}`;
  return real === all.length ? `${clientsOf}.` : `${clientsOf}; the other ${others} did not: ${forged}.`;
}

/** The kernel's line comes once a listener: one from before the flood is of another. */
function logged(world: World, { case: c, source, from, to }: Flood): string {
  const line = world.context.log.find((e) => {
    if (!e.what.startsWith('syn-flood') || e.port !== c.server.port) return false;
    const { at } = world.momentOf(e);
    if (at === null || from === null || to === null || !world.context.timeline.comparable(e.source, source))
      return true;
    return at >= from - REQUEST_LIFE && at <= to + REQUEST_LIFE;
  });
  if (!line) return '';
  const does = line.what === 'syn-flood-cookies' ? 'SYNs answered with cookies' : 'SYNs dropped';
  return ` The kernel's log reports a full SYN queue on port ${line.port} too: ${does}${cite([world.source(line.source).name])}.`;
}

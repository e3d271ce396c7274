/**
 * SYNs and SYN-ACKs lost below TCP, in tcp_conn_request without a queue being full, or between two captures:
 * kernel-notes §3. A drop event that names the packet proves; a second capture shows on which stretch; counters leave
 * what none of the others counts.
 */
import { CLIENT, SERVER } from '../../model/connection.ts';
import { DIRECTION_IN, OPT_DAMAGED, OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { crossing } from '../facts/crossing.ts';
import {
  type Citation,
  counterEvidence,
  eventEvidence,
  packetEvidence,
  reasoning,
  rowEvidence,
  type Wording,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { Spell } from '../facts/steps.ts';
import { MARGIN, SHORTEST_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { Moment } from '../rule.ts';
import type { RuleId } from '../rules/index.ts';
import { count, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker } from './common.ts';
import { reachedTcp, requestMade, reserved } from './probed-syn.ts';

/** What the steps here need of an unanswered SYN. */
export interface Attempt {
  syns: number | null;
  moment: Moment | null;
  /** When those without an answer were sent. */
  lost: readonly Spell[];
  evidence: Citation[];
}

/** Two captures of it: seen here and not there, so lost in between. */
export function lostBetween(f: Facts, attempt: Attempt): Candidate[] {
  const both = crossing(f);
  if (!both) return [];
  const { lostSyns, lostSynAcks, without } = both;
  const name = (source: number) => f.world.source(source).name;
  const build = (rule: RuleId, what: string, lost: typeof lostSyns): Candidate => {
    const [first] = lost as [(typeof lostSyns)[number]];
    const running = lost.some((s) => s.running);
    const because = () =>
      `${count(lost.length, what)} ${lost.length === 1 ? 'is' : 'are'} in ${name(first.wire.wire.source)} and not in ${name(without)}` +
      (running ? ', which was running then' : ', which may not have been running then');
    return {
      rule,
      side: 'path',
      confidence: running ? 'inferred' : 'possible',
      because,
      moment: f.atPacket(first.wire, first.packet),
      evidence: withMissing(
        attempt.evidence,
        lost.slice(0, 3).map((s) => packetEvidence(f, s.wire, s.packet, 'seen here only')),
      ),
    };
  };
  const found = [];
  if (lostSyns.length > 0) found.push(build('syn-lost-on-path', 'SYN', lostSyns));
  if (lostSynAcks.length > 0) found.push(build('syn-ack-lost-on-path', 'SYN-ACK', lostSynAcks));
  return found;
}

/** A packet that both lists name stands there once, with what both say of it. */
function withMissing(known: readonly Citation[], lost: readonly Citation[]): Citation[] {
  const twin = (a: Citation) => lost.find((b) => a.source === b.source && a.at === b.at);
  const told = known.map((e) => (twin(e) ? onlyHere(e) : e));
  return [...told, ...lost.filter((b) => !known.some((a) => twin(a) === b))];
}

function onlyHere(known: Citation): Citation {
  const tell = () => {
    const told = known.tell();
    return { ...told, fact: `${told.fact}, seen here only` };
  };
  return { ...known, tell };
}

/** The server made a request of the SYN, and its SYN-ACK is not on the wire: its table shows it, or the next repeat. */
export function requestWithoutAnswer(f: Facts, attempt: Attempt): Candidate[] {
  const row = f.rows(SERVER).find((r) => r.state === 'SYN_RECV');
  const event = requestMade(f);
  const { wire } = f;
  if ((row || event) && wire && wire.of(wire.wire.synAcks, SERVER) === 0) {
    const shown = event ? `the kernel's ${event.name}` : 'SYN-RECV in a socket table';
    const because = () =>
      `the server has a half-open connection for it (${shown}), so it took the SYN and sent a SYN-ACK, but no capture shows one`;
    const evidence = [
      ...attempt.evidence,
      event
        ? eventEvidence(f.world, event, () => `the kernel's ${event.name} of its half-open connection`)
        : rowEvidence(f.world, row!, 'its SYN was taken'),
      reasoning(because),
    ];
    return [
      maker({ side: 'server', moment: attempt.moment, evidence })(
        'syn-ack-lost-locally',
        'inferred',
        because,
      ),
    ];
  }
  for (const w of f.wires) {
    const found = repeatedAtFirst(f, w, attempt);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * The first SYN-ACK that the capture shows answers no SYN: it came by the server's timer, a second and more after the
 * last SYN, where other SYNs were answered at once. So there had been one before it.
 */
function repeatedAtFirst(f: Facts, wire: WireFacts, attempt: Attempt): Candidate[] {
  const synAck = wire.packets.find(
    (p) => (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
  );
  const syn = synAck && wire.before(synAck, CLIENT)[0];
  const usual = f.listener.answerTime(wire.wire.source);
  if (!synAck || !syn || usual === null || !(syn.flags & SYN)) return [];
  const gap = synAck.time - syn.time;
  if (gap < usual + SHORTEST_RTO) return [];
  // a request echoes the timestamp of the last SYN it got: this one answers an earlier SYN, and is late; cut off, it may be so
  if ((synAck.options | syn.options) & OPT_DAMAGED) return [];
  if (synAck.options & syn.options & OPT_TIMESTAMP && synAck.tsEcr !== syn.tsVal) return [];
  const because = () =>
    `the first SYN-ACK in the capture came ${span(gap)} after the last SYN, where others came ${span(usual)} after: the server had sent one before, which is not there`;
  const evidence = [
    ...attempt.evidence,
    packetEvidence(f, wire, syn, 'the last SYN before'),
    packetEvidence(f, wire, synAck, 'not in answer to a SYN: sent by the timer'),
  ];
  const make = maker({ side: 'server', moment: attempt.moment, evidence });
  // answered within a softirq, and not received by the host that captures: the capture is the server's own
  const own = usual < MARGIN && wire.of(wire.wire.direction, SERVER) !== DIRECTION_IN;
  const path = make('syn-ack-lost-on-path', 'possible', because);
  const local = make('syn-ack-lost-locally', own ? 'inferred' : 'possible', because);
  return own ? [local, path] : [path, local];
}

/** Counters that rise by one for each packet dropped below TCP. */
const COUNTED: readonly { rule: RuleId; counter: string; why: string }[] = [
  {
    rule: 'reverse-path-drop',
    counter: 'IPReversePathFilter',
    why: 'rp_filter does not accept that source on that interface',
  },
  {
    rule: 'checksum-drop',
    counter: 'TcpInCsumErrors',
    why: 'segments with a wrong checksum are dropped before TCP looks at them',
  },
  {
    rule: 'other-ingress-drop',
    counter: 'TCPMinTTLDrop',
    why: 'their TTL was below the least that the socket accepts',
  },
  { rule: 'other-ingress-drop', counter: 'IpInNoRoutes', why: 'the host had no route for their destination' },
  {
    rule: 'other-ingress-drop',
    counter: 'IpInAddrErrors',
    why: 'their destination was not an address of the host',
  },
];

/** How much a counter of the server's host rose in the steps that may hold its SYNs; 0 only where they hold all of them. */
function riseOf(f: Facts, name: string, { lost }: Attempt): number | null {
  const rise = f.rise(SERVER, name, lost);
  return rise && (rise.sum > 0 || rise.covered) ? rise.sum : null;
}

/** What the counters of the server's host leave, once its queues are out of the question. */
export function byCounters(f: Facts, attempt: Attempt): Candidate[] {
  const rise = (name: string) => riseOf(f, name, attempt);
  const drops = rise('ListenDrops');
  const syns = attempt.syns ?? 1;
  const evidence = (names: readonly string[]) => [
    ...attempt.evidence,
    ...names.flatMap((name) =>
      (f.rise(SERVER, name, attempt.lost)?.steps ?? []).map((s) =>
        counterEvidence(f.world, s.reading, () => `${name} ${s.from} → ${s.to} (+${s.delta})`),
      ),
    ),
  ];
  const make = (
    rule: RuleId,
    confidence: Candidate['confidence'],
    because: Wording,
    names: readonly string[],
  ) =>
    maker({ side: 'server', moment: attempt.moment, evidence: evidence(names) })(rule, confidence, because);

  const reached = reachedTcp(f);
  if (reached !== false && drops !== null && drops >= syns)
    return dropsOfListener(f, drops, syns, rise('IpOutNoRoutes'), make);
  if (fromItself(f)) {
    const because = "its source is the server's own address, which a host takes from outside for a martian";
    return [make('martian-drop', 'inferred', because, [])];
  }
  for (const { rule, counter, why } of COUNTED) {
    const n = rise(counter) ?? 0;
    if (n >= syns)
      return [make(rule, 'inferred', () => `${counter} rose by ${n} meanwhile: ${why}`, [counter])];
  }
  return reached === false || (reached === null && drops === 0) ? [belowTcp(f, rise, make)] : [];
}

type Build = (
  rule: RuleId,
  confidence: Candidate['confidence'],
  because: Wording,
  names: readonly string[],
) => Candidate;

/** ListenDrops without ListenOverflows or TCPReqQFullDrop: no route back, the 3/4 rule, memory, a security module. */
function dropsOfListener(
  f: Facts,
  drops: number,
  syns: number,
  noRoute: number | null,
  make: Build,
): Candidate[] {
  const counted = () => `ListenDrops rose by ${drops} and ListenOverflows by none`;
  if (noRoute !== null && noRoute >= syns) {
    const because = () =>
      `${counted()}, and IpOutNoRoutes by ${noRoute}: the listener found no route back to ${f.endpoint(CLIENT).address}`;
    return [make('no-reply-route-drop', 'inferred', because, ['ListenDrops', 'IpOutNoRoutes'])];
  }
  const told = reserved(f);
  const halfOpen = told?.qlen ?? f.listener.halfOpen;
  const limit = f.sysctl(SERVER, 'net.ipv4.tcp_max_syn_backlog');
  const cookies = f.sysctl(SERVER, 'net.ipv4.tcp_syncookies');
  const many = () =>
    halfOpen > 0 ? `, while ${count(halfOpen, 'connection was', 'connections were')} half-open` : '';
  const full = limit !== null && limit - halfOpen < limit >> 2;
  const reserve = make(
    'syn-backlog-reserve-drop',
    cookies === 0 && full ? 'inferred' : 'possible',
    () =>
      `${counted()}${many()}: with SYN cookies off the last quarter of tcp_max_syn_backlog${limit === null ? '' : ` (${limit})`} is kept for known peers`,
    ['ListenDrops'],
  );
  const other = make(
    'no-reply-route-drop',
    'possible',
    () => `${counted()}: no route back, no memory for a half-open connection, or a security module`,
    ['ListenDrops'],
  );
  if (cookies !== null && cookies > 0) return [other];
  return halfOpen > 0 ? [reserve, other] : [other, reserve];
}

/** A capture of the host that owns the address would show such a packet only when it came from outside. */
function fromItself(f: Facts): boolean {
  const { client, server } = f.case;
  return (
    client.address === server.address &&
    !/^(127\.|::1$)/.test(client.address) &&
    f.wire?.of(f.wire.wire.direction, CLIENT) !== 2
  );
}

/** No counter of the server moved: nothing below counts what netfilter drops. */
function belowTcp(f: Facts, rise: (name: string) => number | null, make: Build): Candidate {
  if (reachedTcp(f) === false) {
    const because =
      'tcp_conn_request was traced all the while and lost nothing, and none of these SYNs came to it: they were dropped in the server below TCP, as in a firewall';
    return make('netfilter-drop', 'inferred', because, []);
  }
  const known = COUNTED.filter(({ counter }) => rise(counter) === 0).map((c) => c.counter);
  const shared = crossing(f);
  const reached = shared?.allShared === true && rise('TCPSynRetrans') === 0;
  const because = () =>
    `no counter of the server's TCP rose (ListenDrops${known.length > 0 ? `, ${known.join(', ')}` : ''})` +
    (reached
      ? ', and both captures show the SYNs: they were dropped in the server before TCP saw them, as in a firewall'
      : ': they did not get as far as its listener');
  return make('netfilter-drop', reached ? 'inferred' : 'possible', because, []);
}

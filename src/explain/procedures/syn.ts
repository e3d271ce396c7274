/**
 * A SYN that nobody answered, or only after it was sent again: where it may have died (kernel-notes §3). No event
 * tells of a SYN dropped in tcp_conn_request; counters and the accept queue do.
 */

import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { UNANSWERED } from '../../model/outcome.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import type { CommonTime } from '../../model/time.ts';
import { crossing } from '../facts/crossing.ts';
import {
  type Citation,
  counterEvidence,
  eventEvidence,
  packetEvidence,
  rowEvidence,
  transitionEvidence,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { QueueSight } from '../facts/listener.ts';
import { heldText, isFullLook, type QueueLook } from '../facts/queue.ts';
import type { Rise, Spell } from '../facts/steps.ts';
import { SHORTEST_RTO, SYN_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { capital, list, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker, named } from './common.ts';
import { droppedSyn } from './drop-events.ts';
import { ecnBlackHole } from './ecn.ts';
import { icmpRejection, traceroute } from './icmp.ts';
import { probedSyn, reachedTcp, refusedLooks } from './probed-syn.ts';
import { allAccounted, ruledOut } from './ruled-out.ts';
import { refusedOnHost } from './shared-counters.ts';
import { attemptText, FIRST_TRY, NOWHERE, SYN_CAUSES } from './silence.ts';
import { byCounters, lostBetween, requestWithoutAnswer } from './syn-drops.ts';
import { untranslatedReply } from './untranslated.ts';

/** An unanswered SYN, as the evidence shows it. */
export interface SilentSyn {
  /** SYNs seen; null when only a socket table or the state log shows the attempt. */
  syns: number | null;
  /** Seconds after the first at which it was sent again. */
  retries: number[];
  /** The attempt succeeded in the end, after this long. */
  answeredAfter: number | null;
  /** The attempt was given up, as the client's state events say. */
  gaveUp: boolean;
  /** The capture holds nothing but SYNs, as a filter leaves them: an answer could not be in it. */
  isFiltered: boolean;
  /** Longer than the first retransmission takes; otherwise the answer may still have been under way. */
  overdue: boolean;
  moment: Moment | null;
  /** When those without an answer were sent. */
  lost: readonly Spell[];
  evidence: Citation[];
}

export const silentSyn = memoised((f: Facts): SilentSyn | null => {
  // of two captures the client's shows the SYNs that the server's lacks
  const seen = f.wires.map((wire) => onWire(f, wire)).filter((s) => s !== null);
  seen.sort((a, b) => (b.syns ?? 0) - (a.syns ?? 0));
  return seen[0] ?? inStates(f) ?? inTables(f) ?? inConntrack(f);
});

function onWire(f: Facts, wire: WireFacts): SilentSyn | null {
  if (wire.of(wire.wire.syns, CLIENT) === 0) return null;
  // the answers are not in the file: that there were none it does not show
  if (wire.oneDirection || f.world.isOneDirection(wire.wire.source)) return null;
  const own = wire.packets.filter((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  const [first] = own;
  if (!first) return null;
  const ofServer = wire.packets.filter((p) => wire.sideOf(p) === SERVER);
  const answer = ofServer.find((p) => p.flags & RST || seqDiff(p.ack, first.seq + 1) === 0);
  const strangers = answer ? [] : ofServer.filter((p) => !(p.flags & (ACK | SYN)));
  if (strangers.length > 0 || (answer && !(answer.flags & (SYN | RST)))) return null;
  // each was answered, with numbers that the client could not take
  const until = (i: number) => own[i + 1]?.time ?? Number.POSITIVE_INFINITY;
  if (!answer && own.every((p, i) => ofServer.some((a) => a.time >= p.time && a.time < until(i))))
    return null;
  const before = answer ? own.filter((p) => p.time < answer.time) : own;
  // answered at the first try, or sent again at once because an old connection's ACK came back
  const waited = (before.at(-1)?.time ?? first.time) - first.time;
  if (answer && waited < SHORTEST_RTO) return null;
  // the capture ends before the SYN could be sent again: its answer may have come
  const left = f.world.captureSpan(wire.wire.source)[1] - first.time;
  if (waited < SHORTEST_RTO && left < SYN_RTO) return null;
  const isFiltered = !answer && f.world.holdsNoSynAcks(wire.wire.source);
  const retries = before.slice(1).map((p) => (p.time - first.time) / 1e9);
  return {
    syns: before.length,
    retries,
    answeredAfter: answer ? answer.time - first.time : null,
    gaveUp: givenUp(f),
    isFiltered,
    overdue: !isFiltered || waited >= SHORTEST_RTO,
    moment: f.atPacket(wire, first),
    lost: before.slice(0, answer ? -1 : undefined).map((p) => [f.atPacket(wire, p), f.atPacket(wire, p)]),
    evidence: synEvidence(f, wire, before, answer),
  };
}

function synEvidence(
  f: Facts,
  wire: WireFacts,
  syns: KeyPacket[],
  answer: KeyPacket | undefined,
): Citation[] {
  const items = [packetEvidence(f, wire, syns[0]!, FIRST_TRY)];
  if (syns.length > 1) items.push(packetEvidence(f, wire, syns.at(-1)!, () => `try ${syns.length}`));
  if (answer) items.push(packetEvidence(f, wire, answer, 'the first answer'));
  return items;
}

function givenUp(f: Facts): boolean {
  return f.life(CLIENT)?.find('SYN_SENT', 'CLOSE') != null;
}

/** The client's socket stayed in SYN_SENT for longer than the first retransmission takes. */
function inStates(f: Facts): SilentSyn | null {
  const life = f.life(CLIENT);
  if (!life || f.wire) return null;
  const end = life.find('SYN_SENT', 'ESTABLISHED') ?? life.find('SYN_SENT', 'CLOSE');
  if (!end || end.duration === null || end.duration < SHORTEST_RTO) return null;
  const ended = f.atTransition(life, end);
  const begun = ended.at === null ? null : ((ended.at - end.duration) as CommonTime);
  return {
    syns: null,
    retries: [],
    answeredAfter: end.to === 'ESTABLISHED' ? end.duration : null,
    gaveUp: end.to === 'CLOSE',
    isFiltered: false,
    overdue: true,
    moment: ended,
    lost: [[{ ...ended, at: begun }, ended]],
    evidence: [transitionEvidence(f, life, end)],
  };
}

/** A table caught the client in SYN_SENT, and nothing shows that it got any further. */
function inTables(f: Facts): SilentSyn | null {
  if (f.wire || f.life(CLIENT)) return null;
  const rows = f.rows(CLIENT);
  if (rows.length === 0 || f.rows(SERVER).length > 0 || rows.some((r) => r.state !== 'SYN_SENT')) return null;
  return {
    syns: null,
    retries: [],
    answeredAfter: null,
    gaveUp: false,
    isFiltered: false,
    overdue: rows.length > 1 || rows.some((r) => (r.timer?.retransmits ?? 0) > 0),
    moment: f.atEvent(rows[0]!),
    lost: [[f.atEvent(rows[0]!), f.atEvent(rows.at(-1)!)]],
    evidence: rows.slice(0, 3).map((r) => rowEvidence(f.world, r)),
  };
}

/** Connection tracking saw no answer; that none came it knows when the entry has ended. */
function inConntrack(f: Facts): SilentSyn | null {
  const { kernel, lives, rows } = f.case;
  if (f.wire || lives[CLIENT] || lives[SERVER] || rows.length > 0) return null;
  const entries = kernel.filter((e) => e.kind === 'probe').filter((e) => e.name === 'conntrack');
  if (entries.length === 0 || entries.some((e) => !e.values.unreplied)) return null;
  return {
    syns: null,
    retries: [],
    answeredAfter: null,
    gaveUp: false,
    isFiltered: false,
    overdue: entries.some((e) => e.values.ended),
    moment: f.atEvent(entries[0]!),
    lost: [[f.atEvent(entries[0]!), f.atEvent(entries.at(-1)!)]],
    evidence: entries.slice(0, 3).map((e) => eventEvidence(f.world, e, e.said ?? '')),
  };
}

/** Its SYNs had no answer here, and could have none: the capture holds nothing but SYNs. */
export function isFiltered(f: Facts): boolean {
  const { cases } = f.world.context;
  // many of which one capture alone tells: nothing is derived for it
  if (cases.outcome(f.n) !== UNANSWERED) return silentSyn(f)?.isFiltered ?? false;
  return [...cases.captures.keys()].some((source) => f.world.holdsNoSynAcks(source));
}

/** What a counter of the server's host says of the SYNs that had no answer; null when it did not rise then. */
function risen(f: Facts, name: string): Rise | null {
  const silent = silentSyn(f);
  const rise = silent && f.rise(SERVER, name, silent.lost);
  return rise && rise.sum > 0 ? rise : null;
}

/** Steps that may be its SYNs, refused by a full accept queue. */
export function overflowSteps(f: Facts): Rise | null {
  return risen(f, 'ListenOverflows');
}

/** SYNs of the connection that had no answer; null when only a table or a log tells of them. */
export function refusedSyns(f: Facts): number | null {
  const silent = silentSyn(f);
  if (!silent) return refusedLooks(f).length;
  if (silent.syns === null) return null;
  return silent.answeredAfter === null ? silent.syns : silent.syns - 1;
}

/**
 * There is enough of the rise for all that may have raised it: the SYNs without an answer on the whole host, and in the
 * steps of its own those of this connection. Without times only an exact account is more than context.
 */
function suffices(f: Facts, name: string, { timed, sum }: Rise): boolean {
  const total = f.listener.rise(name) ?? 0;
  const { least, full } = refusedOnHost(f.listener);
  if (timed) return sum >= (refusedSyns(f) ?? 1) && total >= least;
  return allAccounted(f, total, full) && f.listener.rise('ListenDrops') === total;
}

/**
 * Where the SYNs may have died, likeliest first; empty when they were answered at once. In the order of §3: what a
 * kernel or a second capture says of the packet itself, then the queues, then what counters leave.
 */
export const synCandidates = memoised((f: Facts): Candidate[] => {
  const rejected = icmpRejection(f);
  if (rejected?.ofHandshake) return [rejected.candidate];
  const untranslated = untranslatedReply(f);
  if (untranslated) return [untranslated];
  const silent = silentSyn(f);
  const traced = traceroute(f);
  if (traced.length > 0) return traced;
  if (!silent) return [...droppedSyn(f, null), ...probedSyn(f, null)];
  const first = firstCause(f, silent);
  if (accountsForAll(f, first[0]!) || lostOnTheWay(f)) return first;
  const excluded = ruledOut(f, silent.moment, silent.lost, silent.syns !== null);
  const rest = SYN_CAUSES.filter((rule) => !excluded.has(rule) && first.every((c) => c.rule !== rule));
  return [...first, ...named(rest, 'server')];
});

/** Two captures that ran show between them the loss of every SYN without an answer, or of the answers. */
function lostOnTheWay(f: Facts): boolean {
  const both = crossing(f);
  if (!both) return false;
  const lost = [...both.lostSyns, ...both.lostSynAcks];
  return (
    lost.every((s) => s.running) && lost.length > 0 && lost.length >= (refusedSyns(f) ?? lost.length + 1)
  );
}

/** The queue that was full took every SYN that had no answer. */
function accountsForAll(f: Facts, { rule }: Candidate): boolean {
  const counter = COUNTER_OF[rule];
  const rise = counter === undefined ? null : f.listener.rise(counter);
  return rise !== null && rise > 0 && allAccounted(f, rise, refusedOnHost(f.listener).least);
}

const COUNTER_OF: Readonly<Record<string, string>> = {
  'accept-queue-overflow-syn': 'ListenOverflows',
  'syn-queue-full-drop': 'TCPReqQFullDrop',
};

function firstCause(f: Facts, silent: SilentSyn): Candidate[] {
  for (const step of [
    droppedSyn,
    probedSyn,
    ecnBlackHole,
    lostBetween,
    atFullQueue,
    requestWithoutAnswer,
    byCounters,
  ]) {
    const found = step(f, silent);
    if (found.length > 0) return found;
  }
  const make = maker({ side: 'server', moment: silent.moment, evidence: silent.evidence });
  return [make('unanswered-syn', 'possible', NOWHERE)];
}

/** The accept queue, or the SYN queue, was full. */
function atFullQueue(f: Facts, silent: SilentSyn): Candidate[] {
  // a probe saw them come, or saw that they did not: then it says itself which queue was full
  if (reachedTcp(f) !== null) return [];
  const overflow = overflowSteps(f);
  const full = f.listener.fullSight;
  const look = silent.moment && f.listener.queueBefore(silent.moment);
  const queued = look && isFullLook(look) ? look : null;
  const evidence = [...silent.evidence];
  if (queued)
    evidence.push(
      eventEvidence(f.world, queued.event, () => `the server's ${queued.event.name}: ${heldText(queued)}`),
    );
  if (full) evidence.push(rowEvidence(f.world, full.row, 'its accept queue is full'));
  for (const step of overflow?.steps ?? []) {
    evidence.push(
      counterEvidence(
        f.world,
        step.reading,
        () => `ListenOverflows ${step.from} → ${step.to} (+${step.delta})`,
      ),
    );
  }
  const make = maker({ side: 'server', moment: silent.moment, evidence });
  if (overflow || full || queued) {
    const because = () => fullBecause(f, silent, queued, overflow, full);
    const enough =
      full !== null || queued !== null || (overflow !== null && suffices(f, 'ListenOverflows', overflow));
    return [make('accept-queue-overflow-syn', enough ? 'inferred' : 'possible', because)];
  }
  const drops = risen(f, 'TCPReqQFullDrop');
  if (!drops) return [];
  const because = () =>
    `TCPReqQFullDrop rose by ${drops.sum}: the SYN queue was full and SYN cookies are off`;
  return [
    make('syn-queue-full-drop', suffices(f, 'TCPReqQFullDrop', drops) ? 'inferred' : 'possible', because),
  ];
}

function fullBecause(
  f: Facts,
  silent: SilentSyn,
  queued: QueueLook | null,
  overflow: Rise | null,
  full: QueueSight | null,
): string {
  const parts = [];
  if (queued) {
    const ago = f.world.between(silent.moment!, queued.moment) ?? 0;
    parts.push(`${heldText(queued)} ${span(ago)} before the first of them`);
  }
  if (overflow) {
    const drops = risen(f, 'ListenDrops');
    const same =
      drops?.sum === overflow.sum
        ? ' and ListenDrops by the same, so every one was an accept queue overflow'
        : '';
    parts.push(`ListenOverflows rose by ${overflow.sum}${same}`);
  }
  if (full) parts.push(`a socket table shows ${full.row.recvQ} connections waiting in the accept queue`);
  return queued ? list(parts) : `meanwhile ${list(parts)}`;
}

/** What was tried, for a summary; also where only a drop, or an ICMP error, tells of the attempt. */
export function attemptOf(f: Facts): string {
  const silent = silentSyn(f);
  return silent
    ? attemptText(f.name(CLIENT), f.name(SERVER), silent)
    : `${capital(f.name(CLIENT))} sent a SYN to ${f.name(SERVER)} and got no SYN-ACK for it`;
}

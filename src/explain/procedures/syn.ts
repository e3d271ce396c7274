/**
 * Where a SYN without an answer (silent-syn.ts) may have died (kernel-notes §3). No event
 * tells of a SYN dropped in tcp_conn_request; counters and the accept queue do.
 */

import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import { crossing } from '../facts/crossing.ts';
import { counterEvidence, eventEvidence, packetEvidence, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { QueueSight } from '../facts/listener.ts';
import { heldText, isFullLook, type QueueLook } from '../facts/queue.ts';
import type { Rise } from '../facts/steps.ts';
import { SHORTEST_RTO } from '../facts/timing.ts';
import { memoised } from '../memo.ts';
import { capital, list, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker, named } from './common.ts';
import { droppedSyn } from './drop-events.ts';
import { ecnBlackHole } from './ecn.ts';
import { icmpRejection, traceroute } from './icmp.ts';
import { probedSyn, reachedTcp } from './probed-syn.ts';
import { allAccounted, ruledOut } from './ruled-out.ts';
import { refusedOnHost } from './shared-counters.ts';
import { attemptText, NOWHERE, SYN_CAUSES } from './silence.ts';
import { overflowSteps, refusedSyns, risen, type SilentSyn, silentSyn } from './silent-syn.ts';
import { byCounters, lostBetween, requestWithoutAnswer } from './syn-drops.ts';
import { untranslatedReply } from './untranslated.ts';

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
  if (!silent) {
    const said = [...droppedSyn(f, null), ...probedSyn(f, null)];
    return said.length > 0 ? said : answerNotReceived(f);
  }
  const first = firstCause(f, silent);
  if (accountsForAll(f, first[0]!) || lostOnTheWay(f)) return first;
  const excluded = ruledOut(f, silent.moment, silent.lost, silent.syns !== null);
  const rest = SYN_CAUSES.filter((rule) => !excluded.has(rule) && first.every((c) => c.rule !== rule));
  return [...first, ...named(rest, 'server')];
});

/** A SYN-ACK passed, the client sent its SYN again by its timer all the same, and took a later one. */
function answerNotReceived(f: Facts): Candidate[] {
  const { wire } = f;
  if (!wire || f.wires.length > 1 || wire.oneDirection) return [];
  const isn = wire.of(wire.wire.isn, CLIENT);
  const of = (side: SideIndex) => wire.packets.filter((p) => wire.sideOf(p) === side);
  const synAcks = of(SERVER).filter((p) => (p.flags & (SYN | ACK)) === (SYN | ACK));
  const [first] = synAcks.filter((p) => isn !== null && seqDiff(p.ack, isn + 1) === 0);
  const again = of(CLIENT).find(
    (p) => first && (p.flags & (SYN | ACK)) === SYN && p.seq === isn && p.time - first.time >= SHORTEST_RTO,
  );
  const taken = of(CLIENT).find((p) => (p.flags & (SYN | ACK | RST)) === ACK);
  if (!first || !again || !taken || taken.time < again.time) return [];
  const because = () =>
    `a SYN-ACK had passed here ${span(again.time - first.time)} before the client sent its SYN again: it was lost on its way from here to the client's TCP`;
  const make = maker({
    side: 'path',
    moment: f.atPacket(wire, first),
    evidence: [
      packetEvidence(f, wire, first, 'the SYN-ACK'),
      packetEvidence(f, wire, again, 'the SYN again'),
      packetEvidence(f, wire, taken, 'the client goes on'),
    ],
  });
  return [make('syn-ack-lost-on-path', 'possible', because), ...named(['netfilter-drop'], 'client')];
}

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
  const lost = make('unanswered-syn', 'possible', NOWHERE);
  return [silent.overdue ? lost : { ...lost, severity: 'info' }];
}

/** The accept queue, or the SYN queue, was full. */
function atFullQueue(f: Facts, silent: SilentSyn): Candidate[] {
  // a probe saw them come, or saw that they did not: then it says itself which queue was full
  if (reachedTcp(f) !== null) return [];
  const overflow = overflowSteps(f);
  const full = f.listener.fullSightOf(f);
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

/** What was tried, for a summary; also where only a drop, or an ICMP error, tells of the attempt. `answered`: with a SYN-ACK. */
export function attemptOf(f: Facts, answered = false): string {
  if (answered) return `The handshake of ${f.name(CLIENT)} with ${f.name(SERVER)} was held up`;
  const silent = silentSyn(f);
  return silent
    ? attemptText(f.name(CLIENT), f.name(SERVER), silent)
    : `${capital(f.name(CLIENT))} sent a SYN to ${f.name(SERVER)} and got no SYN-ACK for it`;
}

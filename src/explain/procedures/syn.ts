/**
 * A SYN that nobody answered, or only after it was sent again: where it may have died (kernel-notes §3). No event
 * tells of a SYN dropped in tcp_conn_request; counters and the accept queue do.
 */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import type { Evidence } from '../../model/finding.ts';
import { ACK, RST, SYN } from '../../model/tcp.ts';
import { counterEvidence, packetEvidence, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { SYN_RTO } from '../facts/timing.ts';
import type { Step } from '../facts/world.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { capital, count, list, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker, named } from './common.ts';

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
  moment: Moment | null;
  evidence: Evidence[];
}

export const silentSyn = memoised((f: Facts): SilentSyn | null => onWire(f) ?? inStates(f) ?? inTables(f));

function onWire(f: Facts): SilentSyn | null {
  const { wire } = f;
  if (!wire) return null;
  const { syns, packets } = wire.wire;
  const sent = wire.of(syns, CLIENT);
  if (sent === 0) return null;
  const own = wire.packets.filter((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  const first = own[0];
  const onlySyns = wire.of(packets, CLIENT) === sent && wire.of(packets, SERVER) === 0;
  const answer = onlySyns ? undefined : wire.packets.find((p) => wire.sideOf(p) === SERVER);
  const answers = answer && (answer.flags & RST || (answer.flags & SYN && answer.flags & ACK));
  if (!first || !(onlySyns || answers)) return null;
  const before = answer ? own.filter((p) => p.time < answer.time) : own;
  // answered at the first try, as far as the capture shows
  if (answer && before.length < 2) return null;
  const retries = before.slice(1).map((p) => (p.time - first.time) / 1e9);
  return {
    syns: before.length,
    retries,
    answeredAfter: answer ? answer.time - first.time : null,
    gaveUp: givenUp(f),
    moment: f.atPacket(wire, first),
    evidence: synEvidence(f, before, answer),
  };
}

function synEvidence(f: Facts, syns: KeyPacket[], answer: KeyPacket | undefined): Evidence[] {
  const wire = f.wire!;
  const items = [packetEvidence(f, wire, syns[0]!, 'the first try')];
  if (syns.length > 1) items.push(packetEvidence(f, wire, syns.at(-1)!, `try ${syns.length}`));
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
  if (!end || end.duration === null || end.duration < SYN_RTO * 0.95) return null;
  if (end.to === 'CLOSE' && life.byOwner(end)) return null;
  return {
    syns: null,
    retries: [],
    answeredAfter: end.to === 'ESTABLISHED' ? end.duration : null,
    gaveUp: end.to === 'CLOSE',
    moment: f.atTransition(life, end),
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
    moment: f.atEvent(rows[0]!),
    evidence: rows.slice(0, 3).map((r) => rowEvidence(f.world, r)),
  };
}

/** What the counters of the server's host say: steps that are SYNs (or ACKs) refused by a full accept queue. */
export interface OverflowSteps {
  steps: Step[];
  rise: number;
  /** ListenDrops rose by the same: nothing else dropped a SYN. Null when no file has that counter. */
  sameDrops: boolean | null;
}

export function overflowSteps(f: Facts): OverflowSteps | null {
  const steps = f.listener.steps('ListenOverflows').filter((s) => s.delta > 0);
  if (steps.length === 0) return null;
  const rise = steps.reduce((sum, s) => sum + s.delta, 0);
  const drops = f.listener.rise('ListenDrops');
  return { steps, rise, sameDrops: drops === null ? null : drops === rise };
}

/** SYNs of the connection that had no answer; null when only a table or a log tells of them. */
export function refusedSyns(f: Facts): number | null {
  const silent = silentSyn(f);
  if (!silent) return 0;
  if (silent.syns === null) return null;
  return silent.answeredAfter === null ? silent.syns : silent.syns - 1;
}

/** The same of all connections to a listener; at least one of each that only a table or a log tells of. */
const refusedOf = memoised((listener: ListenerFacts) =>
  listener.notable.reduce((sum, f) => sum + (refusedSyns(f) ?? 1), 0),
);

/** Where the SYNs may have died, likeliest first; empty when they were answered at once. */
export const synCandidates = memoised((f: Facts): Candidate[] => {
  const silent = silentSyn(f);
  if (!silent) return [];
  const overflow = overflowSteps(f);
  const full = f.listener.fullSight;
  const evidence = [...silent.evidence];
  if (full) evidence.push(rowEvidence(f.world, full.row, 'its accept queue is full'));
  for (const step of overflow?.steps ?? []) {
    evidence.push(
      counterEvidence(f.world, step.reading, `ListenOverflows ${step.from} → ${step.to} (+${step.delta})`),
    );
  }
  const make = maker({ side: 'server', moment: silent.moment, evidence });
  const elsewhere = named(
    [
      'syn-queue-full-drop',
      'netfilter-drop',
      'syn-lost-on-path',
      'syn-ack-lost-on-path',
      'no-reply-route-drop',
    ],
    'server',
  );
  if (overflow || full) {
    const parts = [];
    if (overflow) {
      const same = overflow.sameDrops
        ? ' and ListenDrops by the same, so every one was an accept queue overflow'
        : '';
      parts.push(`ListenOverflows rose by ${overflow.rise}${same}`);
    }
    if (full) parts.push(`a socket table shows ${full.row.recvQ} connections waiting in the accept queue`);
    const because = `meanwhile ${list(parts)}`;
    // a rise smaller than the SYNs refused cannot account for each of them
    const enough = full !== null || (overflow?.rise ?? 0) >= refusedOf(f.listener);
    return [make('accept-queue-overflow-syn', enough ? 'inferred' : 'possible', because), ...elsewhere];
  }
  const queueFullDrops = f.listener.rise('TCPReqQFullDrop') ?? 0;
  if (queueFullDrops > 0) {
    const because = `TCPReqQFullDrop rose by ${queueFullDrops}: the SYN queue was full and SYN cookies are off`;
    return [make('syn-queue-full-drop', 'inferred', because), ...elsewhere.slice(1)];
  }
  return [
    make('unanswered-syn', 'possible', 'nothing here shows where the SYNs or their answers were lost'),
    ...named(['accept-queue-overflow-syn'], 'server'),
    ...elsewhere,
  ];
});

/** `sent 7 SYNs, again after 1, 3 and 7 s`, or what a table or log shows instead. */
export function describeAttempt(f: Facts, silent: SilentSyn): string {
  const who = capital(f.name(CLIENT));
  const to = f.name(SERVER);
  const end =
    silent.answeredAfter !== null
      ? ` and was answered after ${span(silent.answeredAfter)}`
      : silent.gaveUp
        ? ' and gave up'
        : ' and had no answer';
  if (silent.syns === null) {
    return silent.answeredAfter === null && !silent.gaveUp
      ? `${who} waited in SYN_SENT for an answer of ${to}`
      : `${who} waited in SYN_SENT for ${to}${end}`;
  }
  const tries = silent.retries.map((s) => (s < 10 ? Number(s.toPrecision(2)) : Math.round(s)));
  const again = tries.length > 0 ? `, again after ${list(tries.map(String))} s` : '';
  return `${who} sent ${count(silent.syns, 'SYN')} to ${to}${again},${end}`;
}

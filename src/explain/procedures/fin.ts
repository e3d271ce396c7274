/**
 * What became of the side that closed first: kernel-notes §4.1, from its socket's states, the wire, the peer's
 * states and socket tables. Candidates per side; the likeliest first.
 */
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { reasoning, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { MARGIN } from '../facts/timing.ts';
import { memoised } from '../memo.ts';
import { span } from '../words.ts';
import { type Candidate, withEvidence } from './candidate.ts';
import { type Make, maker, named, otherSide, SIDE_NAMES, timeWaitOverflow } from './common.ts';
import { finWithAck, fromTables, fromWire } from './fin-wire.ts';
import { unanswered } from './given-up.ts';
import { SHORTEST_TIMER } from './keepalive-timer.ts';
import { saidResets } from './kernel-said.ts';
import { leftBeforeFin, minisockProof } from './minisock.ts';
import { probedFinWait2, stillHeld } from './probed-fin.ts';

export const finCandidates = memoised((f: Facts): { side: SideIndex; candidates: Candidate[] }[] =>
  ([CLIENT, SERVER] as const)
    .map((side) => ({ side, candidates: closerCandidates(f, side) }))
    .filter(({ candidates }) => candidates.length > 0),
);

/** The candidates of whichever side the rule leads on. */
export function finCandidatesFor(f: Facts, rule: string): Candidate[][] {
  return finCandidates(f)
    .map(({ candidates }) => candidates)
    .filter((list) => list.some((c) => c.rule === rule));
}

function closerCandidates(f: Facts, side: SideIndex): Candidate[] {
  const life = f.life(side);
  const seen = fromWire(f, side);
  if (life?.closedFirst) return surer(fromStates(f, life), seen);
  if (life) return [];
  return seen.length > 0 ? seen : fromTables(f, side);
}

/** What the packets prove is not less sure for the states that say it as well. */
function surer(told: Candidate[], seen: Candidate[]): Candidate[] {
  const [first, ...rest] = told;
  const proof = seen.find((c) => c.rule === first?.rule && c.confidence === 'proved');
  return first && proof ? [withEvidence({ ...first, confidence: 'proved' }, proof.evidence), ...rest] : told;
}

function fromStates(f: Facts, life: LifeFacts): Candidate[] {
  if (life.was('CLOSING')) return [simultaneous(f, life)];
  const aborted = life.find('FIN_WAIT1', 'CLOSE');
  if (aborted && unanswered(f)?.isFin) return []; // fin-unacknowledged
  if (aborted) return [abortedClosing(f, life)];
  const end = life.find('FIN_WAIT2', 'CLOSE');
  if (!end) return stillInFinWait2(f, life);
  return leftFinWait2(f, life);
}

/** It had not left FIN_WAIT2 by the end of the events. */
function stillInFinWait2(f: Facts, life: LifeFacts): Candidate[] {
  const start = life.find('FIN_WAIT1', 'FIN_WAIT2');
  if (!start?.fields || !stillHeld(start.fields)) return fromTables(f, life.side);
  const make = maker({
    side: SIDE_NAMES[life.side],
    moment: f.atTransition(life, start),
    evidence: [transitionEvidence(f, life, start, 'not SOCK_DEAD, and only its sending side was shut down')],
  });
  return [make('half-close', 'proved', 'its process still held the socket when its FIN was acknowledged')];
}

/** F-SIMCLOSE: CLOSING exists only when the FINs cross. */
function simultaneous(f: Facts, life: LifeFacts): Candidate {
  const t = life.find('FIN_WAIT1', 'CLOSING') ?? life.find('CLOSING', 'CLOSE')!;
  return {
    rule: 'simultaneous-close',
    side: SIDE_NAMES[life.side],
    confidence: 'proved',
    because: () => 'the socket went through CLOSING, which it does only when the FINs of both sides cross',
    moment: f.atTransition(life, t),
    evidence: [transitionEvidence(f, life, t)],
  };
}

/** F-FW1-CLOSE: never FIN_WAIT2, because the FIN was never acknowledged. */
function abortedClosing(f: Facts, life: LifeFacts): Candidate {
  const t = life.find('FIN_WAIT1', 'CLOSE')!;
  const gaps = life.life.missing.map((gap) =>
    reasoning(
      `no line shows ${gap.from} → ${gap.to} of this socket: the tracer is skipped while another BPF program runs on ` +
        'that CPU, and says nothing of it',
    ),
  );
  return {
    rule: 'fin-wait1-aborted',
    side: SIDE_NAMES[life.side],
    confidence: 'proved',
    because: () =>
      `the socket went from FIN_WAIT1 straight to CLOSE${life.finWait1 === null ? '' : `, ${span(life.finWait1)} after its FIN`}`,
    moment: f.atTransition(life, t),
    evidence: [transitionEvidence(f, life, t), ...gaps],
  };
}

const FIN_TAKEN = 'its FIN was acknowledged';

/** FIN_WAIT2 → CLOSE of the full socket: handed to a minisock, ended by the peer's FIN, or held open. */
function leftFinWait2(f: Facts, life: LifeFacts): Candidate[] {
  const { side } = life;
  const end = life.find('FIN_WAIT2', 'CLOSE')!;
  const start = life.find('FIN_WAIT1', 'FIN_WAIT2');
  const evidence = [transitionEvidence(f, life, end)];
  if (start) evidence.unshift(transitionEvidence(f, life, start, FIN_TAKEN));
  const make = maker({ side: SIDE_NAMES[side], moment: f.atTransition(life, end), evidence });
  const piggy = finWithAck(f, side);
  if (piggy) return [withEvidence(make('fin-with-ack', 'proved', piggy.fact), piggy.evidence)];
  const reset = endedByReset(f, life);
  const held = heldOpen(f, life, make, reset);
  if (held) return held;
  if (reset) return [];
  const told = probedFinWait2(f, life, make);
  if (told[0]?.rule === 'fin-wait2-in-minisock' && told[0].confidence !== 'proved') {
    const proof = minisockProof(f, life);
    if (proof)
      return [
        withEvidence(make('fin-wait2-in-minisock', proof.confidence, proof.because), [
          ...told[0].evidence.slice(2),
          ...proof.evidence,
        ]),
      ];
  }
  if (told.length > 0) return told;
  const stay = life.finWait2 ?? 0;
  if (stay >= (leftBeforeFin(f, life) ? SHORTEST_TIMER : MARGIN)) return stayed(f, life, make);
  const proof = minisockProof(f, life);
  if (!proof) return undecided(f, life, make);
  if (proof.confidence !== 'proved' && overflowed(f, side)) return [noMinisockLeft(f, side, make)];
  return [withEvidence(make('fin-wait2-in-minisock', proof.confidence, proof.because), proof.evidence)];
}

/** Something shows the descriptor open in FIN_WAIT2. After a reset it may have been shutdown() of both directions. */
function heldOpen(f: Facts, life: LifeFacts, make: Make, reset: boolean): Candidate[] | null {
  const closedLater = life.find('FIN_WAIT2', 'FIN_WAIT2');
  if (closedLater) {
    const after = span(closedLater.duration ?? 0);
    const because = () =>
      `it had shut down its sending side and called close() ${after} later, still in FIN_WAIT2`;
    return [
      withEvidence(make('half-close', 'inferred', because), [transitionEvidence(f, life, closedLater)]),
    ];
  }
  const row = f.rows(life.side).find((r) => r.state === 'FIN_WAIT2' && r.owner === 'known');
  if (!row || reset) return null;
  const c = make('half-close', 'inferred', 'a socket table shows it in FIN_WAIT2 with its process');
  return [withEvidence(c, [rowEvidence(f.world, row)])];
}

/** Its own RST, in answer to what met the full socket, ended FIN_WAIT2 (TCP_LINGER2, data after shutdown()). */
function endedByReset(f: Facts, life: LifeFacts): boolean {
  const end = { ...life.find('FIN_WAIT2', 'CLOSE')!, source: life.life.source };
  if (saidResets(f).some((said) => said.socket === life.life.socket && said.isNear(end))) return true;
  const { wire } = f;
  const reset = wire?.decisiveReset;
  const acked = wire?.ackOfFin(life.side);
  if (!wire || !reset || !acked || reset.side !== life.side || life.finWait2 === null) return false;
  return reset.packet.time - acked.time <= life.finWait2 + MARGIN;
}

/** The full socket itself stayed: its process still held it, or tcp_fin_timeout is longer than 60 s. */
function stayed(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const { side } = life;
  const stay = life.finWait2!;
  const orphan = f.rows(side).find((r) => r.state === 'FIN_WAIT2' && r.owner === 'none');
  const closedAtOnce = life.find('FIN_WAIT1', 'FIN_WAIT1') !== null;
  const onWire = f.wire?.finWait2(side) ?? null;
  const long = make(
    'long-fin-wait2',
    orphan || closedAtOnce || leftBeforeFin(f, life) ? 'inferred' : 'possible',
    orphan
      ? `the full socket stayed in FIN_WAIT2 for ${span(stay)} without a process`
      : `the full socket stayed in FIN_WAIT2 for ${span(stay)}`,
  );
  if (long.confidence === 'inferred') {
    return [
      orphan ? withEvidence(long, [rowEvidence(f.world, orphan)]) : long,
      ...named(['half-close'], SIDE_NAMES[side]),
    ];
  }
  const because = () =>
    onWire === null
      ? `the full socket itself stayed in FIN_WAIT2 for ${span(stay)}: its process still held it`
      : `the full socket stayed in FIN_WAIT2 for ${span(stay)}, until the peer's FIN came`;
  return [make('half-close', 'inferred', because), long];
}

/** F-TW-OVERFLOW: the counter rose, and what the peer sent afterwards met no minisock. */
function overflowed(f: Facts, side: SideIndex): boolean {
  const reset = f.wire?.decisiveReset;
  const rise = timeWaitOverflow(f, side) ?? 0;
  return rise > 0 && (!f.wire || (reset?.side === side && reset.shape === 'passive'));
}

function noMinisockLeft(f: Facts, side: SideIndex, make: Make): Candidate {
  const rise = timeWaitOverflow(f, side) ?? 0;
  const because = () =>
    `TCPTimeWaitOverflow rose by ${rise}` +
    (f.wire ? ', and what the peer sent afterwards was answered with a RST' : '');
  return make('time-wait-overflow', f.wire ? 'inferred' : 'possible', because);
}

/** Microseconds in FIN_WAIT2, and nothing that shows when the peer's FIN came: several ways look the same. */
function undecided(f: Facts, life: LifeFacts, make: Make): Candidate[] {
  const { side } = life;
  const stay = () => (life.finWait2 === null ? 'a moment' : span(life.finWait2));
  const noMinisock = named(['time-wait-overflow'], SIDE_NAMES[side]);
  const ack = f.wire?.ackOfFin(side);
  if (f.wire && ack) {
    const because = () =>
      `the full socket left FIN_WAIT2 after ${stay()}; its FIN had been acknowledged by a packet without FIN`;
    const fin = f.wire.finTime(otherSide(side));
    const met = f.wire.decisiveReset;
    if (fin !== null && !(met?.side === side && met.packet.time >= fin)) {
      return [
        make('fin-wait2-in-minisock', 'possible', () => `${because()}, and the peer's FIN followed at once`),
        ...named(['half-close'], SIDE_NAMES[side]),
      ];
    }
    return [
      make('fin-wait2-in-minisock', 'inferred', () => `${because()}, and the peer had not closed`),
      ...noMinisock,
    ];
  }
  const same = () => `the state events show ${stay()} of FIN_WAIT2 either way, and cannot tell the two apart`;
  const twins = [make('fin-wait2-in-minisock', 'possible', same), make('fin-with-ack', 'possible', same)];
  // without a line of close() in FIN_WAIT1 the descriptor may have been open still
  const open = life.find('FIN_WAIT1', 'FIN_WAIT1') ? [] : named(['half-close'], SIDE_NAMES[side]);
  return [...twins, ...open, ...noMinisock];
}

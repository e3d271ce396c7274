/**
 * Retransmissions that nothing answered (kernel-notes R-TIMEOUT, F-LASTACK, F-FW1-STUCK): given up in silence, or
 * still under way when the evidence ends. The kernel sends nothing when it gives up.
 */
import { CLIENT, SERVER, type SideIndex, type Transition } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/event.ts';
import type { Evidence } from '../../model/finding.ts';
import { FIN } from '../../model/tcp.ts';
import { packetEvidence, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { UnansweredRepeats } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { count, span } from '../words.ts';
import { otherSide } from './common.ts';

/** Retransmissions without an answer after which a capture alone makes one think of a dead path. */
export const MANY = 3;

/** tcp_write_err, when the retries of an orphan have run out (tcp_orphan_retries). */
const ETIMEDOUT = 110;
const CLOSING_STATES: readonly string[] = ['FIN_WAIT1', 'LAST_ACK', 'CLOSING'];

export interface Unanswered {
  side: SideIndex;
  /** Packets sent again without an answer; 0 when only a socket table tells. */
  repeats: number;
  /** What was sent again is the side's FIN. */
  isFin: boolean;
  /** The peer's FIN had come before. */
  peerClosed: boolean;
  /** The kernel gave up: the socket's step to CLOSE. */
  end: Transition | null;
  /** A socket table shows the state with its retransmission timer. */
  row: SocketEvent | null;
  moment: Moment | null;
  because: string;
  evidence: Evidence[];
}

export const unanswered = memoised((f: Facts): Unanswered | null => {
  if (f.wire && f.wire.resets.length > 0) return null;
  return ofSide(f, CLIENT) ?? ofSide(f, SERVER);
});

/** Stuck closing states that retransmit, as tables show them. */
function retransmittingRow(f: Facts, side: SideIndex): SocketEvent | null {
  const states = ['FIN_WAIT1', 'LAST_ACK', 'CLOSING', 'ESTABLISHED', 'CLOSE_WAIT'];
  return (
    f.rows(side).find((r) => states.includes(r.state) && r.timer?.name === 'on' && r.timer.retransmits > 0) ??
    null
  );
}

function ofSide(f: Facts, side: SideIndex): Unanswered | null {
  const { wire } = f;
  const life = f.life(side);
  const repeats = hears(f) ? (wire?.unansweredRepeats(side) ?? null) : null;
  const times = repeats?.count ?? 0;
  const row = retransmittingRow(f, side);
  const last = life?.life.transitions.at(-1) ?? null;
  const fromLive =
    last?.to === 'CLOSE' &&
    ['ESTABLISHED', 'CLOSE_WAIT', 'FIN_WAIT1', 'LAST_ACK', 'CLOSING'].includes(last.from);
  const end = fromLive && last && !life?.byOwner(last) ? last : null;
  const timedOut = end !== null && CLOSING_STATES.includes(end.from) && end.fields?.error === ETIMEDOUT;
  // without packets a RST may have ended it as well
  if (!wire && end && !timedOut) return null;
  const enough = timedOut || (wire ? times >= (end || row ? 1 : MANY) : row !== null);
  if (!enough) return null;
  const fin = wire?.finTime(side) != null && wire.of(wire.wire.finAckedTime, side) === null;
  const evidence: Evidence[] = [];
  const [first, ...others] = repeats?.packets ?? [];
  if (wire && first) evidence.push(packetEvidence(f, wire, first, 'sent again'));
  const final = others.at(-1);
  if (wire && final) evidence.push(packetEvidence(f, wire, final, 'sent again for the last time'));
  if (row) evidence.push(rowEvidence(f.world, row, `sent again ${row.timer!.retransmits} times so far`));
  if (life && end) evidence.push(transitionEvidence(f, life, end, 'by a timer'));
  return {
    side,
    repeats: times,
    isFin:
      timedOut ||
      fin ||
      (row !== null && CLOSING_STATES.includes(row.state)) ||
      (repeats?.packets.some((p) => p.flags & FIN) ?? false),
    peerClosed: peerClosed(f, side),
    end,
    row,
    moment: momentOf(f, side, repeats, row, end),
    because:
      timedOut && times === 0
        ? `the timer of ${f.name(side)} gave up in ${end.from} (ETIMEDOUT)`
        : describe(f, side, repeats, row),
    evidence,
  };
}

function peerClosed(f: Facts, side: SideIndex): boolean {
  const life = f.life(side);
  if (life?.closedSecond || life?.was('CLOSING')) return true;
  return f.wire?.finTime(otherSide(side)) != null;
}

function momentOf(
  f: Facts,
  side: SideIndex,
  repeats: UnansweredRepeats | null,
  row: SocketEvent | null,
  end: Transition | null,
): Moment | null {
  const life = f.life(side);
  if (life && end) return f.atTransition(life, end);
  if (f.wire && repeats) {
    const { source } = f.wire.wire;
    return { source, at: f.world.context.timeline.at(source, repeats.last) };
  }
  return row ? f.atEvent(row) : null;
}

/** The capture that shows it holds what the peer sends: there is a silence that means something. */
function hears(f: Facts): boolean {
  return f.wire !== null && !f.world.isOneDirection(f.wire.wire.source);
}

function describe(
  f: Facts,
  side: SideIndex,
  repeats: UnansweredRepeats | null,
  row: SocketEvent | null,
): string {
  const name = f.name(side);
  if (!repeats)
    return `${name} had sent the same segment again ${row?.timer?.retransmits ?? 0} times without an answer`;
  return repeated(name, repeats);
}

/** Of the side with this name. */
export function repeated(name: string, { count: times, since, last, packets }: UnansweredRepeats): string {
  const what = packets.length > 0 && packets.every((p) => p.flags & FIN) ? 'its FIN' : 'the same data';
  return `${name} sent ${what} ${count(times, 'more time')} over ${span(last - since)} and had no answer`;
}

/**
 * Retransmissions that nothing answered (kernel-notes R-TIMEOUT, F-LASTACK, F-FW1-STUCK): given up in silence, or
 * still under way when the evidence ends. The kernel sends nothing when it gives up.
 */
import { CLIENT, type KeyPacket, SERVER, type SideIndex, type Transition } from '../../model/connection.ts';
import type { Confidence } from '../../model/finding.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { FIN, RST, SYN } from '../../model/tcp.ts';
import { type Citation, packetEvidence, rowEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import type { UnansweredRepeats } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Moment, Verdict } from '../rule.ts';
import { count, span } from '../words.ts';
import { otherSide, SIDE_NAMES } from './common.ts';
import { gaveUp } from './ended.ts';

/** Retransmissions without an answer after which a capture alone makes one think of a dead path. */
export const MANY = 3;

const CLOSING_STATES: readonly string[] = ['FIN_WAIT1', 'LAST_ACK', 'CLOSING'];

interface Unanswered {
  side: SideIndex;
  /** Packets sent again without an answer; 0 when only a socket table tells. */
  repeats: number;
  /** What was sent again is the side's FIN. */
  isFin: boolean;
  /** The peer's FIN had come before. */
  peerClosed: boolean;
  /** The kernel gave up: the socket's step to CLOSE. */
  end: Transition | null;
  /** Its kernel says why (sk_err). */
  said: boolean;
  /** The last that the peer had said then: its receive window was closed. It was there, and did not read. */
  shut: KeyPacket | null;
  /** A socket table shows the state with its retransmission timer, or with none where it shows no timers. */
  row: SocketEvent | null;
  moment: Moment | null;
  because(): string;
  evidence: Citation[];
}

/** The verdict of a rule that says what became of it. */
export interface OfUnanswered extends Verdict {
  found: Unanswered;
}

export function ofUnanswered(found: Unanswered, confidence: Confidence): OfUnanswered {
  const { side, moment, evidence, row } = found;
  const verdict = { confidence, side: SIDE_NAMES[side]!, moment, evidence, found };
  if (!row || row.timer) return verdict;
  // a table shows one moment, which each connection that closes has
  return { ...verdict, confidence: 'possible', ...(evidence.length === 1 && { severity: 'info' }) };
}

export const unanswered = memoised((f: Facts): Unanswered | null => {
  const side = gaveUp(f)?.life.side;
  if (side !== undefined) return ofSide(f, side);
  if (f.wire && f.wire.resets.length > 0) return null;
  return (
    ofSide(f, CLIENT) ?? ofSide(f, SERVER) ?? (f.wire ? null : (closing(f, CLIENT) ?? closing(f, SERVER)))
  );
});

/** What to do where tables show no timers. */
export function withTimers({ row }: Unanswered): string {
  return row && !row.timer
    ? 'Run `ss -tanpo` again as root: a connection that is still there is stuck, and the timer shows the retransmissions. '
    : '';
}

/** In a closing state in each table of the host from the first on that shows it; the tables show no timers. */
function closing(f: Facts, side: SideIndex): Unanswered | null {
  const rows = f.rows(side);
  const [row] = rows;
  if (
    !row ||
    f.life(CLIENT) ||
    f.life(SERVER) ||
    rows.some((r) => !CLOSING_STATES.includes(r.state) || r.timer)
  )
    return null;
  if (f.world.snapshots.without(rows)) return null;
  const { state } = rows.at(-1)!;
  const shown =
    rows.length > 1
      ? `in ${count(rows.length, 'socket table')}`
      : 'when the socket table was taken, which shows one moment only';
  return {
    ...{
      side,
      repeats: 0,
      isFin: true,
      peerClosed: state !== 'FIN_WAIT1',
      end: null,
      said: false,
      shut: null,
    },
    row: rows.at(-1)!,
    moment: f.atEvent(row),
    because: () => `${f.name(side)} was in ${state} ${shown}`,
    evidence: rows.slice(0, 3).map((r) => rowEvidence(f.world, r)),
  };
}

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
  const given = gaveUp(f);
  const end = given ? given.end : leftOutside(life);
  // without packets a RST may have ended it as well
  if (!wire && end && !given) return null;
  const enough = given !== null || (wire ? times >= (end || row ? 1 : MANY) : row !== null);
  if (!enough) return null;
  const fin = wire?.finTime(side) != null && wire.of(wire.wire.finAckedTime, side) === null;
  const evidence: Citation[] = [];
  const [first, ...others] = repeats?.packets ?? [];
  if (wire && first) evidence.push(packetEvidence(f, wire, first, 'sent again'));
  const final = others.at(-1);
  if (wire && final) evidence.push(packetEvidence(f, wire, final, 'sent again for the last time'));
  if (row)
    evidence.push(
      rowEvidence(f.world, row, () => `sent again ${count(row.timer!.retransmits, 'time')} so far`),
    );
  if (life && end) evidence.push(transitionEvidence(f, life, end, 'by a timer'));
  const shut = given && times === 0 ? windowShut(f, given.life, given.end) : null;
  if (wire && shut)
    evidence.push(packetEvidence(f, wire, shut, 'window 0, and nothing else of this side until then'));
  return {
    side,
    repeats: times,
    isFin:
      (given !== null && CLOSING_STATES.includes(given.end.from)) ||
      fin ||
      (row !== null && CLOSING_STATES.includes(row.state)) ||
      (repeats?.packets.some((p) => p.flags & FIN) ?? false),
    peerClosed: peerClosed(f, side, row),
    end,
    said: given?.said ?? false,
    shut,
    row,
    moment: momentOf(f, side, repeats, row, end),
    because: () =>
      given !== null && times === 0
        ? `the timer of ${f.name(side)} gave up in ${given.end.from}${given.said ? ` (sk_err ${given.end.fields!.error})` : ''}` +
          (shut ? `, while the receive window of ${f.name(otherSide(side))} was closed` : '')
        : describe(f, side, repeats, row),
    evidence,
  };
}

/** tcp_probe_timer() gives up like a retransmission, though the peer may have answered each probe. */
function windowShut(f: Facts, life: LifeFacts, end: Transition): KeyPacket | null {
  const { wire } = f;
  const until = f.atTransition(life, end).at;
  if (!wire || wire.windowless || until === null) return null;
  const peer = otherSide(life.side);
  const closed = wire.of(wire.wire.closedWindow, peer);
  // it was gone
  if (closed && closed.answers < closed.probes) return null;
  const last = wire.packets.findLast(
    (p) => wire.sideOf(p) === peer && (f.atPacket(wire, p).at ?? until) < until,
  );
  // a proxy answers a SYN with a window of 0
  return last && last.window === 0 && !(last.flags & (SYN | RST)) ? last : null;
}

/** A live socket's step to CLOSE that its process did not make, where no sk_err was read that would say why. */
function leftOutside(life: LifeFacts | null): Transition | null {
  const last = life?.life.transitions.at(-1) ?? null;
  const live = ['ESTABLISHED', 'CLOSE_WAIT', ...CLOSING_STATES];
  if (last?.to !== 'CLOSE' || last.fields || !live.includes(last.from)) return null;
  return life!.byOwner(last) ? null : last;
}

function peerClosed(f: Facts, side: SideIndex, row: SocketEvent | null): boolean {
  if (row?.state === 'LAST_ACK' || row?.state === 'CLOSING') return true;
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
  return f.wire !== null && !f.world.captures.isOneDirection(f.wire.wire.source);
}

function describe(
  f: Facts,
  side: SideIndex,
  repeats: UnansweredRepeats | null,
  row: SocketEvent | null,
): string {
  const name = f.name(side);
  if (!repeats)
    return `${name} had sent the same segment again ${count(row?.timer?.retransmits ?? 0, 'time')} without an answer`;
  return repeated(name, repeats);
}

/** Of the side with this name. */
export function repeated(name: string, { count: times, since, last, packets }: UnansweredRepeats): string {
  const what = packets.length > 0 && packets.every((p) => p.flags & FIN) ? 'its FIN' : 'the same data';
  return `${name} sent ${what} ${count(times, 'more time')} over ${span(last - since)} and had no answer`;
}

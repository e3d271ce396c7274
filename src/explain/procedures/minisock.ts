/**
 * Proof that FIN_WAIT2 went on in a timewait minisock (kernel-notes F-ORPHAN-TW): someone saw FIN_WAIT2, or its
 * peer still open, when the full socket was already gone. tcp_time_wait() hands over in microseconds, and no
 * tracepoint tells of the minisock.
 */
import type { SideIndex } from '../../model/connection.ts';
import type { ProbeEvent } from '../../model/event.ts';
import type { Confidence } from '../../model/finding.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { FIN } from '../../model/tcp.ts';
import {
  type Citation,
  eventEvidence,
  packetEvidence,
  reasoning,
  rowEvidence,
  transitionEvidence,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { MARGIN, TIME_WAIT } from '../facts/timing.ts';
import { count, list, span, spans } from '../words.ts';
import { otherSide, SIDE_NAMES } from './common.ts';
import { expiredMinisock } from './kernel-leftover.ts';
import { kernelReset } from './kernel-reset.ts';
import { expiryText } from './probed-fin.ts';

interface MinisockProof {
  confidence: Confidence;
  because(): string;
  evidence: readonly Citation[];
}

export function minisockProof(f: Facts, life: LifeFacts): MinisockProof | null {
  const row = f.rows(life.side).find((r) => r.state === 'FIN_WAIT2' && r.owner !== 'known');
  const timed = row?.timer?.name === 'timewait';
  const shown = row ? shownTogether(f, life, row) : null;
  const peer = peerStillOpen(f, life);
  const wire = finLaterOnWire(f, life);
  const evidence = [row ? rowEvidence(f.world, row) : null, shown, peer, wire].filter((e) => e !== null);
  if (evidence.length === 0) return null;
  // only a socket that was handed over at once left so soon; one that took longer may have been destroyed (`ss -K`)
  const wellLater = wire !== null && leftBeforeFin(f, life) && (life.finWait2 ?? 0) < MARGIN;
  const proved = timed || shown !== null || wellLater || (row !== undefined && peer !== null);
  const reasons: string[] = [];
  if (timed) reasons.push('the socket table shows FIN_WAIT2 with the timewait timer');
  else if (row) reasons.push('a socket table shows it in FIN_WAIT2');
  if (peer) reasons.push(PEER_OPEN);
  if (wire) reasons.push(FIN_LATER);
  return {
    confidence: proved ? 'proved' : 'inferred',
    because: () => leftAtOnce(life.finWait2 ?? 0, reasons),
    evidence,
  };
}

const PEER_OPEN = 'the peer had not closed then';
const FIN_LATER = 'its FIN came later';
const NO_FIN_YET = 'until then it had sent no FIN';

/** `stay`: FIN_WAIT2 of the full socket, ns. */
function leftAtOnce(stay: number, reasons: readonly string[]): string {
  return `the full socket was in FIN_WAIT2 for ${span(stay)} only, and ${list(reasons)}`;
}

/** `apart`: ns from the ACK of the first FIN to the other. */
function finLater(apart: number): string {
  return `the peer's FIN, ${span(apart)} after its ACK; it was acknowledged`;
}

/**
 * One snapshot shows several sockets in FIN_WAIT2 whose stays as full sockets exclude each other: it cannot have
 * caught more than one of them. Three rows or more, so that a chance catch is no explanation.
 */
function shownTogether(f: Facts, life: LifeFacts, row: SocketEvent): Citation | null {
  const windows = f.world.snapshots
    .of(row)
    .rows.filter((r) => r.row.state === 'FIN_WAIT2')
    .flatMap(({ facts, row }) => {
      const other = facts.life(life.side);
      const isLocal = facts.rows(life.side).includes(row);
      const window = isLocal && other ? fullSocketWindow(facts, other) : null;
      return window ? [window] : [];
    });
  windows.sort((a, b) => a.from - b.from);
  const exclude = windows.every((w, i) => i === 0 || windows[i - 1]!.to < w.from);
  const sameScale = new Set(windows.map((w) => w.scale)).size === 1;
  if (windows.length < 3 || !exclude || !sameScale) return null;
  return reasoning(
    () =>
      `that one snapshot shows ${count(windows.length, 'socket')} in FIN_WAIT2 together, but as full sockets they were ` +
      `in it one after the other, for ${spans(windows.map((w) => w.stay))} each`,
  );
}

/** When the full socket was in FIN_WAIT2: on the timeline, else by the order of the lines of its log. */
function fullSocketWindow(f: Facts, life: LifeFacts) {
  const start = life.find('FIN_WAIT1', 'FIN_WAIT2');
  const end = life.find('FIN_WAIT2', 'CLOSE');
  if (!start || !end || end.duration === null) return null;
  const from = f.atTransition(life, start).at;
  const to = f.atTransition(life, end).at;
  const stay = end.duration;
  // sources that print no times are placed life by life, less exactly than their lines are ordered
  const timed = f.world.source(life.life.source).clock.kind !== 'order';
  if (timed && from !== null && to !== null)
    return { from: from as number, to: to as number, stay, scale: `time of ${life.life.source}` };
  return { from: start.line, to: end.line, stay, scale: `lines of ${life.life.source}` };
}

/** The peer's own states: it was in CLOSE_WAIT for longer than the closer's FIN took to be acknowledged. */
function peerStillOpen(f: Facts, life: LifeFacts): Citation | null {
  const peer = f.life(otherSide(life.side));
  const waited = peer?.closeWait ?? null;
  const end = peer?.find('CLOSE_WAIT', 'LAST_ACK') ?? peer?.find('CLOSE_WAIT', 'CLOSE');
  const until = (life.finWait1 ?? 0) + (life.finWait2 ?? 0);
  if (!peer || !end || waited === null || waited < until + MARGIN) return null;
  return transitionEvidence(f, peer, end, NO_FIN_YET);
}

/** The wire shows a FIN_WAIT2 that is longer than the full socket's. */
function finLaterOnWire(f: Facts, life: LifeFacts): Citation | null {
  const { wire } = f;
  const onWire = wire?.finWait2(life.side) ?? null;
  const stay = life.finWait2;
  const fin = wire?.finPacket(otherSide(life.side));
  if (!wire || !fin || onWire === null || stay === null || onWire < stay + MARGIN) return null;
  if (wire.resets.some((r) => r.packet.time <= fin.time)) return null;
  // still answered, although the full socket was gone: else the FIN would have met a RST
  if (wire.of(wire.wire.finAckedTime, otherSide(life.side)) === null) return null;
  return packetEvidence(f, wire, fin, () => finLater(onWire));
}

/**
 * The peer's FIN came when the full socket had left FIN_WAIT2. The ACK before it was on its way from the capture to
 * the socket for no longer than FIN_WAIT1 of the kernel exceeds that of the wire, so it cannot have been held back
 * for more than that and reach the socket together with the FIN.
 */
export function leftBeforeFin(f: Facts, life: LifeFacts): boolean {
  const { wire } = f;
  const onWire = wire?.finWait2(life.side) ?? null;
  const [sent, acked] = [wire?.finTime(life.side) ?? null, wire?.ackOfFin(life.side)?.time ?? null];
  const { finWait1, finWait2 } = life;
  if (onWire === null || sent === null || acked === null || finWait1 === null || finWait2 === null)
    return false;
  const onItsWay = Math.max(0, finWait1 - (acked - sent));
  return onWire > finWait2 + onItsWay + MARGIN;
}

/**
 * The minisock ended before the peer closed: it lives for tcp_fin_timeout, at most 60 s (longer ones stay full
 * sockets), and the peer was open for longer. Nothing is sent when it ends. Null when nothing shows that.
 */
export function minisockExpiry(f: Facts, life: LifeFacts): MinisockProof | null {
  const told = toldExpiry(f, life);
  if (told) return told;
  const peer = f.life(otherSide(life.side));
  const limit = (f.sysctl(life.side, 'net.ipv4.tcp_fin_timeout') ?? TIME_WAIT / 1e9) * 1e9;
  const waited = peer?.closeWait ?? null;
  const onWire = f.wire?.finWait2(life.side) ?? null;
  const evidence: Citation[] = [];
  let reason: () => string;
  if (peer && waited !== null && waited > limit) {
    const end = peer.find('CLOSE_WAIT', 'LAST_ACK') ?? peer.find('CLOSE_WAIT', 'CLOSE')!;
    evidence.push(transitionEvidence(f, peer, end));
    reason = () => `${f.name(peer.side)} stayed in CLOSE_WAIT for ${span(waited)}`;
  } else if (f.wire && onWire !== null && onWire > limit) {
    const fin = f.wire.finPacket(otherSide(life.side));
    if (fin) evidence.push(packetEvidence(f, f.wire, fin, 'the FIN that came too late'));
    reason = () => `the FIN of ${f.name(otherSide(life.side))} came ${span(onWire)} after the ACK`;
  } else return finMetReset(f, life);
  const gone = missingLater(f, life);
  if (gone) evidence.push(gone);
  return {
    confidence: 'inferred',
    because: () =>
      `${reason()}, and a FIN_WAIT2 timewait socket lives ${f.sysctl(life.side, 'net.ipv4.tcp_fin_timeout') === null ? 'at most 60 s' : span(limit)} (tcp_fin_timeout)`,
    evidence,
  };
}

/** inet_twsk_kill in FIN_WAIT2, or a reset to what came later, for which the kernel found no socket any more. */
function toldExpiry(f: Facts, life: LifeFacts): MinisockProof | null {
  const killed = expiredMinisock(f, life.side);
  if (killed && !peerHadClosed(f, life.side, killed)) {
    const because = () => expiryText(f, life.side, killed);
    const evidence = [eventEvidence(f.world, killed, 'inet_twsk_kill in substate FIN_WAIT2')];
    return { confidence: 'proved', because, evidence };
  }
  const reset = kernelReset(f)[0];
  if (reset?.rule !== 'fin-wait2-expired-reset' || reset.side !== SIDE_NAMES[life.side]) return null;
  return { confidence: 'inferred', because: reset.because, evidence: reset.evidence };
}

/** The peer's FIN was on its way, or lost: then it is not the peer that did not close. */
function peerHadClosed(f: Facts, side: SideIndex, killed: ProbeEvent): boolean {
  const peer = f.life(otherSide(side));
  const closed = peer?.find('CLOSE_WAIT', 'LAST_ACK');
  const apart = closed ? f.probes.apart(killed, { source: peer!.life.source, time: closed.time }) : null;
  if (apart !== null && apart > 0) return true;
  return f.wires.some((w) => {
    const fin = w.finPacket(otherSide(side));
    return fin !== null && (f.world.between(f.atEvent(killed), f.atPacket(w, fin)) ?? -1) > 0;
  });
}

/**
 * A minisock in FIN_WAIT2 takes the peer's FIN; here it was answered with a RST, and a table had shown the minisock,
 * so one had been made.
 */
function finMetReset(f: Facts, life: LifeFacts): MinisockProof | null {
  const { wire } = f;
  const row = f.rows(life.side).find((r) => r.state === 'FIN_WAIT2' && r.owner !== 'known');
  const reset = wire?.decisiveReset;
  const fin = reset?.answers;
  if (!wire || !row || !fin || reset.side !== life.side || reset.shape !== 'passive') return null;
  if (!(fin.flags & FIN) || fin.payload > 0) return null;
  const waited = wire.finWait2(life.side);
  return {
    confidence: 'inferred',
    because: () =>
      `the FIN of ${f.name(otherSide(life.side))}${waited === null ? '' : `, ${span(waited)} after the ACK,`} was answered with a RST, ` +
      'although a socket table had shown FIN_WAIT2 before',
    evidence: [
      rowEvidence(f.world, row),
      packetEvidence(f, wire, fin),
      packetEvidence(f, wire, reset.packet),
    ],
  };
}

/** A later table of the same command, which had shown the socket before, shows it no more. */
function missingLater(f: Facts, life: LifeFacts): Citation | null {
  const row = f.rows(life.side).find((r) => r.state === 'FIN_WAIT2');
  if (!row) return null;
  const filter = f.world.snapshots.of(row).event?.filter ?? null;
  const later = f.world.snapshots
    .later(row)
    .find((s) => s.event!.filter === filter && !s.rows.some((r) => r.facts.n === f.n));
  return later
    ? eventEvidence(f.world, later.event!, 'a later socket table with the same filter shows it no more')
    : null;
}

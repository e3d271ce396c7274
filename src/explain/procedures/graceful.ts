/** Whether both sides closed with FIN, and who did first: from packets, else from the states of either end. */
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { SourceTime } from '../../model/time.ts';
import { type Citation, frameEvidence, packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { SAME_CALL, SHORTEST_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { isHealthy } from '../mask.ts';
import { type Wanted, wanted, wantedOfPeer } from '../missing.ts';
import type { Verdict } from '../rule.ts';
import { span } from '../words.ts';
import { otherSide, SIDE_NAMES } from './common.ts';
import { finCandidates } from './fin.ts';
import { unanswered } from './given-up.ts';
import { minisockExpiry } from './minisock.ts';
import { resetCandidates } from './reset.ts';

/** How it is told, and what would tell more. */
export interface Graceful extends Verdict {
  summary(): string;
  missing?(): readonly Wanted[];
}

export function gracefulClose(f: Facts): Graceful | null {
  if (isHealthy(f.mask)) return ordinary(f);
  if (resetCandidates(f).length > 0 || unanswered(f) || contradicted(f)) return null;
  if (f.wire) {
    const seen = onWire(f, f.wire);
    if (seen) return seen;
  }
  return f.resetDrops.length > 0 || stillOpenInTable(f) ? null : inStates(f);
}

/** A socket that went from a live state straight to CLOSE did not close with FINs, whatever a capture shows. */
function contradicted(f: Facts): boolean {
  return f.lives.some((l) => l.abort !== null);
}

/** The last that is known of one side is a table that shows it open: its end is unknown, or never came. */
function stillOpenInTable(f: Facts): boolean {
  return ([CLIENT, SERVER] as const).some((side) => {
    const last = f.rows(side).at(-1);
    const open = last?.state === 'CLOSE_WAIT' || last?.state === 'ESTABLISHED';
    return open && !f.life(side)?.life.transitions.some((t) => t.to === 'CLOSE');
  });
}

/** `name`: of the side whose FIN came first; null when they crossed. */
function orderlySummary(name: string | null, acked = true): string {
  const order = name === null ? 'at the same time' : `${name} first`;
  return `both sides closed with FIN, ${order}${acked ? ', and both were acknowledged' : '; the last acknowledgment is not in the capture'}`;
}

/** `apart`: ns between the FINs. */
function orderlyFact(name: string, apart: number): string {
  return `starts here; FIN of ${name}, and of the other side ${span(apart)} later, both acknowledged`;
}

/** Most connections of a capture: told from the counts alone, without looking at a packet again. */
function ordinary(f: Facts): Graceful {
  const wire = f.case.wires[0]!;
  const flipped = wire.client.port !== f.case.client.port || wire.client.address !== f.case.client.address;
  const [a, b] = wire.finTime as [SourceTime, SourceTime];
  const first = (wire.firstFin === CLIENT) === flipped ? SERVER : CLIENT;
  const { timeline } = f.world.context;
  const at = timeline.at(wire.source, a <= b ? a : b);
  return {
    confidence: 'proved',
    side: SIDE_NAMES[first],
    moment: { source: wire.source, at },
    summary: () => orderlySummary(f.name(first)),
    evidence: [frameEvidence(f, wire, () => orderlyFact(f.name(first), Math.abs(a - b)))],
  };
}

function onWire(f: Facts, wire: WireFacts): Graceful | null {
  const [a, b] = [wire.finTime(CLIENT), wire.finTime(SERVER)];
  if (a === null || b === null) return null;
  const { firstFin } = wire;
  const first: SideIndex = typeof firstFin === 'number' ? firstFin : CLIENT;
  const acked = ([CLIENT, SERVER] as const).every((side) => wire.of(wire.wire.finAckedTime, side) !== null);
  const evidence = [first, otherSide(first)]
    .map((side) => wire.finPacket(side))
    .filter((p) => p !== null)
    .map((p) => packetEvidence(f, wire, p));
  // the file ends before the last FIN could be acknowledged, or sent again
  const isCut = f.world.captures.span(wire.wire.source)[1] - Math.max(a, b) < SHORTEST_RTO;
  return {
    confidence: acked ? 'proved' : isCut ? 'possible' : 'inferred',
    side: SIDE_NAMES[first],
    moment: {
      source: wire.wire.source,
      at: f.world.context.timeline.at(wire.wire.source, first === CLIENT ? a : b),
    },
    summary: () => orderlySummary(firstFin === 'both' ? null : f.name(first), acked),
    evidence,
    missing: () => (acked ? [] : wanted('last-ack', SIDE_NAMES[first])),
  };
}

/** LAST_ACK → CLOSE, TIME_WAIT's stand-ins FIN_WAIT2 → CLOSE and CLOSING → CLOSE: a FIN of each side, most likely. */
function inStates(f: Facts): Graceful | null {
  const passive = f.lives.find((l) => l.find('LAST_ACK', 'CLOSE'));
  const active = f.lives.find((l) => l.find('FIN_WAIT2', 'CLOSE') || l.find('CLOSING', 'CLOSE'));
  const life = passive ?? active;
  if (!life || (!passive && peerStayedOpen(f, life))) return null;
  if (active && minisockExpiry(f, active)) return null;
  const first = passive ? otherSide(passive.side) : active!.side;
  const overflow = finCandidates(f).some(({ candidates }) => candidates[0]?.rule === 'time-wait-overflow');
  return {
    confidence: overflow ? 'possible' : 'inferred',
    ...(overflow ? { alternatives: ['no-socket-reset'] } : {}),
    side: SIDE_NAMES[first],
    moment: f.atTransition(life, life.life.transitions.at(-1)!),
    summary: () => statesSummary(f, first, life),
    evidence: evidenceOf(f, life),
    missing: () => [
      ...wanted('packets', SIDE_NAMES[first]),
      ...wantedOfPeer('states', SIDE_NAMES[life.side]),
    ],
  };
}

function statesSummary(f: Facts, first: SideIndex, life: LifeFacts): string {
  const repaired = f.lives.some((l) => l.life.transitions.some((t) => t.reordered));
  return (
    `both sides closed with FIN, ${f.name(first)} first: ${f.name(life.side)} went ${life.path}` +
    (repaired ? ' (its lines stood out of order in the log and were put right)' : '')
  );
}

function evidenceOf(f: Facts, life: LifeFacts): Citation[] {
  return life.life.transitions.flatMap((t) => {
    if (t.to === 'SYN_RECV' || t.to === 'SYN_SENT' || t.to === 'ESTABLISHED') return [];
    const note =
      t.from === t.to
        ? 'close() of a socket that had sent its FIN already, by shutdown()'
        : t.reordered
          ? 'this line stood out of order'
          : '';
    return [transitionEvidence(f, life, t, note)];
  });
}

/** Something shows that the peer had not closed when this side's socket was gone: its own end is then unknown. */
function peerStayedOpen(f: Facts, life: LifeFacts): boolean {
  const peer = f.life(otherSide(life.side));
  if (peer && !peer.find('CLOSE_WAIT', 'LAST_ACK') && !peer.closedFirst) return true;
  const first = finCandidates(f).find(({ side }) => side === life.side)?.candidates[0];
  const later = f.wire?.finTime(otherSide(life.side)) != null;
  // close() in FIN_WAIT2 leaves it to a minisock at once
  const handedOver = life.find('FIN_WAIT2', 'CLOSE')?.duration ?? Number.POSITIVE_INFINITY;
  if (life.find('FIN_WAIT2', 'FIN_WAIT2') && handedOver <= SAME_CALL && !later) return true;
  return first?.rule === 'fin-wait2-in-minisock' && first.confidence !== 'possible' && !later;
}

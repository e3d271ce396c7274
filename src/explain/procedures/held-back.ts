/** A reset by a side whose data had not all arrived: what the other had not acknowledged, or not let it send, is lost. */
import { type ClosedWindow, type KeyPacket, type SideIndex, WHY_RETRANSMIT } from '../../model/connection.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { type Citation, packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import { ruleById } from '../rules/index.ts';
import { count, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { otherSide } from './common.ts';

/** With what is lost; where the cause is one that programs choose for a normal end, that makes it a warning. */
export function withLoss(f: Facts, wire: WireFacts, reset: WireReset, first: Candidate): Candidate {
  if (first.side === 'path') return first;
  const loss = heldBack(f, wire, reset) ?? notAcknowledged(f, wire, reset);
  if (!loss) return first;
  const because = () => `${first.because()}; ${loss.text()}`;
  const isNote = (first.severity ?? ruleById(first.rule)?.severity) === 'info';
  const evidence = [...first.evidence, ...loss.evidence];
  return { ...first, because, evidence, ...(isNote && { severity: 'warning', remedy: loss.remedy }) };
}

const NOT_READ = 'Find out why the other side had stopped reading: its receive window was closed.';
const BEHIND_PROXY =
  'What answered the SYN is a proxy that opens the window when its server has answered: look at the server behind it, and at the path to that.';

interface Loss {
  text(): string;
  remedy: string;
  evidence: Citation[];
}

/** Since when the peer's window was closed to data that the sender of the RST still had; null where it was open, or nothing was left. */
export function closedTo(wire: WireFacts, { packet, side }: WireReset): number | null {
  const peer = otherSide(side);
  const closed = wire.of(wire.wire.closedWindow, peer) ?? neverOpened(wire, packet, side);
  // who closes does not read any more, and says so with a window of 0
  if (!closed || closed.since > packet.time || wire.finTime(peer) !== null) return null;
  // nobody probes a window without data to send
  return closed.probes > 0 || bytesInFlight(wire, side) > 0 ? closed.since : null;
}

/** A proxy that answers SYNs for its server (SYNPROXY) opens the window once the server has answered. */
function neverOpened(wire: WireFacts, packet: KeyPacket, side: SideIndex): ClosedWindow | null {
  const last = wire.before(packet, otherSide(side))[0];
  if (!last || wire.windowless || last.window > 0 || (last.flags & (SYN | ACK)) !== (SYN | ACK)) return null;
  const probes = wire.of(wire.wire.keepalives, side) + wire.of(wire.wire.windowProbes, side);
  return { since: last.time, answers: 1, probes };
}

function heldBack(f: Facts, wire: WireFacts, reset: WireReset): Loss | null {
  const since = closedTo(wire, reset);
  if (since === null) return null;
  const { packet, side } = reset;
  const peer = otherSide(side);
  const shut = wire.before(packet, peer).find((p) => p.window === 0);
  return {
    text: () =>
      `it still had data for ${f.name(peer)}, whose receive window had been closed for ${span(packet.time - since)}`,
    remedy: shut && shut.flags & SYN ? BEHIND_PROXY : NOT_READ,
    evidence: shut ? [packetEvidence(f, wire, shut, 'window 0: it takes no more')] : [],
  };
}

/** It had sent something again, and the other did not acknowledge it to the end. */
function notAcknowledged(f: Facts, wire: WireFacts, { packet, side }: WireReset): Loss | null {
  const bytes = bytesInFlight(wire, side);
  if (wire.oneDirection || bytes <= 0) return null;
  const peer = otherSide(side);
  const acked = wire.of(wire.wire.acked, peer)!;
  const again = wire
    .before(packet, side)
    .find((p) => p.why & WHY_RETRANSMIT && p.payload > 0 && ((p.seq - acked) | 0) >= 0);
  if (!again) return null;
  return {
    text: () => `${f.name(peer)} had not acknowledged ${count(bytes, 'byte')} of what it had sent`,
    remedy:
      'Look at the path between the two, and whether the other host was still there: what was sent to it was not acknowledged.',
    evidence: [packetEvidence(f, wire, again, 'sent again, and not acknowledged')],
  };
}

/** Bytes of data that the other had not acknowledged by the end; negative where it acknowledged some that are not here. */
export function bytesInFlight(wire: WireFacts, side: SideIndex): number {
  const next = wire.of(wire.wire.nextSeq, side);
  const acked = wire.of(wire.wire.acked, otherSide(side));
  if (next === null || acked === null) return 0;
  const left = (next - acked) | 0;
  return left > 0 && wire.finTime(side) !== null ? left - 1 : left;
}

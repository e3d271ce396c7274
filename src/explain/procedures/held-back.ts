/** A reset by a side that still had data to send, while the other's receive window was closed: they are lost. */
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts, WireReset } from '../facts/wire.ts';
import { ruleById } from '../rules/index.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { otherSide } from './common.ts';

/** Only who has data left probes a closed window. Of what lets a program close a connection so on purpose it is a warning. */
export function withHeldBack(f: Facts, wire: WireFacts, reset: WireReset, first: Candidate): Candidate {
  const closed = closedTo(wire, reset);
  if (closed === null || first.side === 'path') return first;
  const { packet, side } = reset;
  const peer = otherSide(side);
  const shut = wire.before(packet, peer).find((p) => p.window === 0);
  const because = () =>
    `${first.because()}; it still had data for ${f.name(peer)}, whose receive window had been closed for ${span(packet.time - closed)}`;
  const evidence = shut
    ? [...first.evidence, packetEvidence(f, wire, shut, 'window 0: its process does not read')]
    : first.evidence;
  const isNote = (first.severity ?? ruleById(first.rule)?.severity) === 'info';
  return { ...first, because, evidence, ...(isNote && { severity: 'warning' }) };
}

/** Since when the peer's window was closed to data that the sender of the RST still had; null where it was open, or nothing was left. */
export function closedTo(wire: WireFacts, { packet, side }: WireReset): number | null {
  const peer = otherSide(side);
  const closed = wire.of(wire.wire.closedWindow, peer);
  // who closes does not read any more, and says so with a window of 0
  if (!closed || closed.probes === 0 || closed.since > packet.time || wire.finTime(peer) !== null)
    return null;
  return closed.since;
}

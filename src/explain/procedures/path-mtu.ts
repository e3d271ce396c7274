/** Large segments that vanish where small ones pass (RFC 2923 §2.1): the path takes smaller packets than the sender thinks. */
import { type KeyPacket, SIDES, type SideIndex, WHY_RETRANSMIT } from '../../model/connection.ts';
import type { IcmpEvent } from '../../model/event.ts';
import { icmpFact } from '../../model/icmp.ts';
import { OPT_SACK, OPT_TIMESTAMP } from '../../model/packet.ts';
import { seqDiff } from '../../model/tcp.ts';
import { eventEvidence, packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { RTO_MIN } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { count, most, number, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { otherSide } from './common.ts';
import { quotedSide } from './icmp.ts';

/** Any path takes this (RFC 1122: 576 bytes with headers). */
const ALWAYS_PASSES = 536;

interface Stuck {
  wire: WireFacts;
  sender: SideIndex;
  /** Retransmissions of the first segment that was never acknowledged; those that were kept. */
  again: readonly KeyPacket[];
  /** Every retransmission of the side was kept. */
  areAll: boolean;
  /** Payload of the largest segment that was acknowledged, as far as packets were kept; at most. */
  passed: number;
}

/** A side that sent one large segment again and again, and of which nothing so large was ever acknowledged. */
function stuck(f: Facts, wire: WireFacts, sender: SideIndex): Stuck | null {
  const peer = otherSide(sender);
  const [acked, isn] = [wire.of(wire.wire.acked, peer), wire.of(wire.wire.isn, sender)];
  if (acked === null || isn === null || f.world.captures.isOneDirection(wire.wire.source)) return null;
  const own = wire.packets.filter((p) => wire.sideOf(p) === sender);
  const again = own.filter((p) => p.why & WHY_RETRANSMIT && p.seq === acked && p.payload > ALWAYS_PASSES);
  const [first, last] = [again[0], again.at(-1)];
  if (!first || !last || last.time - first.time < RTO_MIN) return null;
  const size = first.payload;
  // all that was acknowledged together is smaller: no such segment among it
  const sum = seqDiff(acked, isn + 1);
  if (sum >= size && !isLargestKnown(wire, own, acked, size)) return null;
  const passed = most([
    0,
    ...own.filter((p) => seqDiff(acked, p.seq + p.payload) >= 0).map((p) => p.payload),
  ]);
  const kept = own.filter((p) => p.why & WHY_RETRANSMIT).length;
  return { wire, sender, again, areAll: kept === wire.of(wire.wire.retransmits, sender), passed };
}

/** Every packet of the side was kept, and of those that were acknowledged none is so large. */
function isLargestKnown(wire: WireFacts, own: readonly KeyPacket[], acked: number, size: number): boolean {
  if (wire.wire.keyPacketsDropped > 0) return false;
  return own.every((p) => p.payload < size || seqDiff(acked, p.seq + p.payload) < 0);
}

/** The peer is there: it acknowledged what it had already, after the large segment was lost. */
function isAlive({ wire, sender, again }: Stuck): boolean {
  const last = wire.packets.findLast((p) => wire.sideOf(p) !== sender);
  if (!last || last.ack !== again[0]!.seq) return false;
  return last.time > again[0]!.time || (last.options & OPT_SACK) !== 0;
}

function tooBig(f: Facts, sender: SideIndex): IcmpEvent[] {
  return f.case.icmp.filter((e) => e.says === 'too-big' && quotedSide(f, e) === sender);
}

/** It sent again what the next link takes, and that was lost too: not for its size. */
function isHeeded({ again }: Stuck, { mtu, last, from }: IcmpEvent): boolean {
  const ip = from.address.includes(':') ? 40 : 20;
  const tcp = (p: KeyPacket) => (p.options & OPT_TIMESTAMP ? 32 : 20);
  return mtu !== null && again.some((p) => p.time > last && ip + tcp(p) + p.payload <= mtu);
}

/** A large segment was lost, and whether small ones passed then nothing shows. */
export function mayBeTooLarge(f: Facts): boolean {
  return f.wires.some((wire) =>
    SIDES.some((_, i) => {
      const found = stuck(f, wire, i as SideIndex);
      return found !== null && !tooBig(f, found.sender).some((e) => isHeeded(found, e));
    }),
  );
}

/** Null when segments of all sizes share the fate. */
export function pathMtuBlackHole(f: Facts): Candidate | null {
  for (const wire of f.wires) {
    for (const [i] of SIDES.entries()) {
      const found = stuck(f, wire, i as SideIndex);
      if (!found) continue;
      const errors = tooBig(f, found.sender);
      if (errors.some((e) => isHeeded(found, e))) continue;
      if (errors.length > 0 || isAlive(found)) return blackHole(f, found, errors);
    }
  }
  return null;
}

function blackHole(
  f: Facts,
  { wire, sender, again, areAll, passed }: Stuck,
  errors: readonly IcmpEvent[],
): Candidate {
  const [first] = again as [KeyPacket];
  const often = areAll ? `${count(again.length, 'more time')} ` : 'again ';
  const over = `over ${span(again.at(-1)!.time - first.time)}`;
  const error = errors[0];
  const small =
    passed > 0
      ? `segments of up to ${number(passed)} bytes were acknowledged`
      : 'segments without data were acknowledged';
  return {
    rule: 'path-mtu-black-hole',
    side: 'path',
    confidence: error ? 'inferred' : 'possible',
    because: () =>
      `${f.name(sender)} sent a segment of ${number(first.payload)} bytes ${often}${over}, and it was never acknowledged, while ${small}` +
      (error
        ? `; ${error.by} had said that the packet is too big${error.mtu === null ? '' : ` (its next link takes ${number(error.mtu)} bytes)`}, and ${f.name(sender)} did not send smaller ones`
        : ', and no ICMP error is in the file'),
    moment: f.atPacket(wire, first),
    evidence: [
      ...again.slice(0, 2).map((p) => packetEvidence(f, wire, p, 'sent again')),
      ...errors.slice(0, 2).map((e) => eventEvidence(f.world, e, () => icmpFact(e))),
    ],
  };
}

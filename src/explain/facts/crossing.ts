/**
 * One connection in two captures: which of its handshake's segments were seen at one place and not at the other. A
 * SYN comes from the client, so the capture that alone has it is the nearer to the client; a SYN-ACK the other way
 * round. A capture that lacks a segment says something only while it was running and saw other packets of the same;
 * files that follow one another (tcpdump -G) say nothing of each other.
 */
import { CLIENT, type KeyPacket, SERVER, type SideIndex, WHY_RETRANSMIT } from '../../model/connection.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import { MARGIN, RTO_MIN } from './timing.ts';
import type { WireFacts } from './wire.ts';
import type { WireReset } from './wire-resets.ts';

interface Sighting {
  wire: WireFacts;
  packet: KeyPacket;
  /** The other capture had seen packets before, and saw some after. */
  running: boolean;
}

interface Crossing {
  /** SYNs, and SYN-ACKs, that one capture has and the other lacks. */
  lostSyns: Sighting[];
  lostSynAcks: Sighting[];
  /** Both captures have every SYN. */
  allShared: boolean;
  /** Source.id of the other capture, in which they are missing. */
  without: number;
}

/** null without a second capture that was running at the same time. */
export function crossing(f: Facts): Crossing | null {
  const [a, b] = f.wires;
  if (!a) return null;
  if (!b) return missingAltogether(f, a);
  if (a.wire.source === b.wire.source || !f.world.captures.ranTogether(a.wire.source, b.wire.source))
    return null;
  if (a.wire.keyPacketsDropped + b.wire.keyPacketsDropped > 0) return null;
  const lost = (flags: number, side: SideIndex) => [
    ...onlyIn(f, a, b.wire.source, flags, side, b),
    ...onlyIn(f, b, a.wire.source, flags, side, a),
  ];
  const lostSyns = lost(SYN, CLIENT);
  const lostSynAcks = lost(SYN | ACK, SERVER);
  const [first] = [...lostSyns, ...lostSynAcks];
  const sides = [a, b].map((w) => new Set(handshakes(w, SYN, CLIENT).map(identity)));
  return {
    lostSyns,
    lostSynAcks,
    allShared:
      sides[0]!.size > 0 &&
      sides[0]!.size === sides[1]!.size &&
      [...sides[0]!].every((id) => sides[1]!.has(id)),
    without: (first?.wire === b ? a : b).wire.source,
  };
}

/** No packet of it is in the other capture, which saw others of the same client and server. */
function missingAltogether(f: Facts, here: WireFacts): Crossing | null {
  const others = f.world.captures.beside(f.case, here.wire.source);
  if (others.length === 0) return null;
  const syns = handshakes(here, SYN, CLIENT);
  const other = others.find((source) => syns.some((p) => wasRunning(f, here, source, p))) ?? others[0];
  if (other === undefined) return null;
  const lostSyns = onlyIn(f, here, other, SYN, CLIENT, null);
  const lostSynAcks = onlyIn(f, here, other, SYN | ACK, SERVER, null);
  return { lostSyns, lostSynAcks, allShared: false, without: other };
}

export interface ForgedReset {
  wire: WireFacts;
  reset: WireReset;
  /** The capture nearer to the seeming sender, which has no RST of it. */
  without: WireFacts;
  /** Its last packet there, when that came after the RST. */
  goesOn: KeyPacket | null;
  /** It stands beside the seeming sender, RSTs pass its filter, and of what the other capture has of that one it lacks nothing else. */
  lacksNothingElse: boolean;
}

/** TTLs, and hop limits, that stacks begin with: whoever sees one is on the sender's host, or before its first router. */
const INITIAL_TTLS = new Set([64, 128, 255]);

/**
 * A RST that its seeming sender never sent: the capture that saw that one's packets over fewer hops was running and has
 * no RST of it. null when there is none, or nothing tells which capture is nearer.
 */
export function resetMadeBetween(f: Facts): ForgedReset | null {
  for (const wire of f.wires) {
    for (const reset of wire.resets) {
      const without = f.wires.find((other) => isNearerWithout(f, wire, reset, other));
      if (without)
        return {
          wire,
          reset,
          without,
          goesOn: lastAfter(f, wire, reset, without),
          lacksNothingElse: lacksNothingElse(f, wire, reset, without),
        };
    }
  }
  return null;
}

function isNearerWithout(f: Facts, wire: WireFacts, { side, packet }: WireReset, other: WireFacts): boolean {
  return (
    isNearer(other, wire, side) &&
    other.of(other.wire.rsts, side) === 0 &&
    !outlived(wire, side, packet) &&
    wasRunning(f, wire, other.wire.source, packet) &&
    !sentByKernel(f, side, f.atPacket(wire, packet))
  );
}

/** That side's own kernel says that it sent a RST then: the capture nearer to it had stopped, or lost it. */
function sentByKernel(f: Facts, side: SideIndex, reset: Moment): boolean {
  return f.case.kernel.some((e) => {
    if (e.kind !== 'reset-sent' || f.probes.sideOf(e) !== side) return false;
    const apart = f.world.between(f.atEvent(e), reset);
    return apart !== null && Math.abs(apart) <= MARGIN + f.world.clockError(e.source, reset.source);
  });
}

/** Who got the RST went on for longer than what was under way explains: it did not take it (RFC 5961, TCP MD5). */
function outlived(wire: WireFacts, side: SideIndex, reset: KeyPacket): boolean {
  return wire.packets.some(
    (p) => wire.sideOf(p) !== side && !(p.flags & RST) && p.time - reset.time > RTO_MIN,
  );
}

function lacksNothingElse(
  f: Facts,
  wire: WireFacts,
  { side, answers }: WireReset,
  nearer: WireFacts,
): boolean {
  const peer = (1 - side) as SideIndex;
  const { packets, rsts, ttl } = nearer.wire;
  const sent = wire.of(wire.wire.packets, side) - wire.of(wire.wire.rsts, side);
  // who resets a wrong SYN-ACK goes on with its handshake
  if (answers && answers.flags & SYN) return false;
  return (
    !f.world.source(nearer.wire.source).incomplete &&
    INITIAL_TTLS.has(nearer.of(ttl, side) ?? 0) &&
    nearer.of(packets, side) >= sent &&
    nearer.unseen(side) === 0 &&
    nearer.unseen(peer) === 0 &&
    nearer.of(rsts, peer) > 0
  );
}

function lastAfter(
  f: Facts,
  wire: WireFacts,
  { side, packet }: WireReset,
  other: WireFacts,
): KeyPacket | null {
  const last = other.packets.findLast((p) => other.sideOf(p) === side);
  const apart = last && f.world.between(f.atPacket(other, last), f.atPacket(wire, packet));
  return last && apart != null && apart > f.world.clockError(wire.wire.source, other.wire.source)
    ? last
    : null;
}

function onlyIn(
  f: Facts,
  here: WireFacts,
  other: number,
  flags: number,
  side: SideIndex,
  there: WireFacts | null,
): Sighting[] {
  const seen = new Set(there ? handshakes(there, flags, side).map(identity) : []);
  return handshakes(here, flags, side)
    .filter((p) => !seen.has(identity(p)))
    .map((packet) => ({
      wire: here,
      packet,
      // of a capture of the other direction nothing is missing
      running: !isOfOtherDirection(f, other, side) && wasRunning(f, here, other, packet),
    }));
}

function isOfOtherDirection({ world, case: c }: Facts, source: number, side: SideIndex): boolean {
  return world.captures.isOneDirection(source) || (side === CLIENT && !world.captures.of(c).includes(source));
}

function handshakes(wire: WireFacts, flags: number, side: SideIndex): KeyPacket[] {
  return wire.packets.filter((p) => (p.flags & (SYN | ACK)) === flags && wire.sideOf(p) === side);
}

/** A repeated SYN has the same numbers and a later timestamp; without timestamps the IP identification tells. */
function identity(p: KeyPacket): string {
  return p.options & OPT_TIMESTAMP ? `${p.seq} ${p.tsVal}` : `${p.seq} id ${p.ipId}`;
}

function wasRunning(f: Facts, here: WireFacts, source: number, p: KeyPacket): boolean {
  const { timeline } = f.world.context;
  const at = timeline.at(here.wire.source, p.time);
  if (at === null || !timeline.comparable(here.wire.source, source)) return false;
  const [from, to] = f.world.captures.span(source).map((time) => timeline.at(source, time));
  return from != null && to != null && at >= from && at <= to;
}

/** Of a connection in two captures: the end of a side's data, which the capture farther from it lacks. */
export interface LostData {
  side: SideIndex;
  nearer: WireFacts;
  farther: WireFacts;
  /** What the farther capture lacks, at the end of what was sent. */
  bytes: number;
  /** What was sent again of that. */
  again: readonly KeyPacket[];
}

/** What a filter or a busy disk left out would have come with another try: so often it was sent again. */
const TRIES = 2;

/** Data that a side sent, sent again, and that never reached the other capture, which ran all the while. */
export function dataLostBetween(f: Facts): LostData | null {
  for (const [side, farther, nearer] of directedPairs(f)) {
    const [sent, came] = [sentBy(nearer, side), sentBy(farther, side)];
    if (sent === null || came === null || sent <= came || hasAcknowledged(nearer, side, came)) continue;
    const isn = nearer.of(nearer.wire.isn, side)!;
    const again = nearer.packets.filter(
      (p) =>
        p.why & WHY_RETRANSMIT && p.payload > 0 && nearer.sideOf(p) === side && seqDiff(p.seq, isn) >= came,
    );
    const fins = nearer.of(nearer.wire.fins, side) > farther.of(farther.wire.fins, side) ? 1 : 0;
    const bytes = sent - came - fins;
    if (again.length >= TRIES && bytes > 0 && ranUntil(f, nearer, again.at(-1)!.time, farther))
      return { side, nearer, farther, bytes, again };
  }
  return null;
}

/** The peer has it: the other capture lacks what came all the same. */
function hasAcknowledged(w: WireFacts, side: SideIndex, came: number): boolean {
  const acked = w.of(w.wire.acked, (1 - side) as SideIndex);
  return acked !== null && seqDiff(acked, w.of(w.wire.isn, side)!) > came;
}

/** Each side, with a capture that saw its packets over more hops, and one that saw them over fewer. */
function directedPairs(f: Facts): [SideIndex, WireFacts, WireFacts][] {
  return ([CLIENT, SERVER] as const).flatMap((side) =>
    f.wires.flatMap((farther) =>
      f.wires
        .filter((nearer) => isNearer(nearer, farther, side))
        .map((nearer) => [side, farther, nearer] as [SideIndex, WireFacts, WireFacts]),
    ),
  );
}

function isNearer(nearer: WireFacts, farther: WireFacts, side: SideIndex): boolean {
  return (
    nearer.wire.source !== farther.wire.source &&
    (nearer.of(nearer.wire.ttl, side) ?? 0) > (farther.of(farther.wire.ttl, side) ?? Number.POSITIVE_INFINITY)
  );
}

/** How far the numbers of a side went beyond its SYN, in a capture that has all of them. */
function sentBy(w: WireFacts, side: SideIndex): number | null {
  const [isn, next] = [w.of(w.wire.isn, side), w.of(w.wire.nextSeq, side)];
  return isn === null || next === null || w.unseen(side) !== 0 ? null : seqDiff(next, isn);
}

/** The capture went on for as long as the other saw something sent again. */
function ranUntil(f: Facts, { wire }: WireFacts, time: SourceTime, { wire: other }: WireFacts): boolean {
  const { timeline } = f.world.context;
  if (f.world.source(other.source).incomplete || !timeline.comparable(wire.source, other.source))
    return false;
  const [at, end] = [
    timeline.at(wire.source, time),
    timeline.at(other.source, f.world.captures.span(other.source)[1]),
  ];
  return at !== null && end !== null && at <= end;
}

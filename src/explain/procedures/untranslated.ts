/** What a NAT did not translate back: the answer to a SYN, or a later segment, arrives from an address that its receiver never called. */
import { formatEndpoint, sameEndpoint } from '../../model/address.ts';
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, flagNames, RST, SYN, seqDiff } from '../../model/tcp.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { connectionsAt, type Stray, strayOf, straysTo } from '../facts/kin.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { RuleId } from '../rules/index.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';

const SYN_ACK = SYN | ACK;
/** A window without scaling: what may be under way beyond what was seen. */
const UNDER_WAY = 65_535;

/** The answer to the SYN came from elsewhere; null when nothing looks like that. */
export const untranslatedReply = memoised((f: Facts): Candidate | null => {
  const own = strayOf(f);
  for (const called of own ? connectionsAt(f, own.end) : []) {
    const asked = askedBy(own!.packet, called);
    if (asked) return fromElsewhere(called, asked, f, own!);
  }
  if (own) return null;
  const behind = behindNat(f);
  if (behind && isSynAck(behind.answered)) return withoutTranslation(f, behind, 'untranslated-reply');
  for (const other of f.wires.some(isUnanswered) ? straysTo(f) : []) {
    const stray = strayOf(other)!;
    const asked = askedBy(stray.packet, f);
    if (asked) return fromElsewhere(f, asked, other, stray);
  }
  return unwanted(f);
});

function isUnanswered({ wire }: WireFacts): boolean {
  return wire.syns[0] + wire.syns[1] > 0 && (wire.packets[0] === 0 || wire.packets[1] === 0);
}

/**
 * Where a capture shows the SYN that the packet acknowledges, and that nobody else answered there: the client never went on,
 * as it does where the answer is translated behind the capture (a router's own, of what comes in).
 */
function askedBy(p: KeyPacket, called: Facts): WireFacts | null {
  if (!isSynAck(p)) return null;
  const asks = (w: WireFacts) => {
    const isn = w.of(w.wire.isn, CLIENT);
    return (
      w.wire.source === p.source &&
      isn !== null &&
      w.of(w.wire.packets, SERVER) === 0 &&
      w.of(w.wire.packets, CLIENT) === w.of(w.wire.syns, CLIENT) + w.of(w.wire.rsts, CLIENT) &&
      seqDiff(p.ack, isn) === 1 &&
      // of a flood, whose numbers are all the same, it is of an earlier one
      p.time >= w.wire.start
    );
  };
  return called.wires.find(asks) ?? null;
}

function fromElsewhere(
  called: Facts,
  asked: WireFacts,
  other: Facts,
  { wire, packet, side }: Stray,
): Candidate {
  const syn = asked.packets.find(isSyn)!;
  const reset = wire.packets.find((p) => wire.sideOf(p) === side && p.flags & RST);
  const from = formatEndpoint(other.endpoint(wire.sideOf(packet)));
  const to = formatEndpoint(asked.wire.server);
  return {
    rule: 'untranslated-reply',
    side: 'path',
    confidence: 'inferred',
    because: () =>
      `the SYN of ${called.name(CLIENT)} went to ${to}, and the SYN-ACK for it came from ${from}${reset ? ', which the client reset' : ''}`,
    moment: other.atPacket(wire, packet),
    evidence: [
      packetEvidence(called, asked, syn, `to ${to}`),
      packetEvidence(other, wire, packet, 'acknowledges that SYN'),
      ...(reset ? [packetEvidence(other, wire, reset, 'the client does not know that address')] : []),
    ],
  };
}

/** The client reset the handshake and sent the same SYN again: its socket lives, and did not know who answered. */
function unwanted(f: Facts): Candidate | null {
  if (!f.wires.some((w) => w.of(w.wire.rsts, CLIENT) > 0) || synsOfClient(f) < 2) return null;
  for (const wire of f.wires) {
    const own = ofClient(f, wire);
    const syn = own.find(({ packet: p }) => isSyn(p))?.packet;
    const reset = syn && own.find(({ packet: p }) => isBareReset(p) && seqDiff(p.seq, syn.seq) === 1);
    const again =
      reset && own.find(({ packet: p }) => p.flags & SYN && p.seq === syn.seq && p.time > reset.packet.time);
    if (!reset || !again || own.some(({ packet: p }) => !(p.flags & (SYN | RST)))) continue;
    const synAck = reset.wire.before(reset.packet, SERVER).find(isSynAck);
    const what = synAck ? 'the SYN-ACK' : 'a SYN-ACK that is not in this file';
    return {
      rule: 'untranslated-reply',
      side: 'path',
      confidence: 'possible',
      because: () =>
        `${f.name(CLIENT)} reset ${what} and sent the same SYN with the same number again ${span(again.packet.time - reset.packet.time)} later: its socket still waits, for an answer of another address`,
      moment: f.atPacket(reset.wire, reset.packet),
      evidence: [
        ...(synAck ? [packetEvidence(f, reset.wire, synAck)] : []),
        packetEvidence(f, reset.wire, reset.packet),
        packetEvidence(f, again.wire, again.packet, 'the same number again'),
      ],
    };
  }
  return null;
}

function synsOfClient(f: Facts): number {
  return f.wires.reduce((sum, w) => sum + w.of(w.wire.syns, CLIENT) + w.of(w.wire.synAcks, CLIENT), 0);
}

/** What the client sent, on both sides of a NAT where one capture sees them. */
function ofClient(f: Facts, { wire: { source } }: WireFacts): { wire: WireFacts; packet: KeyPacket }[] {
  return f.wires
    .filter((w) => w.wire.source === source)
    .flatMap((wire) =>
      wire.packets.filter((p) => wire.sideOf(p) === CLIENT).map((packet) => ({ wire, packet })),
    );
}

/** With or without ECN. */
function isSyn(p: KeyPacket): boolean {
  return (p.flags & SYN_ACK) === SYN;
}

function isSynAck(p: KeyPacket): boolean {
  return (p.flags & SYN_ACK) === SYN_ACK;
}

function isBareReset(p: KeyPacket): boolean {
  return (p.flags & (RST | ACK)) === RST;
}

/** On one side of a NAT the client reset the server's segment, and on the other side it goes on with the connection. */
function resetOnOneSide(f: Facts): Candidate | null {
  for (const wire of f.wires) {
    const reset = wire.packets.find((p) => wire.sideOf(p) === CLIENT && isBareReset(p));
    const stray = reset && wire.before(reset, SERVER)[0];
    const on =
      reset &&
      ofClient(f, wire).find(
        (o) =>
          !sameEndpoint(o.wire.wire.server, wire.wire.server) &&
          o.packet.time > reset.time &&
          !(o.packet.flags & RST),
      );
    if (!reset || !on || !stray || stray.ack !== reset.seq || stray.flags & SYN) continue;
    const { client, server } = wire.wire;
    return {
      rule: 'untranslated-packet-reset',
      side: 'path',
      confidence: 'inferred',
      because: () =>
        `a segment of ${formatEndpoint(server)} reached ${formatEndpoint(client)} under that address and got a RST, while the client went on with ${formatEndpoint(on.wire.wire.server)}, under which it knows the server`,
      moment: f.atPacket(wire, reset),
      evidence: [
        packetEvidence(f, wire, stray, 'untranslated'),
        packetEvidence(f, wire, reset, 'in answer to that'),
        packetEvidence(
          f,
          on.wire,
          on.packet,
          `the client goes on with ${formatEndpoint(on.wire.wire.server)}`,
        ),
      ],
    };
  }
  return null;
}

/** A later segment of another connection of the receiver, by both its numbers, which a RST answered. */
export const untranslatedPacket = memoised((f: Facts): Candidate | null => {
  const own = strayOf(f);
  if (own) {
    const called = connectionsAt(f, own.end).find((other) => fits(own.packet, other));
    return called ? strayReset(f, own, called) : null;
  }
  if (f.wires.length < 2) return null;
  const theirs = f.wires.flatMap((w) => w.resets).map((r) => r.packet);
  for (const other of theirs.length > 0 ? straysTo(f) : []) {
    const stray = strayOf(other)!;
    // the RST that ended it elsewhere is the one of the stray segment
    const isThat = theirs.some((p) => p.source !== stray.packet.source && p.seq === stray.packet.ack);
    if (isThat && fits(stray.packet, f)) return strayReset(other, stray, f);
  }
  const behind = behindNat(f);
  return behind && !isSynAck(behind.answered)
    ? withoutTranslation(f, behind, 'untranslated-packet-reset')
    : resetOnOneSide(f);
});

interface BehindNat {
  /** The client's side of the NAT, where it called the server, and the server's. */
  called: WireFacts;
  wire: WireFacts;
  /** What the server sent, on its side alone, and the client's RST for it, there alone too. */
  answered: KeyPacket;
  reset: KeyPacket;
}

/**
 * One capture shows both sides of a NAT (the SYN went in and out), and a segment of the server with the RST for it on the
 * server's side alone: a RST to the address that the client called would have come in on its side. Null otherwise.
 */
function behindNat(f: Facts): BehindNat | null {
  if (f.wires.length < 2) return null;
  for (const wire of f.wires) {
    const reset = wire.packets.find((p) => wire.sideOf(p) === CLIENT && p.flags & RST);
    const answered = reset && wire.before(reset, SERVER).find((p) => p.ack === reset.seq);
    if (!reset || !answered || !isBareReset(reset)) continue;
    const called = f.wires.find((w) => w !== wire && isCalled(w, wire, answered));
    if (called) return { called, wire, answered, reset };
  }
  return null;
}

/** The client's SYN came by there first and no RST did; the segment did not: it is newer than all of the server's, or of no number that it sent. */
function isCalled(called: WireFacts, { wire }: WireFacts, answered: KeyPacket): boolean {
  const { source, start, server, rsts } = called.wire;
  const isSide = source === wire.source && start <= wire.start && !sameEndpoint(server, wire.server);
  if (!isSide || rsts[0] + rsts[1] > 0 || !called.sawHandshake) return false;
  const [isn, next] = [called.of(called.wire.isn, SERVER), called.of(called.wire.nextSeq, SERVER)];
  const end = answered.seq + answered.payload + (answered.flags & SYN ? 1 : 0);
  return isn === null || next === null || seqDiff(end, next) > 0 || seqDiff(answered.seq, isn) < 0;
}

function withoutTranslation(f: Facts, { called, wire, answered, reset }: BehindNat, rule: RuleId): Candidate {
  const [knows, from] = [formatEndpoint(called.wire.server), formatEndpoint(wire.wire.server)];
  return {
    rule,
    side: 'path',
    confidence: 'inferred',
    because: () =>
      `${formatEndpoint(wire.wire.client)} had called ${knows}, got ${flagNames(answered.flags)} from ${from}, and sent its RST there`,
    moment: f.atPacket(wire, reset),
    evidence: [
      packetEvidence(f, wire, answered, `not from ${knows}`),
      packetEvidence(f, wire, reset, 'in answer to that'),
    ],
  };
}

/** The segment as its receiver got it, and the connection it is of. */
function strayReset(f: Facts, { wire, side, packet }: Stray, called: Facts): Candidate | null {
  const reset = wire.packets.find((p) => wire.sideOf(p) === side && p.flags & RST && p.time >= packet.time);
  if (!reset || packet.flags & SYN) return null;
  const [from, to] = [packet.seq >>> 0, (packet.seq + packet.payload) >>> 0];
  const what = packet.payload > 0 ? `the bytes ${from} to ${to}` : `a segment with number ${from}`;
  const known = called.wires.find((w) => w.wire.source === packet.source)!.wire.server;
  return {
    rule: 'untranslated-packet-reset',
    side: 'path',
    confidence: 'inferred',
    because: () =>
      `${what} of ${formatEndpoint(known)}, by sequence number and acknowledgment of its connection with ${called.name(CLIENT)}, came from ${formatEndpoint(f.endpoint(wire.sideOf(packet)))} instead, and a RST answered them`,
    moment: f.atPacket(wire, reset),
    evidence: [
      packetEvidence(f, wire, packet, `seq ${from}, ack ${packet.ack >>> 0}`),
      packetEvidence(f, wire, reset, 'in answer to that'),
    ],
  };
}

/** Both numbers are of the connection, in the same capture. */
function fits(p: KeyPacket, { wires }: Facts): boolean {
  return wires.some(
    (w) =>
      w.wire.source === p.source &&
      p.time >= w.wire.start &&
      isNear(w, SERVER, p.seq) &&
      isNear(w, CLIENT, p.ack),
  );
}

/** The number lies in what the side has sent, or may have under way. */
function isNear(wire: WireFacts, side: 0 | 1, number: number): boolean {
  const next = wire.of(wire.wire.nextSeq, side);
  if (next === null) return false;
  const behind = seqDiff(next, number);
  return behind >= -UNDER_WAY && behind <= wire.of(wire.wire.bytes, side) + 1;
}

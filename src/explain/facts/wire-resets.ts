/** RSTs on the wire: who made each, and what it answers. */
import { type KeyPacket, type SideIndex, WHY_RETRANSMIT } from '../../model/connection.ts';
import { ACK, FIN, isSenseless, RST, SYN, seqDiff } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import { type ResetShape, resetShape } from './reset-shape.ts';
import type { WireFacts } from './wire.ts';

export interface WireReset {
  packet: KeyPacket;
  side: SideIndex;
  shape: ResetShape;
  /** The peer's packet that it answers, by its numbers (RFC 9293 §3.10.7.1); null when none that was kept has them. */
  answers: KeyPacket | null;
  /**
   * `seen`: what it answers is `answers`; `passed`: the peer had sent its number, in a packet that was not kept;
   * `late`: the peer was silent for so long before that it answers nothing that came through here;
   * `none`: no packet of the file has its numbers, what it answers is unknown or, of one from a socket, nothing.
   */
  answered: 'seen' | 'passed' | 'late' | 'none';
  /**
   * The SYN that it refuses, by numbers: of the other side, its number + 1 acknowledged, and no handshake between
   * (RFC 9293 §3.10.7.1). Any number, window or options of the RST will do: other stacks fill them in.
   */
  refuses: KeyPacket | null;
  /** The side went on as if it had not sent it, and the other side as if it had: something else sent it. */
  disowned: boolean;
}

/** The side sends something other than RSTs after the packet. */
export function goesOn(wire: WireFacts, side: SideIndex, after: KeyPacket): boolean {
  const { packets } = wire;
  for (let i = packets.length - 1; packets[i] !== after && i >= 0; i--) {
    const p = packets[i]!;
    if (wire.sideOf(p) === side && !(p.flags & RST) && p.time > after.time && !isOvertaken(p, after))
      return true;
  }
  return false;
}

/** After an established connection's RST its seeming sender goes on, and the other side answers only with RSTs. */
function isDisowned(wire: WireFacts, side: SideIndex, packet: KeyPacket): boolean {
  const peer = (1 - side) as SideIndex;
  if (!wire.sawHandshake || wire.of(wire.wire.rsts, peer) === 0) return false;
  const later = wire.packets.filter((p) => p.time > packet.time);
  // with a SYN it does not go on: it begins anew, as two that call each other do
  if (later.some((p) => wire.sideOf(p) === side && p.flags & SYN)) return false;
  const refuses = later.some((p) => wire.sideOf(p) === peer && p.flags & RST);
  return refuses && goesOn(wire, side, packet) && !goesOn(wire, peer, packet);
}

export function resetsOf(wire: WireFacts): WireReset[] {
  if (wire.wire.rsts[0] + wire.wire.rsts[1] === 0) return [];
  return wire.packets
    .filter((p) => p.flags & RST)
    .map((packet) => {
      const side = wire.sideOf(packet);
      const refuses = refused(wire, packet, side);
      const fits = refuses ?? packetAnswered(wire, packet, side);
      const isLate = comesLate(wire, packet, side);
      const answers = isLate ? null : fits;
      const answered = howAnswered(fits !== null, isLate, hasPassed(wire, packet, side));
      const shape = refuses ? 'passive' : resetShape(packet, answers, wire.timestamps, wire.windowless);
      const disowned = isDisowned(wire, side, packet);
      return { packet, side, shape, answers, answered, refuses, disowned };
    });
}

function howAnswered(fits: boolean, isLate: boolean, hasPassed: boolean): WireReset['answered'] {
  if (!fits && !hasPassed) return 'none';
  if (isLate) return 'late';
  return fits ? 'seen' : 'passed';
}

function refused(wire: WireFacts, reset: KeyPacket, side: SideIndex): KeyPacket | null {
  if (!(reset.flags & ACK)) return null;
  const peer = (1 - side) as SideIndex;
  const syn = wire
    .before(reset, peer)
    .find((p) => (p.flags & (SYN | ACK)) === SYN && !isSenseless(p.flags) && acknowledgesSyn(reset, p));
  if (!syn) return null;
  const accepted = wire.before(reset, side).some((p) => p.flags & SYN && acknowledgesSyn(p, syn));
  // an ACK of the SYN's sender: the file lacks the SYN-ACK that it acknowledges
  const completed = wire
    .before(reset, peer)
    .some((p) => p.flags & ACK && !(p.flags & RST) && seqDiff(p.seq, syn.seq) > 0);
  return accepted || completed ? null : syn;
}

/**
 * tcp_v4_send_reset: seq is what the packet acknowledged, or, in answer to one without ACK, ack is its end. Who has
 * answered the SYN with a SYN-ACK does not answer it with a RST as well: then the same numbers are those of a socket.
 */
function packetAnswered(wire: WireFacts, reset: KeyPacket, side: SideIndex): KeyPacket | null {
  const before = wire.before(reset, (1 - side) as SideIndex);
  if (!(reset.flags & ACK)) {
    const fitting = before.filter((p) => p.flags & ACK && !(p.flags & RST) && p.ack === reset.seq);
    const own = fitting[resetsAtOnce(wire, reset, side)];
    const isOwn = own && own.payload > 0 && reset.time - own.time <= SLOWEST_ANSWER;
    return isOwn ? own : (fitting[0] ?? null);
  }
  if (wire.before(reset, side).some((p) => !(p.flags & RST))) return null;
  return before.find((p) => !(p.flags & (ACK | RST)) && nextSeq(p) === reset.ack) ?? null;
}

/** A kernel answers at once: what comes so long after is no answer, be the path as slow as it will. */
const SLOWEST_ANSWER = 3 * NS_PER_S;

/** RST without ACK: the peer had sent nothing for long. Not where the file lacks some of what they sent. */
function comesLate(wire: WireFacts, packet: KeyPacket, side: SideIndex): boolean {
  const peer = (1 - side) as SideIndex;
  const [last] = wire.before(packet, peer);
  if (packet.flags & ACK || !last || last.flags & (SYN | RST) || wire.oneDirection) return false;
  const unseen = [wire.unseen(side), wire.unseen(peer)];
  // a filter by flags leaves the FINs of a connection whose SYN was before
  const isCut = unseen.some((bytes) => (bytes === null ? last.flags & FIN : bytes !== 0));
  return !isCut && packet.time - last.time > SLOWEST_ANSWER;
}

/** Each packet has its own RST: how many with the same number follow this one before anything else is sent. */
function resetsAtOnce(wire: WireFacts, reset: KeyPacket, side: SideIndex): number {
  let count = 0;
  for (const p of wire.packets.slice(wire.packets.indexOf(reset) + 1)) {
    if (!(p.flags & RST)) break;
    if (wire.sideOf(p) === side && !(p.flags & ACK) && p.seq === reset.seq) count++;
  }
  return count;
}

/** A packet of the other side acknowledged the number of a RST without ACK: acknowledgments only grow. */
function hasPassed(wire: WireFacts, { flags, seq }: KeyPacket, side: SideIndex): boolean {
  const [first, last] = [wire.of(wire.wire.isn, side), wire.of(wire.wire.acked, (1 - side) as SideIndex)];
  if (flags & ACK || first === null || last === null) return false;
  return seqDiff(seq, first) > 0 && seqDiff(last, seq) >= 0;
}

/** Data that were sent before a RST and arrived after it; what was sent again is a sign of life. */
function isOvertaken(p: KeyPacket, reset: KeyPacket): boolean {
  return p.payload > 0 && !(p.why & WHY_RETRANSMIT) && seqDiff(reset.seq, nextSeq(p)) >= 0;
}

/** Sequence number after a packet: SYN and FIN take one each. */
export function nextSeq(p: KeyPacket): number {
  return (p.seq + p.payload + (p.flags & SYN ? 1 : 0) + (p.flags & FIN ? 1 : 0)) | 0;
}

/** Data of a SYN are acknowledged with it (Linux), or not. */
function acknowledgesSyn(p: KeyPacket, syn: KeyPacket): boolean {
  return p.ack === ((syn.seq + 1) | 0) || p.ack === nextSeq(syn);
}

/**
 * What the states of the sockets add to a connection that closed in good order on the wire, told from numbers alone: the
 * rules that hold for it, of those that are asked about connections by the book (by-the-book.ts). Where anything else may
 * hold, or not all of it surely, the connection is a case, and the rules decide.
 */
import type { Timeline } from '../../model/case.ts';
import {
  CLIENT,
  type KeyPacket,
  type Pair,
  SERVER,
  type SideIndex,
  type SocketLife,
  WHY_DATA_AFTER_FIN,
  WHY_FIRST_DATA,
  WHY_RETRANSMIT,
  WHY_THIRD_ACK,
} from '../../model/connection.ts';
import type { PlainConnection, ToldByStates } from '../../model/plain.ts';
import { ACK, FIN, SYN } from '../../model/tcp.ts';
import { DELAYED_ACK_MAX, DELAYED_ACK_MIN, MARGIN, TIME_WAIT } from './timing.ts';

type Lives = Pair<SocketLife | null>;

/** `lives`: orderly ones (orderlyPath), at least one. null: it is to be a case. */
export function toldByStates(c: PlainConnection, lives: Lives, timeline: Timeline): ToldByStates | null {
  const { syns, synAcks, retransmits, finTime } = c;
  if (syns[CLIENT] !== 1 || syns[SERVER] !== 0 || synAcks[CLIENT] !== 0 || synAcks[SERVER] !== 1) return null;
  if (retransmits[CLIENT] + retransmits[SERVER] > 0 || finTime[CLIENT] === finTime[SERVER]) return null;
  const first: SideIndex = finTime[CLIENT] < finTime[SERVER] ? CLIENT : SERVER;
  if (!areSided(lives, first)) return null;
  const packets = c.view().keyPackets;
  if (packets.some((p) => p.why & (WHY_RETRANSMIT | WHY_DATA_AFTER_FIN))) return null;
  const answer = answerTime(packets);
  if (answer === null || mayBeDeferred(packets, lives[SERVER], c.source, timeline)) return null;
  const life = lives[first];
  if (!life) return '';
  const ack = ackOfFin(packets, c, first);
  if (!ack) return null;
  if (ack.flags & FIN) return 'fin-with-ack';
  const waited = life.transitions[FIN_WAIT1]!.duration!;
  const connected = lives[CLIENT]?.transitions[CONNECTED]?.duration ?? answer;
  const delayed = waited >= DELAYED_ACK_MIN && waited <= DELAYED_ACK_MAX && connected <= waited / 2;
  if (delayed && ack.payload === 0) return null;
  return isHandedOver(c, lives, first, ack) ? 'fin-wait2-in-minisock' : null;
}

/** Steps of an orderly life that leave these states. */
const CONNECTED = 1;
export const FIN_WAIT1 = 3;
export const FIN_WAIT2 = 4;
export const CLOSE_WAIT = 3;

/** Each life began as that of its side, and left ESTABLISHED as that side's FIN on the wire; each step has its time. */
function areSided(lives: Lives, first: SideIndex): boolean {
  return ([CLIENT, SERVER] as const).every((side) => {
    const life = lives[side];
    if (!life) return true;
    const [birth, , closes] = life.transitions;
    return (
      birth!.to === (side === CLIENT ? 'SYN_SENT' : 'SYN_RECV') &&
      closes!.to === (side === first ? 'FIN_WAIT1' : 'CLOSE_WAIT') &&
      life.transitions.every((t) => t.duration !== null)
    );
  });
}

/** From the SYN to the SYN-ACK that answers it; null where the packets do not stand in the order of a handshake. */
function answerTime(packets: readonly KeyPacket[]): number | null {
  const syn = packets.find((p) => (p.flags & (SYN | ACK)) === SYN && p.side === CLIENT);
  const answer = packets.find((p) => (p.flags & (SYN | ACK)) === (SYN | ACK) && p.side === SERVER);
  const done = completion(packets, WHY_THIRD_ACK | WHY_FIRST_DATA);
  if (!syn || !answer || answer.ack !== ((syn.seq + 1) | 0)) return null;
  return answer.time < syn.time || (done && done.time < answer.time) ? null : answer.time - syn.time;
}

function completion(packets: readonly KeyPacket[], why: number): KeyPacket | undefined {
  return packets.find((p) => p.why & why && p.side === CLIENT && !(p.flags & SYN));
}

/** The server's socket appeared well after the ACK of the handshake (see the rule deferred-accept). */
function mayBeDeferred(
  packets: readonly KeyPacket[],
  life: SocketLife | null,
  capture: number,
  timeline: Timeline,
): boolean {
  const ack = completion(packets, WHY_THIRD_ACK);
  if (!life || !ack || !timeline.comparable(life.source, capture)) return false;
  const [made, acked] = [timeline.ofTransition(life, 0), timeline.at(capture, ack.time)];
  return made !== null && acked !== null && made - acked > 2 * MARGIN;
}

/** The first packet of the other side that acknowledges the FIN. */
export function ackOfFin(
  packets: readonly KeyPacket[],
  { finAckedTime }: PlainConnection,
  side: SideIndex,
): KeyPacket | undefined {
  return packets.find((p) => p.time === finAckedTime[side] && p.side !== side && p.flags & ACK);
}

/** The proof that FIN_WAIT2 went on in a minisock, from states and packets (minisockProof). */
function isHandedOver(c: PlainConnection, lives: Lives, first: SideIndex, ack: KeyPacket): boolean {
  const { finTime, finAckedTime } = c;
  const { transitions } = lives[first]!;
  const [waited, stayed] = [transitions[FIN_WAIT1]!.duration!, transitions[FIN_WAIT2]!.duration!];
  const onWire = finTime[1 - first]! - finAckedTime[first];
  const onItsWay = Math.max(0, waited - (ack.time - finTime[first]));
  const peer = lives[1 - first]?.transitions[CLOSE_WAIT]?.duration ?? 0;
  // a longer stay is none of a minisock, or one that has ended (minisockExpiry)
  const isShort = stayed < MARGIN && onWire <= TIME_WAIT && peer <= TIME_WAIT;
  return isShort && onWire > stayed + onItsWay + MARGIN;
}

/** The peer's states show that it had not sent its FIN when the full socket was gone. */
export function peerStoodOpen(life: SocketLife, peer: SocketLife | null): boolean {
  const open = peer?.transitions[CLOSE_WAIT]?.duration ?? null;
  const until = life.transitions[FIN_WAIT1]!.duration! + life.transitions[FIN_WAIT2]!.duration!;
  return open !== null && open >= until + MARGIN;
}

/**
 * What the states of the sockets add to a connection that closed in good order on the wire, told from numbers alone: the
 * rules that hold for it, of those that are asked about connections by the book (by-the-book.ts). Where anything else may
 * hold, or not all of it surely, the connection is a case, and the rules decide.
 */
import type { Timeline } from '../../model/case.ts';
import { CLIENT, SERVER, SIDES, type SideIndex, WHY_DATA_AFTER_FIN } from '../../model/connection.ts';
import type { PlainConnection, PlainLife, PlainMoments, ToldByStates } from '../../model/plain.ts';
import { FIN } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import { DELAYED_ACK_MAX, DELAYED_ACK_MIN, MARGIN, TIME_WAIT } from './timing.ts';

/** Steps of an orderly life. */
export const CONNECTED = 1;
/** Out of FIN_WAIT1 and FIN_WAIT2 of who closes first, out of CLOSE_WAIT of who closes second. */
export const ACKNOWLEDGED = 3;
export const LEFT = 4;
export const ANSWERED = 3;
const STEPS = 5;

/** `c.lives`: at least one. null: it is to be a case. */
export function toldByStates(c: PlainConnection, timeline: Timeline): ToldByStates | null {
  const { syns, synAcks, retransmits, finTime, lives } = c;
  if (syns[CLIENT] !== 1 || syns[SERVER] !== 0 || synAcks[CLIENT] !== 0 || synAcks[SERVER] !== 1) return null;
  if (finTime[CLIENT] === finTime[SERVER]) return null;
  const first: SideIndex = finTime[CLIENT] < finTime[SERVER] ? CLIENT : SERVER;
  if (!isSided(lives[CLIENT], CLIENT, first) || !isSided(lives[SERVER], SERVER, first)) return null;
  const moments = c.moments(first);
  const { whys, answered, thirdAck, ackTime, ackFlags, ackPayload } = moments;
  if (whys & WHY_DATA_AFTER_FIN || !(answered >= 0)) return null;
  // data sent again before either side closed say nothing of the end
  if (moments.repeats !== retransmits[CLIENT] + retransmits[SERVER] || moments.lastRepeat >= finTime[first])
    return null;
  if (mayBeDeferred(thirdAck, lives[SERVER], c.source, timeline)) return null;
  const life = lives[first];
  if (!life) return '';
  if (Number.isNaN(ackTime)) return null;
  if (ackFlags & FIN) return 'fin-with-ack';
  const waited = life.duration(ACKNOWLEDGED)!;
  const connected = lives[CLIENT]?.duration(CONNECTED) ?? answered;
  const delayed = waited >= DELAYED_ACK_MIN && waited <= DELAYED_ACK_MAX && connected <= waited / 2;
  if (delayed && ackPayload === 0) return null;
  return isHandedOver(c, first, moments) ? 'fin-wait2-in-minisock' : null;
}

/** The life began as that of its side, and left ESTABLISHED as that side's FIN on the wire; each step has its time. */
function isSided(life: PlainLife | null, side: SideIndex, first: SideIndex): boolean {
  if (!life) return true;
  for (let step = 0; step < STEPS; step++) if (life.duration(step) === null) return false;
  return life.side === SIDES[side] && (life.states[3] === 'FIN_WAIT1') === (side === first);
}

/** The server's socket appeared well after the ACK of the handshake (see the rule deferred-accept). */
function mayBeDeferred(
  thirdAck: number,
  life: PlainLife | null,
  capture: number,
  timeline: Timeline,
): boolean {
  if (!life || Number.isNaN(thirdAck) || !timeline.comparable(life.source, capture)) return false;
  const [made, acked] = [
    timeline.at(life.source, life.time(0)),
    timeline.at(capture, thirdAck as SourceTime),
  ];
  return made !== null && acked !== null && made - acked > 2 * MARGIN;
}

/** The proof that FIN_WAIT2 went on in a minisock, from states and packets (minisockProof). */
function isHandedOver(c: PlainConnection, first: SideIndex, { ackTime }: PlainMoments): boolean {
  const { finTime, finAckedTime, lives } = c;
  const [waited, stayed] = [lives[first]!.duration(ACKNOWLEDGED)!, lives[first]!.duration(LEFT)!];
  const onWire = finTime[1 - first]! - finAckedTime[first];
  const onItsWay = Math.max(0, waited - (ackTime - finTime[first]));
  const peer = lives[1 - first]?.duration(ANSWERED) ?? 0;
  // a longer stay is none of a minisock, or one that has ended (minisockExpiry)
  const isShort = stayed < MARGIN && onWire <= TIME_WAIT && peer <= TIME_WAIT;
  return isShort && onWire > stayed + onItsWay + MARGIN;
}

/** The peer's states show that it had not sent its FIN when the full socket was gone. */
export function peerStoodOpen(life: PlainLife, peer: PlainLife | null): boolean {
  const open = peer?.duration(ANSWERED) ?? null;
  return open !== null && open >= life.duration(ACKNOWLEDGED)! + life.duration(LEFT)! + MARGIN;
}

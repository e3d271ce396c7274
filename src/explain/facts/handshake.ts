/** How a handshake was completed, and what of it was sent again afterwards. */
import {
  CLIENT,
  type KeyPacket,
  SERVER,
  WHY_FIRST_DATA,
  WHY_RETRANSMIT,
  WHY_SYN_ACK,
  WHY_THIRD_ACK,
} from '../../model/connection.ts';
import { ACK, SYN, seqDiff } from '../../model/tcp.ts';
import { memoised } from '../memo.ts';
import type { Facts } from './facts.ts';
import type { WireFacts } from './wire.ts';
import { nextSeq } from './wire-resets.ts';

/** The third segment of the handshake, or the client's first data when it stands for it. */
export function completion(f: Facts): KeyPacket | null {
  return ofClient(f, WHY_THIRD_ACK | WHY_FIRST_DATA);
}

function ofClient({ wire }: Facts, why: number): KeyPacket | null {
  return wire?.packets.find((p) => p.why & why && wire.sideOf(p) === CLIENT && !(p.flags & SYN)) ?? null;
}

/** From the SYN to what completed the handshake, ns: at least a round trip wherever the capture stands. */
function handshakeTime(f: Facts): number {
  const { wire } = f;
  const done = completion(f);
  const opened =
    wire?.packets.find((p) => p.flags & SYN && wire.sideOf(p) === CLIENT) ?? (wire && synAcksOf(wire)[0]);
  return opened && done && opened.time < done.time ? done.time - opened.time : 0;
}

export function synAcksOf(wire: WireFacts): KeyPacket[] {
  return wire.packets.filter(
    (p) => p.why & WHY_SYN_ACK && (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
  );
}

/**
 * SYN-ACKs sent when the client's ACK must have been at the server: later than the handshake took. Those before may have
 * crossed the ACK (a SYN sent twice is answered twice).
 */
export function repeatedSynAcks(f: Facts): KeyPacket[] {
  const done = completion(f);
  return f.wire && done ? synAcksOf(f.wire).filter((p) => p.time > done.time + handshakeTime(f)) : [];
}

/** The ACK of a handshake, the first data behind it, and the packet that took them. */
interface TakenAtFirstData {
  ack: KeyPacket;
  data: KeyPacket;
  taken: KeyPacket;
}

/**
 * The SYN-ACK was sent again although the client had answered, but only until its first data can have come, and those were
 * taken when they were sent once: so does a listener with TCP_DEFER_ACCEPT (syn_ack_recalc), which drops the bare ACK.
 */
export const takenAtFirstData = memoised((f: Facts): TakenAtFirstData | null => {
  const { wire } = f;
  const [ack, data] = [ofClient(f, WHY_THIRD_ACK), ofClient(f, WHY_FIRST_DATA)];
  const again = repeatedSynAcks(f);
  if (!wire || !ack || !data || data.time <= ack.time || again.length === 0) return null;
  if (again.some((p) => p.time > data.time + handshakeTime(f))) return null;
  const taken = wire.packets.find((p) => {
    const isAck = p.flags & ACK && !(p.flags & SYN) && wire.sideOf(p) === SERVER;
    return isAck && p.time >= data.time && seqDiff(p.ack, nextSeq(data)) >= 0;
  });
  if (!taken) return null;
  const repeats = wire.before(taken, CLIENT).some((p) => p.why & WHY_RETRANSMIT && !(p.flags & SYN));
  return repeats ? null : { ack, data, taken };
});

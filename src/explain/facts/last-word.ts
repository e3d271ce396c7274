/**
 * Who spoke last, by sequence numbers: of a long conversation few packets are kept, and the last data of a side need not be
 * among them. Kept is the last packet of each side with another acknowledgment than its last one (connect/key-packets.ts).
 */
import { CLIENT, type KeyPacket, SERVER, type SideIndex } from '../../model/connection.ts';
import { ACK, seqDiff } from '../../model/tcp.ts';
import type { WireFacts } from './wire.ts';
import { nextSeq } from './wire-resets.ts';

/** The server sent data or a FIN when it had taken the last data of the client; null where a number is not known. */
export function hasAnswered(wire: WireFacts, until: KeyPacket): boolean | null {
  const [asked, said] = [sentTo(wire, CLIENT, until), sentTo(wire, SERVER, until)];
  const before = wire.before(until, SERVER).find((p) => asked !== null && seqDiff(p.ack, asked) < 0);
  return asked === null || said === null || !before ? null : seqDiff(said, nextSeq(before)) > 0;
}

/** The first packet that shows all data of the client to have been sent: their last one itself, where that is kept. */
export function showsLastRequest(wire: WireFacts, until: KeyPacket): KeyPacket | null {
  const asked = sentTo(wire, CLIENT, until);
  const shows = (p: KeyPacket) => seqDiff(wire.sideOf(p) === CLIENT ? nextSeq(p) : p.ack, asked!) >= 0;
  return asked === null ? null : (wire.packets.find((p) => p.time < until.time && shows(p)) ?? null);
}

/** A side sent data of which no packet is kept, behind all that are. */
export function sentUnkept(wire: WireFacts, side: SideIndex, until: KeyPacket): boolean {
  const sent = sentTo(wire, side, until);
  const kept = wire.before(until, side).find((p) => p.payload > 0);
  return sent !== null && kept !== undefined && seqDiff(sent, nextSeq(kept)) > 0;
}

/** The number behind all that a side sent, in the file or as the other acknowledged it. */
function sentTo(wire: WireFacts, side: SideIndex, until: KeyPacket): number | null {
  const peer = (1 - side) as SideIndex;
  const [next, acked] = [wire.of(wire.wire.nextSeq, side), wire.of(wire.wire.acked, peer)];
  const most = next !== null && acked !== null && seqDiff(acked, next) > 0 ? acked : next;
  const isPeers = wire.sideOf(until) === peer && until.flags & ACK;
  return most !== null && isPeers && seqDiff(until.ack, most) > 0 ? until.ack : most;
}

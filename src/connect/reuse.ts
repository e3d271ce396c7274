/** Where one life of a 4-tuple ends and the next begins: at a SYN whose sequence number the life does not know. */
import type { Packet } from '../model/packet.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { ACK_SEEN, ACKED, ISN, ISN_SEEN, SIDE_BITS, STARTED, SYN_ACKS, SYNS } from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/**
 * Whether a packet begins a new life. A SYN into an established or half-dead connection does, so that what answers it
 * (challenge ACK, RST, the same SYN again) is told as the story of the new one; a repeated SYN does not, even after a
 * RST; neither do the second SYN of a simultaneous open and a SYN that stands behind its SYN-ACK in the file.
 */
export function isNewLife(store: Store, at: number, side: number, p: Packet): boolean {
  if (!(p.flags & SYN)) return false;
  return p.flags & ACK ? isNewSynAck(store, at, side, p) : isNewSyn(store, at, side, p);
}

function isNewSyn(store: Store, at: number, side: number, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  // Midstream, the number before the first one seen stands for the initial one: its SYN may come late.
  if (words[mine + SIDE_BITS]! & STARTED) return p.seq !== words[mine + ISN];
  if (words[other + SYN_ACKS]! > 0) return p.seq !== ((words[other + ACKED]! - 1) | 0);
  return words[other + SYNS] === 0;
}

function isNewSynAck(store: Store, at: number, side: number, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const other = sideOf(at, otherSide(side));
  const started = words[mine + SIDE_BITS]! & STARTED;
  if (started && p.seq === words[mine + ISN]) return false;
  const peer = words[other + SIDE_BITS]!;
  // It answers the SYN that was seen, whatever the side numbered before: a server that has forgotten its first answer.
  if (peer & STARTED && p.ack === ((words[other + ISN]! + 1) | 0)) return false;
  if (peer & ISN_SEEN) return started !== 0 && (peer & ACK_SEEN) !== 0;
  return true;
}

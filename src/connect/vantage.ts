/** Where a segment was seen: the same one can be seen at several interfaces of one capture. */
import type { Packet } from '../model/packet.ts';
import { ACK, FIN, RST, SYN } from '../model/tcp.ts';
import {
  ACK_SEEN,
  ACKED,
  DIRECTION_SHIFT,
  HOME,
  ISN,
  LAST_RST,
  NEXT,
  PACKETS,
  PATH,
  RSTS,
  SIDE_BITS,
  STARTED,
  TTL_SHIFT,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/**
 * False for another sighting of a segment at a second vantage point of the same capture. Where a direction was seen
 * first is its home; what is new elsewhere moves the home there.
 */
export function isHere(store: Store, at: number, side: number, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) {
    words[mine + HOME] = p.vantage;
    words[at + PATH]! |= p.ttl << (TTL_SHIFT + side * 8);
    words[mine + SIDE_BITS]! |= p.direction << DIRECTION_SHIFT;
    return true;
  }
  if (words[mine + HOME] === p.vantage) return true;
  if (isCopy(store, at, side, p)) return false;
  words[mine + HOME] = p.vantage;
  return true;
}

/** Whether the segment says nothing that its side has not said before. */
function isCopy(store: Store, at: number, side: number, p: Packet): boolean {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const bits = words[mine + SIDE_BITS]!;
  if (p.flags & RST)
    return store.troubled(at, side, RSTS) > 0 && store.troubled(at, side, LAST_RST) === p.seq;
  if ((bits & STARTED) === 0) return false;
  if (p.flags & SYN && p.seq !== words[mine + ISN]) return false;
  const length = p.payload + (p.flags & SYN ? 1 : 0) + (p.flags & FIN ? 1 : 0);
  if (((p.seq + length - words[mine + NEXT]!) | 0) > 0) return false;
  if (!(p.flags & ACK)) return true;
  return (bits & ACK_SEEN) !== 0 && ((p.ack - words[mine + ACKED]!) | 0) <= 0;
}

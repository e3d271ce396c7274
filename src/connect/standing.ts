/** Whether a segment goes on with what a capture has of its connection: how files of one capture are known. */
import type { Packet } from '../model/packet.ts';
import { ACK, FIN, RST, SYN } from '../model/tcp.ts';
import { FINS, ISN, NEXT, PACKETS, PATH, RSTS, SIDE_BITS, STARTED, TTL_SHIFT } from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

export const UNKNOWN = 0;
/** The next bytes of a connection that had not ended. */
export const GOES_ON = 1;
/** The same, but bytes between were sent meanwhile. */
export const JUMPED = 2;
/** Seen before, or from another distance: this was captured elsewhere. */
export const ELSEWHERE = 3;

/** Bytes that may be sent again, and that may have been missed, between two files. */
const AGAIN = 1 << 17;
const MISSED = 1 << 28;

/** Of the segment that `side` sent, of the connection at `at`. */
export function standingOf(store: Store, at: number, side: number, p: Packet): number {
  const { words } = store.connections;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) return answers(words, sideOf(at, otherSide(side)), p) ? GOES_ON : UNKNOWN;
  if ((words[mine + SIDE_BITS]! & STARTED) === 0) return UNKNOWN;
  if (p.flags & SYN) {
    const hasGoneOn = ((words[mine + NEXT]! - words[mine + ISN]!) | 0) > 1;
    return p.seq === words[mine + ISN] && hasGoneOn ? ELSEWHERE : UNKNOWN;
  }
  if (p.flags & RST) return UNKNOWN;
  if (((words[at + PATH]! >> (TTL_SHIFT + side * 8)) & 0xff) !== p.ttl) return ELSEWHERE;
  const ahead = (p.seq - words[mine + NEXT]!) | 0;
  const hasEnded =
    store.troubled(at, side, RSTS) + store.troubled(at, otherSide(side), RSTS) > 0 || words[mine + FINS]! > 0;
  if (hasEnded && p.payload > 0 && ahead < 0 && !(p.flags & FIN)) return ELSEWHERE;
  if (ahead < -AGAIN) return ELSEWHERE;
  if (ahead > MISSED) return UNKNOWN;
  return ahead > 0 ? JUMPED : GOES_ON;
}

/** Whether the first segment of one end acknowledges the last bytes of the other. */
function answers(words: Int32Array, other: number, p: Packet): boolean {
  return (
    (p.flags & ACK) !== 0 && (words[other + SIDE_BITS]! & STARTED) !== 0 && p.ack === words[other + NEXT]
  );
}

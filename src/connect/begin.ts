/** The record of a connection as its first packet makes it; the sender is side 0. */
import type { Packet } from '../model/packet.ts';
import { addFlip } from './labels/history.ts';
import { comesFromResponder } from './labels/zeek-lives.ts';
import {
  ADDRESS,
  BITS,
  CLOSED_AT,
  FIN_ACKED_AT,
  FIN_AT,
  HANDSHAKE,
  HASH,
  ORIGINATOR_BIT,
  PATH,
  PORTS,
  REUSED,
  SERIAL,
  START,
  START_FRAME,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/** `at`: a record of zeros. `older`: the life of the tuple before, 0 for none. */
export function beginRecord(
  store: Store,
  at: number,
  p: Packet,
  older: number,
  serial: number,
  hash: number,
): void {
  const { words, doubles } = store.connections;
  if (older !== 0) {
    words[older + BITS]! |= REUSED;
    words[at + BITS] = REUSED;
  }
  words[at + ADDRESS] = p.src0;
  words[at + ADDRESS + 1] = p.src1;
  words[at + ADDRESS + 2] = p.src2;
  words[at + ADDRESS + 3] = p.src3;
  words[at + ADDRESS + 4] = p.dst0;
  words[at + ADDRESS + 5] = p.dst1;
  words[at + ADDRESS + 6] = p.dst2;
  words[at + ADDRESS + 7] = p.dst3;
  words[at + PORTS] = (p.srcPort << 16) | p.dstPort;
  words[at + PATH] = p.encapsulation;
  words[at + START_FRAME] = p.frame;
  words[at + SERIAL] = serial;
  words[at + HASH] = hash;
  doubles[(at + START) >> 1] = p.time;
  doubles[(at + CLOSED_AT) >> 1] = Number.NaN;
  for (let side = 0; side < 2; side++) {
    const mine = sideOf(at, side);
    doubles[(mine + FIN_AT) >> 1] = Number.NaN;
    doubles[(mine + FIN_ACKED_AT) >> 1] = Number.NaN;
    doubles[(mine + HANDSHAKE) >> 1] = Number.NaN;
  }
  if (!comesFromResponder(p)) return;
  words[at + BITS]! |= ORIGINATOR_BIT;
  addFlip(store, at);
}

/**
 * A SYN into a live connection begins a life of its own (reuse.ts). Where nobody answers it and the connection goes on as if
 * nothing had come, it was forged, or of a host that knew no better: what follows is of the connection, not of the SYN.
 */
import type { Packet } from '../model/packet.ts';
import { FIN, RST, SYN } from '../model/tcp.ts';
import { FINS, NEXT, RSTS, SERIAL, SYN_ACKS } from './layout.ts';
import { GOES_ON, standingOf } from './standing.ts';
import { type Store, sideOf } from './store.ts';
import { matchTuple } from './tuple-table.ts';

/** Offset of a life that began inside another → offset and serial number of that. */
export type Inside = ReadonlyMap<number, readonly [older: number, serial: number]>;

export class Interrupted {
  #inside = new Map<number, readonly [older: number, serial: number]>();

  state(): Inside {
    return this.#inside;
  }

  adopt(inside: Inside): void {
    this.#inside = new Map(inside);
  }

  begun(store: Store, at: number, older: number): void {
    if (!hasEnded(store, older)) this.#inside.set(at, [older, store.connections.words[older + SERIAL]!]);
  }

  /** The connection, with the side that sent the packet, where the packet goes on with it; 0 for all others. */
  goesOn(store: Store, at: number, p: Packet): number {
    if (this.#inside.size === 0 || p.flags & (SYN | RST)) return 0;
    const inside = this.#inside.get(at);
    if (inside === undefined) return 0;
    const [older, serial] = inside;
    const { words } = store.connections;
    const isAnswered = words[sideOf(at, 0) + SYN_ACKS]! + words[sideOf(at, 1) + SYN_ACKS]! > 0;
    if (isAnswered || words[older + SERIAL] !== serial) {
      this.#inside.delete(at);
      return 0;
    }
    // an ACK alone may answer the SYN: it challenges it, or is of an older connection
    if (p.payload === 0 && !(p.flags & FIN)) return 0;
    const found = matchTuple(words, older, p);
    if (found === 0 || standingOf(store, older, found & 1, p) !== GOES_ON) return 0;
    // to a host that has begun anew its peer still sends again what the host of before had not acknowledged
    const isOfCaller = matchTuple(words, at, p) === at;
    if (!isOfCaller && p.seq !== words[sideOf(older, found & 1) + NEXT]) return 0;
    this.#inside.delete(at);
    return found;
  }
}

/** By a RST, or by the FINs of both. */
export function hasEnded(store: Store, at: number): boolean {
  const { words } = store.connections;
  if (store.troubled(at, 0, RSTS) + store.troubled(at, 1, RSTS) > 0) return true;
  return words[sideOf(at, 0) + FINS]! > 0 && words[sideOf(at, 1) + FINS]! > 0;
}

/**
 * Copies of a segment in one capture: mirror ports, several VLANs or interfaces, `-i any`, a file that holds itself twice.
 * Linux counts the IP identification up for each segment that it sends, also for one that it sends again, so the same
 * identification, numbers and length within a millisecond are one segment. Identification 0 (IPv6, SYN-ACKs, RSTs without
 * a socket) identifies nothing: see isAnswerToCopies.
 */
import { Packet } from '../model/packet.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { NS_PER_MS } from '../model/time.ts';
import {
  COPIES,
  LAST_PACKET,
  LAST_TIME,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_OPTIONS,
  PACKED_SEQ,
  PACKED_TS_ECR,
  PACKED_TS_VAL,
  PACKED_WINDOW,
  PACKETS,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

/** No retransmission comes so soon: TCP_RTO_MIN is 200 ms, and a fast one takes a round trip. */
const WITHIN = NS_PER_MS;

/** Segments remembered, as many as may stand between one and its copy; few, so that they stay in the cache. */
const SLOTS = 1 << 12;
/** A capture begins with so many, for there may be thousands of small ones. */
const FEWEST = 1 << 5;
/** Slots for each segment until there are all of them. */
const ROOM = 8;

/** All segments of one capture, in the order of the file. */
export class Copies {
  /** Of each slot 64 bits of what a copy shares with its segment, 0 in an empty one, and the time of that as a double. */
  #seen = new Int32Array(4 * FEWEST);
  #times = new Float64Array(this.#seen.buffer);
  #mask = FEWEST - 1;
  #used = 0;
  /** The first segment of the capture, and the latest time before it came again. */
  readonly #first = new Packet();
  #latest = Number.NEGATIVE_INFINITY;
  #isReplay = false;
  count = 0;
  /** Of the first copy. */
  frame = 0;

  /** The file begins anew with this segment, or has done so before: everything up to its latest time was seen. */
  isReplay(p: Packet): boolean {
    if (p.time === this.#first.time && isSame(p, this.#first)) this.#isReplay = true;
    else if (this.#first.frame === 0) Object.assign(this.#first, p);
    if (this.#isReplay && p.time <= this.#latest) {
      this.note(p);
      return true;
    }
    this.#isReplay = false;
    if (p.time > this.#latest) this.#latest = p.time;
    return false;
  }

  /** Whether the segment is a copy of one that has its identification. `key`: its connection and side. */
  isCopy(key: number, p: Packet): boolean {
    if (p.ipId === 0) return false;
    const low = Math.imul(Math.imul(key ^ 0x9e3779b1, 0x85ebca6b) ^ p.seq, 0xc2b2ae35) ^ p.ack;
    const high = Math.imul(((p.ipId << 16) | p.window) ^ low, 0x27d4eb2f) ^ ((p.payload << 9) | p.flags);
    if (this.#used++ * ROOM > this.#mask && this.#mask + 1 < SLOTS) this.#grow();
    const at = 4 * ((high ^ (high >>> 15)) & this.#mask);
    const apart = p.time - this.#times[(at >> 1) + 1]!;
    if (this.#seen[at] === low && this.#seen[at + 1] === high && apart < WITHIN && apart > -WITHIN)
      return true;
    this.#seen[at] = low;
    this.#seen[at + 1] = high;
    this.#times[(at >> 1) + 1] = p.time;
    return false;
  }

  #grow(): void {
    const [seen, times] = [this.#seen, this.#times];
    this.#seen = new Int32Array(seen.length * 2);
    this.#times = new Float64Array(this.#seen.buffer);
    this.#mask = this.#mask * 2 + 1;
    for (let from = 0; from < seen.length; from += 4) {
      const high = seen[from + 1]!;
      const at = 4 * ((high ^ (high >>> 15)) & this.#mask);
      this.#seen[at] = seen[from]!;
      this.#seen[at + 1] = high;
      this.#times[(at >> 1) + 1] = times[(from >> 1) + 1]!;
    }
  }

  /** Counts a copy. */
  note(p: Packet): void {
    if (this.count++ === 0) this.frame = p.frame;
  }
}

function isSame(a: Packet, b: Packet): boolean {
  return (
    a.frame !== b.frame &&
    a.seq === b.seq &&
    a.ack === b.ack &&
    a.flags === b.flags &&
    a.payload === b.payload &&
    a.ipId === b.ipId &&
    a.srcPort === b.srcPort &&
    a.dstPort === b.dstPort &&
    a.src3 === b.src3 &&
    a.dst3 === b.dst3
  );
}

/**
 * Whether a segment without an identification repeats its side's last one within a millisecond, and there is a reason for
 * that: it has another TTL; what it answers was copied as often; or it answers nothing, and is no timer's so soon.
 */
export function isAnswerToCopies(store: Store, at: number, side: number, p: Packet): boolean {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const last = mine + LAST_PACKET;
  if (words[mine + PACKETS] === 0 || p.ipId !== 0 || words[last + PACKED_SEQ] !== p.seq) return false;
  if (words[last + PACKED_ACK] !== p.ack || words[last + PACKED_FLAGS] !== ((p.payload << 9) | p.flags))
    return false;
  if (words[last + PACKED_WINDOW] !== p.window || words[last + PACKED_TS_VAL] !== p.tsVal) return false;
  const apart = p.time - doubles[(mine + LAST_TIME) >> 1]!;
  if (words[last + PACKED_TS_ECR] !== p.tsEcr || apart >= WITHIN || apart <= -WITHIN) return false;
  if (((words[last + PACKED_OPTIONS]! >> 10) & 0xff) !== p.ttl) return true;
  if ((p.flags & ACK) === 0) return (p.flags & SYN) !== 0;
  return words[mine + COPIES]! < words[sideOf(at, otherSide(side)) + COPIES]!;
}

/** A connection's record as the WireConnection that later stages read. */

import { type Endpoint, formatWords } from '../model/address.ts';
import type {
  ClosedWindow,
  KeyPacket,
  Pair,
  Repeats,
  SideIndex,
  WireConnection,
} from '../model/connection.ts';
import type { CapturedProcess } from '../model/process.ts';
import { STACKS, type Stack } from '../model/stack.ts';
import { RST, SYN } from '../model/tcp.ts';
import { NS_PER_MS, type SourceTime } from '../model/time.ts';
import { listKeyPackets } from './key-packets.ts';
import { historyText } from './labels/history.ts';
import { connState } from './labels/zeek.ts';
import { originator } from './labels/zeek-endpoint.ts';
import {
  ACK_SEEN,
  ACKED,
  ADDRESS,
  BITS,
  BYTES,
  CLOSED_BEFORE,
  COMPLETENESS_MASK,
  COMPLETENESS_SHIFT,
  DIRECTION_MASK,
  DIRECTION_SHIFT,
  DUPLICATES,
  FIN_ACKED_AT,
  FIN_AT,
  FINS,
  FIRST_FIN_MASK,
  FIRST_FIN_SHIFT,
  FIRST_IS_BOTH,
  HANDSHAKE,
  ISN,
  ISN_SEEN,
  KEEPALIVES,
  KEYS_DROPPED,
  LAST_PACKET,
  LAST_TIME,
  NEXT,
  ORIENTATION_MASK,
  OUT_OF_ORDER,
  PACKED_FLAGS,
  PACKED_WINDOW,
  PACKETS,
  PATH,
  PORTS,
  PROBES_BEFORE,
  PROCESS,
  REPEATS,
  REPEATS_LAST,
  REPEATS_SINCE,
  RETRANSMITS,
  RST_AT,
  RSTS,
  SCALE_SEEN,
  SCALE_SHIFT,
  SIDE_BITS,
  SILENCE,
  SILENCE_END,
  STACK_SHIFT,
  START,
  START_FRAME,
  STARTED,
  SYN_ACKS,
  SYNS,
  THIRD_SEEN,
  TTL_SHIFT,
  WINDOW_BEFORE_RST,
  WINDOW_CLOSED_AT,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import { otherSide, type Store, sideOf } from './store.ts';

const ORIENTATIONS = ['guess', 'syn-ack', 'syn'] as const;

const NO_PROCESSES: Pair<null> = [null, null];

/** Where a record stands: the offset of its slot, which may be another one each time it is asked. */
export interface Place {
  readonly at: number;
  /** The same with its key packets, and the last ones of its sides. */
  readonly keyed: number;
}

/** What the numbers of packets stand for, see TrackerOptions. */
export interface Texts {
  encapsulations: readonly string[];
  processes: readonly CapturedProcess[];
}

/**
 * A view: reads the record when it is asked, and keeps only what takes long to make, its ends. It is valid as long as
 * its place is.
 */
export class ConnectionView implements WireConnection {
  readonly #store: Store;
  readonly #place: Place;
  readonly #texts: Texts;
  /** The side called the client: 0 or 1. */
  readonly #client: SideIndex;
  #ends: Pair<Endpoint> | null = null;

  constructor(store: Store, place: Place, client: SideIndex, texts: Texts) {
    this.#store = store;
    this.#place = place;
    this.#client = client;
    this.#texts = texts;
  }

  flipped(): WireConnection {
    return new ConnectionView(this.#store, this.#place, otherSide(this.#client), this.#texts);
  }

  get source(): number {
    return this.#store.source;
  }

  get client(): Endpoint {
    return this.#endpoints[0];
  }

  get server(): Endpoint {
    return this.#endpoints[1];
  }

  get orientation(): WireConnection['orientation'] {
    return ORIENTATIONS[this.#bits & ORIENTATION_MASK]!;
  }

  get start(): SourceTime {
    return this.#store.connections.doubles[(this.#at + START) >> 1]! as SourceTime;
  }

  get end(): SourceTime {
    const [a, b] = this.lastTime;
    const { start } = this;
    return Math.max(start, a ?? start, b ?? start) as SourceTime;
  }

  get startFrame(): number {
    return this.#words[this.#at + START_FRAME]!;
  }

  get packets(): Pair<number> {
    return this.#pair(PACKETS);
  }

  get bytes(): Pair<number> {
    const read = (side: number) => this.#store.connections.doubles[(sideOf(this.#at, side) + BYTES) >> 1]!;
    return [read(this.#client), read(otherSide(this.#client))];
  }

  get isn(): Pair<number | null> {
    return this.#known(ISN_SEEN, ISN);
  }

  get syns(): Pair<number> {
    return this.#pair(SYNS);
  }

  get synAcks(): Pair<number> {
    return this.#pair(SYN_ACKS);
  }

  get fins(): Pair<number> {
    return this.#pair(FINS);
  }

  get rsts(): Pair<number> {
    return this.#troubled(RSTS);
  }

  get retransmits(): Pair<number> {
    return this.#troubled(RETRANSMITS);
  }

  get repeats(): Pair<Repeats | null> {
    return [this.#repeats(this.#client), this.#repeats(otherSide(this.#client))];
  }

  get outOfOrder(): Pair<number> {
    return this.#troubled(OUT_OF_ORDER);
  }

  get keepalives(): Pair<number> {
    return this.#troubled(KEEPALIVES);
  }

  get windowProbes(): Pair<number> {
    return this.#troubled(WINDOW_PROBES);
  }

  get zeroWindows(): Pair<number> {
    return this.#troubled(ZERO_WINDOWS);
  }

  get closedWindow(): Pair<ClosedWindow | null> {
    return [this.#closedWindow(this.#client), this.#closedWindow(otherSide(this.#client))];
  }

  get firstFin(): WireConnection['firstFin'] {
    const first = (this.#bits >> FIRST_FIN_SHIFT) & FIRST_FIN_MASK;
    if (first === 0) return null;
    return first === FIRST_IS_BOTH ? 'both' : (((first - 1) ^ this.#client) as SideIndex);
  }

  get finTime(): Pair<SourceTime | null> {
    return this.#times(FIN_AT);
  }

  get finAckedTime(): Pair<SourceTime | null> {
    return this.#times(FIN_ACKED_AT);
  }

  get rstTime(): Pair<SourceTime | null> {
    const store = this.#store;
    const at = this.#at;
    const read = (side: number) =>
      store.troubled(at, side, RSTS) === 0
        ? null
        : (store.troubles.doubles[(store.trouble(at, side) + RST_AT) >> 1]! as SourceTime);
    return [read(this.#client), read(otherSide(this.#client))];
  }

  get handshake(): Pair<number | null> {
    const [one, two] = this.#times(HANDSHAKE);
    const [a, b] = this.#pair(SIDE_BITS);
    return [a & THIRD_SEEN ? one : null, b & THIRD_SEEN ? two : null];
  }

  get silence(): WireConnection['silence'] {
    const { words, doubles } = this.#store.connections;
    const length = words[this.#at + SILENCE]!;
    if (length === 0) return null;
    const to = doubles[(this.#at + START) >> 1]! + words[this.#at + SILENCE_END]! * NS_PER_MS;
    return { from: (to - length * NS_PER_MS) as SourceTime, to: to as SourceTime };
  }

  get lastTime(): Pair<SourceTime | null> {
    return [this.#timeOfLast(this.#client), this.#timeOfLast(otherSide(this.#client))];
  }

  get nextSeq(): Pair<number | null> {
    return this.#known(STARTED, NEXT);
  }

  get acked(): Pair<number | null> {
    return this.#known(ACK_SEEN, ACKED);
  }

  get window(): Pair<number | null> {
    const areScaled = this.#announcesScale(0) && this.#announcesScale(1);
    const at = this.#place.keyed;
    return [
      window(this.#store, at, this.#client, areScaled),
      window(this.#store, at, otherSide(this.#client), areScaled),
    ];
  }

  get windowScale(): Pair<number | null> {
    const read = (side: number) => (this.#announcesScale(side) ? scaleOf(this.#words, this.#at, side) : null);
    return [read(this.#client), read(otherSide(this.#client))];
  }

  get ttl(): Pair<number | null> {
    const read = (side: number) =>
      this.#words[sideOf(this.#at, side) + PACKETS] === 0
        ? null
        : (this.#words[this.#at + PATH]! >>> (TTL_SHIFT + side * 8)) & 0xff;
    return [read(this.#client), read(otherSide(this.#client))];
  }

  get stack(): Pair<Stack> {
    const [a, b] = this.#pair(SIDE_BITS);
    return [STACKS[a >>> STACK_SHIFT]!, STACKS[b >>> STACK_SHIFT]!];
  }

  get direction(): Pair<number> {
    const [a, b] = this.#pair(SIDE_BITS);
    return [(a >> DIRECTION_SHIFT) & DIRECTION_MASK, (b >> DIRECTION_SHIFT) & DIRECTION_MASK];
  }

  get processes(): Pair<CapturedProcess | null> {
    if (this.#texts.processes.length === 0) return NO_PROCESSES;
    const [a, b] = this.#troubled(PROCESS);
    return [this.#texts.processes[a - 1] ?? null, this.#texts.processes[b - 1] ?? null];
  }

  get duplicateSightings(): number {
    return this.#words[this.#at + DUPLICATES]!;
  }

  get connState(): string {
    return connState(this.#store, this.#at, this.#client);
  }

  get history(): string {
    return historyText(this.#store, this.#at, this.#client !== originator(this.#words, this.#at));
  }

  get completeness(): number {
    return (this.#bits >> COMPLETENESS_SHIFT) & COMPLETENESS_MASK;
  }

  get encapsulation(): string {
    return this.#texts.encapsulations[this.#words[this.#at + PATH]! & 0xffff] ?? '';
  }

  /** Made anew each time: who needs them twice keeps them. */
  get keyPackets(): KeyPacket[] {
    return listKeyPackets(this.#store, this.#place.keyed, this.#client);
  }

  get keyPacketsDropped(): number {
    return this.#words[this.#at + KEYS_DROPPED]!;
  }

  get #at(): number {
    return this.#place.at;
  }

  get #words(): Int32Array {
    return this.#store.connections.words;
  }

  get #bits(): number {
    return this.#words[this.#at + BITS]!;
  }

  get #endpoints(): Pair<Endpoint> {
    this.#ends ??= [
      endpoint(this.#words, this.#at, this.#client),
      endpoint(this.#words, this.#at, otherSide(this.#client)),
    ];
    return this.#ends;
  }

  /** A word of each side. */
  #pair(offset: number): Pair<number> {
    const words = this.#words;
    return [
      words[sideOf(this.#at, this.#client) + offset]!,
      words[sideOf(this.#at, otherSide(this.#client)) + offset]!,
    ];
  }

  #troubled(offset: number): Pair<number> {
    return [
      this.#store.troubled(this.#at, this.#client, offset),
      this.#store.troubled(this.#at, otherSide(this.#client), offset),
    ];
  }

  /** A word of each side that means something only where a bit is set. */
  #known(bit: number, offset: number): Pair<number | null> {
    const words = this.#words;
    const read = (side: number) => {
      const mine = sideOf(this.#at, side);
      return words[mine + SIDE_BITS]! & bit ? words[mine + offset]! : null;
    };
    return [read(this.#client), read(otherSide(this.#client))];
  }

  /** A double of each side; null where it is NaN. */
  #times(offset: number): Pair<SourceTime | null> {
    const { doubles } = this.#store.connections;
    const at = this.#at;
    const one = doubles[(sideOf(at, this.#client) + offset) >> 1]!;
    const two = doubles[(sideOf(at, otherSide(this.#client)) + offset) >> 1]!;
    return [Number.isNaN(one) ? null : (one as SourceTime), Number.isNaN(two) ? null : (two as SourceTime)];
  }

  #timeOfLast(side: number): SourceTime | null {
    const { words, doubles } = this.#store.connections;
    const mine = sideOf(this.#at, side);
    return words[mine + PACKETS] === 0 ? null : (doubles[(mine + LAST_TIME) >> 1]! as SourceTime);
  }

  #repeats(side: number): Repeats | null {
    const count = this.#store.troubled(this.#at, side, REPEATS);
    if (count === 0) return null;
    const trouble = this.#store.trouble(this.#at, side);
    const time = (word: number) => this.#store.troubles.doubles[(trouble + word) >> 1]! as SourceTime;
    return { count, since: time(REPEATS_SINCE), last: time(REPEATS_LAST) };
  }

  #closedWindow(side: number): ClosedWindow | null {
    const [store, at] = [this.#store, this.#at];
    const answers = store.troubled(at, side, ZERO_WINDOWS) - store.troubled(at, side, CLOSED_BEFORE);
    if (answers === 0 || window(store, this.#place.keyed, side, false) !== 0) return null;
    const peer = otherSide(side);
    const probes = store.troubled(at, peer, KEEPALIVES) + store.troubled(at, peer, WINDOW_PROBES);
    return {
      since: store.troubles.doubles[(store.trouble(at, side) + WINDOW_CLOSED_AT) >> 1]! as SourceTime,
      answers,
      probes: probes - store.troubled(at, side, PROBES_BEFORE),
    };
  }

  #announcesScale(side: number): boolean {
    return (this.#words[sideOf(this.#at, side) + SIDE_BITS]! & SCALE_SEEN) !== 0;
  }
}

function endpoint(words: Int32Array, at: number, side: number): Endpoint {
  const a = at + ADDRESS + side * 4;
  const ports = words[at + PORTS]!;
  return {
    address: formatWords(words[a]!, words[a + 1]!, words[a + 2]!, words[a + 3]!),
    port: side === 0 ? ports >>> 16 : ports & 0xffff,
  };
}

/** Window of the last packet that advertises one. SYNs are never scaled (RFC 7323 §2.2). */
function window(store: Store, at: number, side: number, areScaled: boolean): number | null {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  if (words[mine + PACKETS] === 0) return null;
  const flags = words[mine + LAST_PACKET + PACKED_FLAGS]!;
  const own = (words[mine + LAST_PACKET + PACKED_WINDOW]! & 0xffff) + 1;
  const kept = flags & RST ? store.troubled(at, side, WINDOW_BEFORE_RST) : flags & SYN ? -own : own;
  if (kept === 0) return null;
  return kept > 0 && areScaled ? (kept - 1) << scaleOf(words, at, side) : Math.abs(kept) - 1;
}

function scaleOf(words: Int32Array, at: number, side: number): number {
  return (words[at + BITS]! >> (SCALE_SHIFT + side * 4)) & 15;
}

/** A connection's record as the WireConnection that later stages read. */

import type { Endpoint } from '../model/address.ts';
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
import { NS_PER_MS, type SourceTime } from '../model/time.ts';
import { listKeyPackets } from './key-packets.ts';
import { historyText } from './labels/history.ts';
import { connState } from './labels/zeek.ts';
import { originator } from './labels/zeek-endpoint.ts';
import {
  ACK_SEEN,
  ACKED,
  BITS,
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
  NEXT,
  ORIENTATION_MASK,
  OUT_OF_ORDER,
  PACKETS,
  PATH,
  PROCESS,
  RETRANSMITS,
  RSTS,
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
  UNANSWERED_KEEPALIVES,
  WINDOW_PROBES,
  ZERO_WINDOWS,
} from './layout.ts';
import {
  bytesOf,
  closedWindowOf,
  endpointOf,
  lastTimeOf,
  repeatsOf,
  rstTimeOf,
  ttlOf,
  windowOf,
  windowScaleOf,
} from './side.ts';
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
    const { start, lastTime } = this;
    return Math.max(start, lastTime[0] ?? start, lastTime[1] ?? start) as SourceTime;
  }

  get startFrame(): number {
    return this.#words[this.#at + START_FRAME]!;
  }

  get packets(): Pair<number> {
    return this.#pair(PACKETS);
  }

  get bytes(): Pair<number> {
    return this.#both(bytesOf, this.#at);
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
    return this.#both(repeatsOf, this.#at);
  }

  get outOfOrder(): Pair<number> {
    return this.#troubled(OUT_OF_ORDER);
  }

  get keepalives(): Pair<number> {
    return this.#troubled(KEEPALIVES);
  }

  get unansweredKeepalives(): Pair<number> {
    return this.#troubled(UNANSWERED_KEEPALIVES);
  }

  get windowProbes(): Pair<number> {
    return this.#troubled(WINDOW_PROBES);
  }

  get zeroWindows(): Pair<number> {
    return this.#troubled(ZERO_WINDOWS);
  }

  get closedWindow(): Pair<ClosedWindow | null> {
    return this.#both(closedWindowOf, this.#place.keyed);
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
    return this.#both(rstTimeOf, this.#at);
  }

  get handshake(): Pair<number | null> {
    const times = this.#times(HANDSHAKE);
    const bits = this.#pair(SIDE_BITS);
    return [bits[0] & THIRD_SEEN ? times[0] : null, bits[1] & THIRD_SEEN ? times[1] : null];
  }

  get silence(): WireConnection['silence'] {
    const { words, doubles } = this.#store.connections;
    const length = words[this.#at + SILENCE]!;
    if (length === 0) return null;
    const to = doubles[(this.#at + START) >> 1]! + words[this.#at + SILENCE_END]! * NS_PER_MS;
    return { from: (to - length * NS_PER_MS) as SourceTime, to: to as SourceTime };
  }

  get lastTime(): Pair<SourceTime | null> {
    return this.#both(lastTimeOf, this.#at);
  }

  get nextSeq(): Pair<number | null> {
    return this.#known(STARTED, NEXT);
  }

  get acked(): Pair<number | null> {
    return this.#known(ACK_SEEN, ACKED);
  }

  get window(): Pair<number | null> {
    return this.#both(windowOf, this.#place.keyed);
  }

  get windowScale(): Pair<number | null> {
    return this.#both(windowScaleOf, this.#at);
  }

  get ttl(): Pair<number | null> {
    return this.#both(ttlOf, this.#at);
  }

  get stack(): Pair<Stack> {
    const bits = this.#pair(SIDE_BITS);
    return [STACKS[bits[0] >>> STACK_SHIFT]!, STACKS[bits[1] >>> STACK_SHIFT]!];
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
    this.#ends ??= this.#both(endpointOf, this.#at);
    return this.#ends;
  }

  /** What is read of each side of the record at `at`. */
  #both<T>(read: (store: Store, at: number, side: number) => T, at: number): Pair<T> {
    return [read(this.#store, at, this.#client), read(this.#store, at, otherSide(this.#client))];
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
}

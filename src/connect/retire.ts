/**
 * Which connections give up their slots while packets still come. One that is decided waits a while after its last act, in a
 * ring; then it is packed away, and a later packet of its tuple brings it back. So the result is the same whatever the
 * size of the rings: what they decide is how often that happens.
 */

import { OPEN, type Outcome } from '../model/outcome.ts';
import { Archive, type ArchiveState } from './archive.ts';
import { type Columns, callsClient } from './columns.ts';
import { hasEnded } from './interrupted.ts';
import {
  BITS,
  FIN_ACKED,
  HASH,
  PACKETS,
  QUEUED,
  REUSED,
  SERIAL,
  SIDE_BITS,
  SIDE_STRIDE,
  SIDES,
} from './layout.ts';
import { outcomeOf } from './outcome.ts';
import { isPackable, pack, unpack } from './pack.ts';
import { PackedWriter } from './packed.ts';
import { type Store, sideOf } from './store.ts';
import type { TupleTable } from './tuple-table.ts';

/** Connections that may end after one before it is packed away; and that may begin after one that has not got on. */
export interface RingSizes {
  ended: number;
  begun: number;
}
const ENDED = 1 << 8;
const BEGUN = 1 << 13;
/** Places of a ring at first. */
const FEWEST = 8;
/** The note of what is packed and has none of the outcomes. */
const OTHER = 7;

/** Holds a record only while it is packed: one for all captures. */
const WRITER = new PackedWriter();

export class Retirement {
  readonly #store: Store;
  readonly #table: TupleTable;
  readonly #archive = new Archive();
  readonly #columns: Columns;
  readonly #ended: Ring;
  readonly #begun: Ring;

  constructor(store: Store, table: TupleTable, columns: Columns, sizes: Partial<RingSizes> = {}) {
    this.#store = store;
    this.#table = table;
    this.#columns = columns;
    this.#ended = new Ring(sizes.ended ?? ENDED);
    this.#begun = new Ring(sizes.begun ?? BEGUN);
  }

  state(): ArchiveState {
    return this.#archive.state();
  }

  /** See Archive.copy. */
  copy(): ArchiveState {
    return this.#archive.copy();
  }

  /** Takes over what another has packed away; what waits in its rings is packed later, or never. */
  adopt(state: ArchiveState): void {
    this.#archive.adopt(state);
  }

  /** Records packed away. */
  get count(): number {
    return this.#archive.count;
  }

  has(serial: number): boolean {
    return this.#archive.note(serial) !== 0;
  }

  /** What became of a packed connection. */
  outcome(serial: number): Outcome {
    const note = this.#archive.note(serial);
    return note === OTHER ? 0 : (note as Outcome);
  }

  /** A connection has begun, or was brought back. */
  begun(at: number): void {
    this.#turn(this.#begun, at);
  }

  /** A packet of the connection was accounted for. */
  touched(at: number): void {
    const words = this.#store.connections.words;
    const both = words[at + SIDES + SIDE_BITS]! & words[at + SIDES + SIDE_STRIDE + SIDE_BITS]!;
    if ((both & FIN_ACKED) === 0 || words[at + BITS]! & QUEUED) return;
    words[at + BITS]! |= QUEUED;
    this.#turn(this.#ended, at);
  }

  /** Brings a record back; its offset. */
  restore(serial: number): number {
    const at = this.read(serial, true);
    const words = this.#store.connections.words;
    this.#archive.remove(serial);
    this.#table.insert(at, -serial, words[at + HASH]!);
    words[at + BITS]! &= ~QUEUED;
    return at;
  }

  /** A copy of a packed record, without its key packets unless asked for; its offset, to be released by the caller. */
  read(serial: number, keyed: boolean): number {
    return unpack(this.#store, this.#archive.open(serial), serial, keyed);
  }

  #turn(ring: Ring, at: number): void {
    const words = this.#store.connections.words;
    const before = ring.turn(at, words[at + SERIAL]!);
    if (before !== 0 && words[before + SERIAL] === ring.serial) this.#pack(before);
  }

  #pack(at: number): void {
    const outcome = outcomeOf(this.#store, at);
    const words = this.#store.connections.words;
    // what goes on is sure to be wanted again, and a life inside another is asked for by its place (interrupted.ts)
    if (outcome === OPEN || words[at + BITS]! & REUSED) return;
    if (outcome === 0 && this.#isAnswered(at) && !hasEnded(this.#store, at)) return;
    if (!isPackable(this.#store, at) || this.#archive.isFull) return;
    const serial = words[at + SERIAL]!;
    WRITER.restart();
    pack(this.#store, at, WRITER);
    this.#archive.add(serial, outcome === 0 ? OTHER : outcome, WRITER);
    this.#columns.put(this.#store, at, serial, callsClient(words, at));
    this.#table.insert(-serial, at, words[at + HASH]!);
    this.#store.release(at);
  }

  #isAnswered(at: number): boolean {
    const { words } = this.#store.connections;
    return words[sideOf(at, 0) + PACKETS] !== 0 && words[sideOf(at, 1) + PACKETS] !== 0;
  }
}

/** The last so many connections to which something happened. */
class Ring {
  readonly #size: number;
  /** Of a capture with few connections it is not filled, and small. */
  #slots: Int32Array;
  #serials: Int32Array;
  #next = 0;
  /** Of the connection that `turn` gave back. */
  serial = 0;

  constructor(size: number) {
    this.#size = size;
    this.#slots = new Int32Array(Math.min(size, FEWEST));
    this.#serials = new Int32Array(this.#slots.length);
  }

  /** Puts a connection in, and gives back the one that was there longest; 0 for none. */
  turn(at: number, serial: number): number {
    if (this.#next === this.#slots.length) this.#turnAround();
    const i = this.#next++;
    const before = this.#slots[i]!;
    this.serial = this.#serials[i]!;
    this.#slots[i] = at;
    this.#serials[i] = serial;
    return before;
  }

  #turnAround(): void {
    const { length } = this.#slots;
    if (length >= this.#size) {
      this.#next = 0;
      return;
    }
    const larger = (part: Int32Array) => {
      const grown = new Int32Array(Math.min(length * 2, this.#size));
      grown.set(part);
      return grown;
    };
    [this.#slots, this.#serials] = [larger(this.#slots), larger(this.#serials)];
  }
}

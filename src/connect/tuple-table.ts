/**
 * 4-tuple → newest connection: open addressing with linear probing, at most half full, each slot a hash and the
 * offset of a record, or the serial number of one that is packed away, negative. Both directions of a connection hash alike. The seed differs from run to run, so that no
 * capture can be made to collide; nothing that is written depends on the order of slots.
 */
import type { Packet } from '../model/packet.ts';
import { ADDRESS, HASH, PORTS, SERIAL } from './layout.ts';
import type { Rows } from './rows.ts';

const SLOT_WORDS = 2;
/** Slots at first: there may be thousands of small captures. */
const FEWEST = 1 << 4;
/** Connections found last that are looked at first, once there are more slots than stay in the cache of a core. */
const RECENT = 1 << 12;

export interface TableState {
  seed: number;
  slots: Int32Array<ArrayBuffer>;
  size: number;
}

export class TupleTable {
  readonly #rows: Rows;
  #seed: number;
  #slots = new Int32Array(SLOT_WORDS * FEWEST);
  #mask = FEWEST - 1;
  #size = 0;
  /** Their offsets, by hash; 0 for none. */
  #recent = new Int32Array(1);

  constructor(rows: Rows, seed = (Math.random() * 2 ** 32) | 0) {
    this.#rows = rows;
    this.#seed = seed;
  }

  state(): TableState {
    return { seed: this.#seed, slots: this.#slots, size: this.#size };
  }

  adopt({ seed, slots, size }: TableState): void {
    this.#seed = seed;
    this.#slots = slots;
    this.#mask = slots.length / SLOT_WORDS - 1;
    this.#size = size;
  }

  /** Hash of a packet's addresses and ports, the same for both directions. */
  hash(p: Packet): number {
    const source = hashEndpoint(this.#seed, p.src0, p.src1, p.src2, p.src3, p.srcPort);
    const sink = hashEndpoint(this.#seed, p.dst0, p.dst1, p.dst2, p.dst3, p.dstPort);
    return finish((source + sink) | 0);
  }

  /**
   * Offset of the newest connection of a packet's tuple, plus 1 when side 1 sent the packet; 0 for none. Negative: the
   * serial number of a packed record that may be of the tuple, to be brought back before this is asked again.
   */
  find(p: Packet, hash: number): number {
    const recent = this.#recent;
    const near = hash & (recent.length - 1);
    const { words } = this.#rows;
    // packed away meanwhile, it has no number
    if (words[recent[near]! + SERIAL] !== 0) {
      const found = matchTuple(words, recent[near]!, p);
      if (found !== 0) return found;
    }
    const slots = this.#slots;
    for (let i = hash & this.#mask; ; i = (i + 1) & this.#mask) {
      const at = slots[i * SLOT_WORDS + 1]!;
      if (at === 0) return 0;
      if (slots[i * SLOT_WORDS] !== hash) continue;
      if (at < 0) return at;
      const found = matchTuple(words, at, p);
      if (found === 0) continue;
      recent[near] = at;
      return found;
    }
  }

  /** No packet comes any more: nothing is looked for, and what is put in is let go. */
  close(): void {
    this.#slots = new Int32Array(0);
  }

  /** Puts the connection at `at` in the place of `older`, or in a new place when `older` is 0; both may be packed ones. */
  insert(at: number, older: number, hash: number): void {
    if (this.#slots.length === 0) return;
    if (at > 0) this.#recent[hash & (this.#recent.length - 1)] = at;
    if (older !== 0) {
      this.#slots[this.#slotOf(older, hash) * SLOT_WORDS + 1] = at;
      return;
    }
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    this.#size++;
    this.#place(at, hash);
  }

  /** Forgets a connection; one that a newer life of its tuple has replaced is not here. Closes the run behind it. */
  remove(at: number): void {
    const slots = this.#slots;
    let hole = this.#slotOf(at, this.#rows.words[at + HASH]!);
    if (hole < 0) return;
    for (let i = (hole + 1) & this.#mask; slots[i * SLOT_WORDS + 1] !== 0; i = (i + 1) & this.#mask) {
      const home = slots[i * SLOT_WORDS]! & this.#mask;
      // The entry may move only if its home is not between the hole and itself.
      if (((i - home) & this.#mask) < ((i - hole) & this.#mask)) continue;
      slots[hole * SLOT_WORDS] = slots[i * SLOT_WORDS]!;
      slots[hole * SLOT_WORDS + 1] = slots[i * SLOT_WORDS + 1]!;
      hole = i;
    }
    slots[hole * SLOT_WORDS + 1] = 0;
    this.#size--;
  }

  #slotOf(at: number, hash: number): number {
    for (let i = hash & this.#mask; ; i = (i + 1) & this.#mask) {
      const entry = this.#slots[i * SLOT_WORDS + 1]!;
      if (entry === at) return i;
      if (entry === 0) return -1;
    }
  }

  #place(at: number, hash: number): void {
    let i = hash & this.#mask;
    while (this.#slots[i * SLOT_WORDS + 1] !== 0) i = (i + 1) & this.#mask;
    this.#slots[i * SLOT_WORDS] = hash;
    this.#slots[i * SLOT_WORDS + 1] = at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    if (this.#mask === RECENT * 2 - 1) this.#recent = new Int32Array(RECENT);
    for (let i = 0; i < old.length; i += SLOT_WORDS) {
      if (old[i + 1] !== 0) this.#place(old[i + 1]!, old[i]!);
    }
  }
}

/** `at` when side 0 of the connection at `at` sent the packet, `at + 1` when side 1 did, 0 when it is another's. */
export function matchTuple(words: Int32Array, at: number, p: Packet): number {
  const ports = words[at + PORTS]!;
  const a = at + ADDRESS;
  if (
    ports === ((p.srcPort << 16) | p.dstPort) &&
    words[a + 3] === p.src3 &&
    words[a + 7] === p.dst3 &&
    words[a] === p.src0 &&
    words[a + 1] === p.src1 &&
    words[a + 2] === p.src2 &&
    words[a + 4] === p.dst0 &&
    words[a + 5] === p.dst1 &&
    words[a + 6] === p.dst2
  ) {
    return at;
  }
  if (
    ports === ((p.dstPort << 16) | p.srcPort) &&
    words[a + 3] === p.dst3 &&
    words[a + 7] === p.src3 &&
    words[a] === p.dst0 &&
    words[a + 1] === p.dst1 &&
    words[a + 2] === p.dst2 &&
    words[a + 4] === p.src0 &&
    words[a + 5] === p.src1 &&
    words[a + 6] === p.src2
  ) {
    return at + 1;
  }
  return 0;
}

/** Each step is a bijection of the state, and the shift brings the high bits down before the next multiplication. */
function hashEndpoint(seed: number, a: number, b: number, c: number, d: number, port: number): number {
  let h = Math.imul(seed ^ a, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ b, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 13) ^ c, 0xc2b2ae3d);
  h = Math.imul(h ^ (h >>> 16) ^ d, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15) ^ port, 0x165667b1);
  return h ^ (h >>> 16);
}

function finish(h: number): number {
  const mixed = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

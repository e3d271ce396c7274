/** The packets that are kept of a connection in few bytes, and back: the rest of its record is pack.ts. */
import {
  ISN,
  KEY_LINK,
  KEY_PACKET,
  KEY_SIDE_SHIFT,
  KEY_TIME,
  KEY_VANTAGE,
  KEY_WHY_SHIFT,
  KEYS,
  LAST_KEY,
  LAST_PACKET,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_FRAME,
  PACKED_OPTIONS,
  PACKED_SEQ,
  PACKED_TS_ECR,
  PACKED_TS_VAL,
  PACKED_WINDOW,
  START,
  START_FRAME,
} from './layout.ts';
import type { PackedReader, PackedWriter } from './packed.ts';
import { type Store, sideOf } from './store.ts';

/** Options and TTL of a packet; in a key packet the reasons stand above. */
const LOW = (1 << KEY_WHY_SHIFT) - 1;

/** What the numbers of a packet are told from, by side: those of the packet of that side told before. */
const near = new Int32Array(10);
const WINDOW = 0;
const IP_ID = 2;
const OPTIONS = 4;
const TS_VAL = 6;
const TS_ECR = 8;

/** Key packets, and the last packet of either side. */
export function packPackets(store: Store, at: number, out: PackedWriter): void {
  packKeys(store, at, out);
  for (let side = 0; side < 2; side++) packLast(store, at, side, out);
}

export function unpackPackets(store: Store, at: number, from: PackedReader): void {
  unpackKeys(store, at, from);
  for (let side = 0; side < 2; side++) unpackLast(store, at, side, from);
}

function packKeys(store: Store, at: number, out: PackedWriter): void {
  const words = store.keys.words;
  const start = store.connections.doubles[(at + START) >> 1]!;
  near.fill(0);
  for (let key = store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
    const options = words[key + KEY_PACKET + PACKED_OPTIONS]!;
    // never zero: that ends the list
    out.put((options >>> KEY_WHY_SHIFT) + 1);
    out.put(words[key + KEY_VANTAGE]!);
    out.putLong(store.keys.doubles[(key + KEY_TIME) >> 1]! - start);
    packPacket(store, at, options >>> KEY_SIDE_SHIFT, words, key + KEY_PACKET, out);
  }
  out.put(0);
}

function unpackKeys(store: Store, at: number, from: PackedReader): void {
  const start = store.connections.doubles[(at + START) >> 1]!;
  near.fill(0);
  let link = at + KEYS;
  let isFirst = true;
  for (let next = from.get(); next !== 0; next = from.get()) {
    const why = next - 1;
    const key = store.keys.allocate();
    const words = store.keys.words;
    if (isFirst) store.connections.words[link] = key;
    else words[link] = key;
    link = key + KEY_LINK;
    isFirst = false;
    words[key + KEY_VANTAGE] = from.get();
    store.keys.doubles[(key + KEY_TIME) >> 1] = from.getLong() + start;
    unpackPacket(store, at, why >>> (KEY_SIDE_SHIFT - KEY_WHY_SHIFT), words, key + KEY_PACKET, from);
    words[key + KEY_PACKET + PACKED_OPTIONS]! |= why << KEY_WHY_SHIFT;
  }
}

/** The last packet of a side, unless it is a key packet as well. */
function packLast(store: Store, at: number, side: number, out: PackedWriter): void {
  const words = store.connections.words;
  const last = words[sideOf(at, side) + LAST_KEY]!;
  let place = 0;
  if (last !== 0) {
    place = 1;
    for (let key = words[at + KEYS]!; key !== last; key = store.keys.words[key + KEY_LINK]!) place++;
  }
  out.put(place);
  if (place === 0) packPacket(store, at, side, words, sideOf(at, side) + LAST_PACKET, out);
}

function unpackLast(store: Store, at: number, side: number, from: PackedReader): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const place = from.get();
  if (place === 0) {
    unpackPacket(store, at, side, words, mine + LAST_PACKET, from);
    return;
  }
  let key = words[at + KEYS]!;
  for (let i = 1; i < place; i++) key = store.keys.words[key + KEY_LINK]!;
  words[mine + LAST_KEY] = key;
  for (let i = 0; i < 8; i++) words[mine + LAST_PACKET + i] = store.keys.words[key + KEY_PACKET + i]!;
  words[mine + LAST_PACKET + PACKED_OPTIONS]! &= LOW;
}

function packPacket(
  store: Store,
  at: number,
  side: number,
  words: Int32Array,
  packet: number,
  out: PackedWriter,
): void {
  const record = store.connections.words;
  const window = words[packet + PACKED_WINDOW]!;
  const options = words[packet + PACKED_OPTIONS]! & LOW;
  out.put((words[packet + PACKED_SEQ]! - record[sideOf(at, side) + ISN]!) | 0);
  out.put((words[packet + PACKED_ACK]! - record[sideOf(at, 1 - side) + ISN]!) | 0);
  out.put(words[packet + PACKED_FLAGS]!);
  out.put((window & 0xffff) - near[WINDOW + side]!);
  out.put((window >>> 16) - near[IP_ID + side]!);
  out.put(options - near[OPTIONS + side]!);
  out.put((words[packet + PACKED_TS_VAL]! - near[TS_VAL + side]!) | 0);
  out.put((words[packet + PACKED_TS_ECR]! - near[TS_ECR + side]!) | 0);
  out.put((words[packet + PACKED_FRAME]! - record[at + START_FRAME]!) | 0);
  remember(side, words, packet, options);
}

function unpackPacket(
  store: Store,
  at: number,
  side: number,
  words: Int32Array,
  packet: number,
  from: PackedReader,
): void {
  const record = store.connections.words;
  words[packet + PACKED_SEQ] = (from.get() + record[sideOf(at, side) + ISN]!) | 0;
  words[packet + PACKED_ACK] = (from.get() + record[sideOf(at, 1 - side) + ISN]!) | 0;
  words[packet + PACKED_FLAGS] = from.get();
  const window = from.get() + near[WINDOW + side]!;
  words[packet + PACKED_WINDOW] = window | ((from.get() + near[IP_ID + side]!) << 16);
  const options = from.get() + near[OPTIONS + side]!;
  words[packet + PACKED_OPTIONS] = options;
  words[packet + PACKED_TS_VAL] = (from.get() + near[TS_VAL + side]!) | 0;
  words[packet + PACKED_TS_ECR] = (from.get() + near[TS_ECR + side]!) | 0;
  words[packet + PACKED_FRAME] = (from.get() + record[at + START_FRAME]!) | 0;
  remember(side, words, packet, options);
}

function remember(side: number, words: Int32Array, packet: number, options: number): void {
  const window = words[packet + PACKED_WINDOW]!;
  near[WINDOW + side] = window & 0xffff;
  near[IP_ID + side] = window >>> 16;
  near[OPTIONS + side] = options;
  near[TS_VAL + side] = words[packet + PACKED_TS_VAL]!;
  near[TS_ECR + side] = words[packet + PACKED_TS_ECR]!;
}

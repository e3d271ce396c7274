/**
 * A record with its key packets in few bytes, and back: what a connection is remembered by when its slot is needed for
 * others. Every number stands as the difference to one that is likely near. Nothing is lost, so that a record that a
 * late packet asks for goes on as though it had never been away.
 */
import {
  ACKED,
  ADDRESS,
  BITS,
  BLOCKS,
  BYTES,
  CLOSED_AT,
  COPIES,
  DUPLICATES,
  FIN_ACKED_AT,
  FIN_AT,
  FIN_END,
  FINS,
  FIRST_FIN_ACK,
  HANDSHAKE,
  HASH,
  HISTORY,
  HISTORY_WORDS,
  HOME,
  ISN,
  KEY_LINK,
  KEY_PACKET,
  KEY_SIDE_SHIFT,
  KEY_TIME,
  KEY_VANTAGE,
  KEY_WHY_SHIFT,
  KEYS,
  KEYS_DROPPED,
  KEYS_KEPT,
  LAST_KEY,
  LAST_PACKET,
  LAST_TIME,
  NEXT,
  NEXT_TIMES,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_FRAME,
  PACKED_OPTIONS,
  PACKED_SEQ,
  PACKED_TS_ECR,
  PACKED_TS_VAL,
  PACKED_WINDOW,
  PACKETS,
  PATH,
  PORTS,
  PREVIOUS,
  ROLLING_SYN,
  SERIAL,
  SIDE_BITS,
  SILENCE,
  SILENCE_END,
  START,
  START_FRAME,
  SYN_ACKS,
  SYNS,
  THIRD_SEEN,
  TROUBLE,
  TROUBLE_STRIDE,
  WHOLE,
} from './layout.ts';
import type { PackedReader, PackedWriter } from './packed.ts';
import { type Store, sideOf } from './store.ts';

const MAPPED = 0xffff;
const COUNTS = [PACKETS, SYNS, SYN_ACKS, FINS, SIDE_BITS, HOME, COPIES] as const;
const HEAD = [
  PORTS,
  FIRST_FIN_ACK,
  HASH,
  PATH,
  START_FRAME,
  BITS,
  DUPLICATES,
  KEYS_KEPT,
  KEYS_DROPPED,
  SILENCE_END,
  SILENCE,
] as const;
/** Options and TTL of a packet; in a key packet the reasons stand above. */
const LOW = (1 << KEY_WHY_SHIFT) - 1;

/**
 * Whether all that hangs on the record can be packed: everything but holes in what was seen, a SYN kept in turn, and
 * packets set aside for a RST that may come.
 */
export function isPackable(store: Store, at: number): boolean {
  for (let side = 0; side < 2; side++) {
    if (store.connections.words[sideOf(at, side) + PREVIOUS] !== 0) return false;
    if (store.troubled(at, side, BLOCKS) !== 0 || store.troubled(at, side, ROLLING_SYN) !== 0) return false;
  }
  return true;
}

/** Writes the record at `at`, without its serial number. */
export function pack(store: Store, at: number, out: PackedWriter): void {
  const { words, doubles } = store.connections;
  for (let i = 0; i < 8; i++) out.put(words[at + ADDRESS + i]! ^ ((i & 3) === 2 ? MAPPED : 0));
  for (let i = 0; i < HEAD.length; i++) out.put(words[at + HEAD[i]!]!);
  for (let i = 0; i < HISTORY_WORDS; i++) out.put(words[at + HISTORY + i]!);
  const start = doubles[(at + START) >> 1]!;
  out.putLong(start);
  packTime(doubles[(at + CLOSED_AT) >> 1]!, start, out);
  for (let side = 0; side < 2; side++) out.put(words[sideOf(at, side) + ISN]!);
  for (let side = 0; side < 2; side++) packSide(store, at, side, out);
  const trouble = words[at + TROUBLE]!;
  out.put(trouble === 0 ? 0 : 1);
  if (trouble !== 0) for (let i = 0; i < TROUBLE_STRIDE; i++) out.put(store.troubles.words[trouble + i]!);
  packKeys(store, at, out);
  for (let side = 0; side < 2; side++) packLast(store, at, side, out);
}

/** Makes a record of what `pack` wrote, without its key packets and its sides' last ones unless asked for; its offset. */
export function unpack(store: Store, from: PackedReader, serial: number, keyed: boolean): number {
  const at = store.connections.allocate();
  const { words, doubles } = store.connections;
  for (let i = 0; i < 8; i++) words[at + ADDRESS + i] = from.get() ^ ((i & 3) === 2 ? MAPPED : 0);
  for (let i = 0; i < HEAD.length; i++) words[at + HEAD[i]!] = from.get();
  for (let i = 0; i < HISTORY_WORDS; i++) words[at + HISTORY + i] = from.get();
  const start = from.getLong();
  doubles[(at + START) >> 1] = start;
  doubles[(at + CLOSED_AT) >> 1] = unpackTime(start, from);
  words[at + SERIAL] = serial;
  for (let side = 0; side < 2; side++) words[sideOf(at, side) + ISN] = from.get();
  for (let side = 0; side < 2; side++) unpackSide(store, at, side, from);
  if (from.get() !== 0) {
    const trouble = store.troubles.allocate();
    words[at + TROUBLE] = trouble;
    for (let i = 0; i < TROUBLE_STRIDE; i++) store.troubles.words[trouble + i] = from.get();
  }
  if (!keyed) return at;
  unpackKeys(store, at, from);
  for (let side = 0; side < 2; side++) unpackLast(store, at, side, from);
  return at;
}

/** A time that may not be known (NaN). */
function packTime(time: number, near: number, out: PackedWriter): void {
  const isKnown = !Number.isNaN(time);
  out.put(isKnown ? 1 : 0);
  if (isKnown) out.putLong(time - near);
}

function unpackTime(near: number, from: PackedReader): number {
  return from.get() === 0 ? Number.NaN : from.getLong() + near;
}

function packSide(store: Store, at: number, side: number, out: PackedWriter): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const isn = words[mine + ISN]!;
  for (let i = 0; i < COUNTS.length; i++) out.put(words[mine + COUNTS[i]!]!);
  out.putLong(doubles[(mine + BYTES) >> 1]!);
  out.putLong(doubles[(mine + LAST_TIME) >> 1]! - doubles[(at + START) >> 1]!);
  out.put((words[at + NEXT_TIMES + side]! - microseconds(doubles[(mine + LAST_TIME) >> 1]!)) | 0);
  out.put((words[mine + NEXT]! - isn) | 0);
  out.put((words[mine + WHOLE]! - words[mine + NEXT]!) | 0);
  out.put((words[mine + FIN_END]! - words[mine + NEXT]!) | 0);
  out.put((words[mine + ACKED]! - words[sideOf(at, 1 - side) + ISN]!) | 0);
  const last = doubles[(mine + LAST_TIME) >> 1]!;
  packTime(doubles[(mine + FIN_AT) >> 1]!, last, out);
  packTime(doubles[(mine + FIN_ACKED_AT) >> 1]!, last, out);
  packTime(doubles[(mine + HANDSHAKE) >> 1]!, words[mine + SIDE_BITS]! & THIRD_SEEN ? 0 : last, out);
}

function unpackSide(store: Store, at: number, side: number, from: PackedReader): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  for (let i = 0; i < COUNTS.length; i++) words[mine + COUNTS[i]!] = from.get();
  doubles[(mine + BYTES) >> 1] = from.getLong();
  doubles[(mine + LAST_TIME) >> 1] = from.getLong() + doubles[(at + START) >> 1]!;
  words[at + NEXT_TIMES + side] = (from.get() + microseconds(doubles[(mine + LAST_TIME) >> 1]!)) | 0;
  const next = (from.get() + words[mine + ISN]!) | 0;
  words[mine + NEXT] = next;
  words[mine + WHOLE] = (from.get() + next) | 0;
  words[mine + FIN_END] = (from.get() + next) | 0;
  words[mine + ACKED] = (from.get() + words[sideOf(at, 1 - side) + ISN]!) | 0;
  const last = doubles[(mine + LAST_TIME) >> 1]!;
  doubles[(mine + FIN_AT) >> 1] = unpackTime(last, from);
  doubles[(mine + FIN_ACKED_AT) >> 1] = unpackTime(last, from);
  doubles[(mine + HANDSHAKE) >> 1] = unpackTime(words[mine + SIDE_BITS]! & THIRD_SEEN ? 0 : last, from);
}

/** 32 bits of it. */
function microseconds(time: number): number {
  return Math.floor(time / 1000) | 0;
}

/** What the numbers of a packet are told from, by side: those of the packet of that side told before. */
const near = new Int32Array(10);
const WINDOW = 0;
const IP_ID = 2;
const OPTIONS = 4;
const TS_VAL = 6;
const TS_ECR = 8;

function packKeys(store: Store, at: number, out: PackedWriter): void {
  const words = store.keys.words;
  const start = store.connections.doubles[(at + START) >> 1]!;
  for (let i = 0; i < 10; i++) near[i] = 0;
  for (let key = store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
    const options = words[key + KEY_PACKET + PACKED_OPTIONS]!;
    // never zero: it ends the list
    out.put(options >>> KEY_WHY_SHIFT);
    out.put(words[key + KEY_VANTAGE]!);
    out.putLong(store.keys.doubles[(key + KEY_TIME) >> 1]! - start);
    packPacket(store, at, options >>> KEY_SIDE_SHIFT, words, key + KEY_PACKET, out);
  }
  out.put(0);
}

function unpackKeys(store: Store, at: number, from: PackedReader): void {
  const start = store.connections.doubles[(at + START) >> 1]!;
  for (let i = 0; i < 10; i++) near[i] = 0;
  let link = at + KEYS;
  let isFirst = true;
  for (let why = from.get(); why !== 0; why = from.get()) {
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
  out.put((window & MAPPED) - near[WINDOW + side]!);
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
  near[WINDOW + side] = window & MAPPED;
  near[IP_ID + side] = window >>> 16;
  near[OPTIONS + side] = options;
  near[TS_VAL + side] = words[packet + PACKED_TS_VAL]!;
  near[TS_ECR + side] = words[packet + PACKED_TS_ECR]!;
}

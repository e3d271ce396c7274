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
  KEYS_DROPPED,
  KEYS_KEPT,
  LAST_TIME,
  NEXT,
  NEXT_TIMES,
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
import { packPackets, unpackPackets } from './pack-packets.ts';
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
  packPackets(store, at, out);
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
  if (keyed) unpackPackets(store, at, from);
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

/**
 * Key packets: the few of a connection that explanations rest on, kept after their frames are gone. Bounded per
 * connection, and in such a way that retransmissions and repeated SYNs never crowd out a FIN or a RST.
 */
import {
  type KeyPacket,
  type SideIndex,
  WHY_ACK_OF_FIN,
  WHY_BEFORE_RST,
  WHY_DATA_AFTER_FIN,
  WHY_FIN,
  WHY_KEEPALIVE,
  WHY_LAST,
  WHY_RETRANSMIT,
  WHY_RST,
  WHY_SYN,
  WHY_SYN_ACK,
  WHY_ZERO_WINDOW,
} from '../model/connection.ts';
import type { Packet } from '../model/packet.ts';
import { ACK, RST, SYN } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import {
  COPIES,
  HOME,
  KEY_LINK,
  KEY_PACKET,
  KEY_SIDE_SHIFT,
  KEY_TIME,
  KEY_VANTAGE,
  KEY_WHY,
  KEY_WHY_MASK,
  KEY_WHY_SHIFT,
  KEYS,
  KEYS_DROPPED,
  KEYS_KEPT,
  LAST_KEY,
  LAST_PACKET,
  LAST_TIME,
  PACKED_ACK,
  PACKED_FLAGS,
  PACKED_FRAME,
  PACKED_OPTIONS,
  PACKED_PAYLOAD_MAX,
  PACKED_SEQ,
  PACKED_TS_ECR,
  PACKED_TS_VAL,
  PACKED_WINDOW,
  PACKETS,
  PREVIOUS,
  ROLLING_SYN,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/** How many of a kind are kept per side. */
export const KEPT_SYNS = 12;
export const KEPT_FINS = 6;
export const KEPT_RSTS = 8;
export const KEPT_RETRANSMITS = 8;
export const KEPT_OTHERS = 4;

/** Marks a reason to keep a packet that enough packets were kept for already. */
export const SURPLUS = 1 << 30;

/** Packets kept of a connection in all, and while no more than these are kept, the less telling ones too. */
const MAX_KEYS = 48;
const MAX_WITH_SYNS = 32;
const MAX_WITH_REPEATS = 20;

const REPEATS = WHY_RETRANSMIT | WHY_KEEPALIVE | WHY_ZERO_WINDOW | WHY_DATA_AFTER_FIN;
const SYNS = WHY_SYN | WHY_SYN_ACK;
const ENDS = WHY_FIN | WHY_RST | WHY_ACK_OF_FIN | WHY_BEFORE_RST;

/** Remembers a packet as the last of its side. */
export function rememberLast(store: Store, at: number, side: number, p: Packet): void {
  const { words, doubles } = store.connections;
  const mine = sideOf(at, side);
  const last = mine + LAST_PACKET;
  const payload = p.payload < PACKED_PAYLOAD_MAX ? p.payload : PACKED_PAYLOAD_MAX;
  words[last + PACKED_SEQ] = p.seq;
  words[last + PACKED_ACK] = p.ack;
  words[last + PACKED_FLAGS] = (payload << 9) | p.flags;
  words[last + PACKED_WINDOW] = (p.ipId << 16) | p.window;
  words[last + PACKED_OPTIONS] = (p.ttl << 10) | p.options;
  words[last + PACKED_TS_VAL] = p.tsVal;
  words[last + PACKED_TS_ECR] = p.tsEcr;
  words[last + PACKED_FRAME] = p.frame;
  words[mine + LAST_KEY] = 0;
  words[mine + COPIES] = 0;
  doubles[(mine + LAST_TIME) >> 1] = p.time;
}

/** Keeps the last packet of a side for the given reasons, if there is room for such reasons or it must be kept. */
export function keep(store: Store, at: number, side: number, why: number, must = false): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const kept = words[mine + LAST_KEY]!;
  if (kept !== 0) {
    store.keys.words[kept + KEY_WHY]! |= why << KEY_WHY_SHIFT;
    return;
  }
  if (words[at + KEYS_KEPT]! >= room(why) && !must) {
    words[at + KEYS_DROPPED]!++;
    return;
  }
  const key = store.keys.allocate();
  link(store, at, key);
  fill(store, at, side, key, why);
  words[mine + LAST_KEY] = key;
}

/** Keeps the latest SYN or SYN-ACK of a side beyond the first ones, in the place of the one kept before. */
export function keepLatestSyn(store: Store, at: number, side: number, why: number): void {
  const words = store.connections.words;
  const trouble = store.trouble(at, side);
  const key = store.troubles.words[trouble + ROLLING_SYN]!;
  // One that also serves another reason (a RST answered it) stays.
  if (key !== 0 && (reasons(store, key) & ~SYNS) === 0) {
    words[at + KEYS_DROPPED]!++;
    fill(store, at, side, key, why);
    words[sideOf(at, side) + LAST_KEY] = key;
    return;
  }
  keep(store, at, side, why);
  store.troubles.words[trouble + ROLLING_SYN] = words[sideOf(at, side) + LAST_KEY]!;
}

/**
 * To be asked before a packet is remembered as the side's last: when it acknowledges something else than the last one,
 * that one is set aside, for a RST without ACK carries the number that the packet it answers acknowledged.
 */
export function setAside(store: Store, at: number, side: number, ack: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const last = words[mine + LAST_PACKET + PACKED_FLAGS]!;
  if (words[mine + LAST_PACKET + PACKED_ACK] === ack || words[mine + LAST_KEY] !== 0) return;
  if ((last & (ACK | RST)) !== ACK) return;
  let key = words[mine + PREVIOUS]!;
  if (key === 0) {
    key = store.keys.allocate();
    words[mine + PREVIOUS] = key;
  }
  fill(store, at, side, key, WHY_BEFORE_RST);
}

/** Before a RST: keeps the last packets of either side, which a RST without ACK answers. */
export function keepBeforeRst(store: Store, at: number): void {
  const words = store.connections.words;
  for (let side = 0; side < 2; side++) {
    const mine = sideOf(at, side);
    const key = words[mine + PREVIOUS]!;
    if (key !== 0 && words[at + KEYS_KEPT]! < MAX_KEYS) {
      link(store, at, key);
      words[mine + PREVIOUS] = 0;
    }
    if (words[mine + PACKETS]! > 0) keep(store, at, side, WHY_BEFORE_RST);
  }
}

function link(store: Store, at: number, key: number): void {
  const words = store.connections.words;
  store.keys.words[key + KEY_LINK] = words[at + KEYS]!;
  words[at + KEYS] = key;
  words[at + KEYS_KEPT]!++;
}

function room(why: number): number {
  if ((why & (ENDS | SYNS)) === 0 && (why & REPEATS) === why) return MAX_WITH_REPEATS;
  return (why & ENDS) === 0 && (why & SYNS) !== 0 ? MAX_WITH_SYNS : MAX_KEYS;
}

function fill(store: Store, at: number, side: number, key: number, why: number): void {
  const { words, doubles } = store.connections;
  const keys = store.keys.words;
  const mine = sideOf(at, side);
  const to = key + KEY_PACKET;
  const from = mine + LAST_PACKET;
  keys[to] = words[from]!;
  keys[to + 1] = words[from + 1]!;
  keys[to + 2] = words[from + 2]!;
  keys[to + 3] = words[from + 3]!;
  keys[to + 4] = words[from + 4]!;
  keys[to + 5] = words[from + 5]!;
  keys[to + 6] = words[from + 6]!;
  keys[to + 7] = words[from + 7]!;
  keys[key + KEY_WHY]! |= (why << KEY_WHY_SHIFT) | (side << KEY_SIDE_SHIFT);
  keys[key + KEY_VANTAGE] = words[mine + HOME]!;
  store.keys.doubles[(key + KEY_TIME) >> 1] = doubles[(mine + LAST_TIME) >> 1]!;
}

/** The key packets of a connection in the order of their frames; `client` is the side that is called the client. */
export function listKeyPackets(store: Store, at: number, client: number): KeyPacket[] {
  const words = store.connections.words;
  const list: KeyPacket[] = [];
  for (let key = words[at + KEYS]!; key !== 0; key = store.keys.words[key + KEY_LINK]!) {
    const side = store.keys.words[key + KEY_WHY]! >>> KEY_SIDE_SHIFT;
    const why = reasons(store, key) | (words[sideOf(at, side) + LAST_KEY] === key ? WHY_LAST : 0);
    const time = store.keys.doubles[(key + KEY_TIME) >> 1]!;
    const vantage = store.keys.words[key + KEY_VANTAGE]!;
    list.push(unpack(store.keys.words, key + KEY_PACKET, store.source, side === client, why, time, vantage));
  }
  for (let side = 0; side < 2; side++) {
    const mine = sideOf(at, side);
    if (words[mine + PACKETS] === 0 || words[mine + LAST_KEY] !== 0) continue;
    const time = store.connections.doubles[(mine + LAST_TIME) >> 1]!;
    const vantage = words[mine + HOME]!;
    list.push(unpack(words, mine + LAST_PACKET, store.source, side === client, WHY_LAST, time, vantage));
  }
  return list.sort((a, b) => a.frame - b.frame);
}

/** Nanoseconds from the last SYN to the first ACK after it that is none of the handshake's own; null without them. */
export function roundTrip(store: Store, at: number): number | null {
  const { words, doubles } = store.keys;
  let third: number | null = null;
  // From late to early.
  for (let key = store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
    const flags = words[key + KEY_PACKET + PACKED_FLAGS]!;
    const time = doubles[(key + KEY_TIME) >> 1]!;
    if (flags & SYN && !(flags & ACK)) return third === null || third <= time ? null : third - time;
    if (flags & ACK && !(flags & SYN)) third = time;
  }
  return null;
}

function reasons(store: Store, key: number): number {
  return (store.keys.words[key + KEY_WHY]! >> KEY_WHY_SHIFT) & KEY_WHY_MASK;
}

function unpack(
  words: Int32Array,
  from: number,
  source: number,
  byClient: boolean,
  why: number,
  time: number,
  vantage: number,
): KeyPacket {
  const flags = words[from + PACKED_FLAGS]!;
  const window = words[from + PACKED_WINDOW]!;
  const options = words[from + PACKED_OPTIONS]!;
  return {
    source,
    frame: words[from + PACKED_FRAME]!,
    time: time as SourceTime,
    side: (byClient ? 0 : 1) as SideIndex,
    vantage,
    why,
    flags: flags & 0x1ff,
    seq: words[from + PACKED_SEQ]!,
    ack: words[from + PACKED_ACK]!,
    payload: flags >>> 9,
    window: window & 0xffff,
    options: options & 0x3ff,
    tsVal: words[from + PACKED_TS_VAL]!,
    tsEcr: words[from + PACKED_TS_ECR]!,
    ttl: (options >> 10) & 0xff,
    ipId: window >>> 16,
  };
}

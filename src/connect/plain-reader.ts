/**
 * Records of plain connections, read one after the other through one object. They are gone through several times, each
 * time for other facts: texts and labels are made when they are asked for.
 */
import { addressKey, formatWords } from '../model/address.ts';
import type { KeyPacket, Pair, SideIndex } from '../model/connection.ts';
import { WHY_ACK_OF_FIN, WHY_FIN } from '../model/connection.ts';
import {
  ORDERLY,
  type PlainConnection,
  type PlainKind,
  type PlainLife,
  type PlainMoments,
  type ToldByStates,
} from '../model/plain.ts';
import { ACK, SYN } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import { closingTimes, listKeyPackets } from './key-packets.ts';
import { historyText } from './labels/history.ts';
import { connState } from './labels/zeek.ts';
import {
  ADDRESS,
  BITS,
  BYTES,
  CLIENT_BIT,
  COMPLETENESS_MASK,
  COMPLETENESS_SHIFT,
  ISN,
  KEY_LINK,
  KEY_PACKET,
  KEY_TIME,
  KEYS,
  LAST_TIME,
  PACKED_FLAGS,
  PACKETS,
  PATH,
  PORTS,
  RETRANSMITS,
  START,
  START_FRAME,
  SYN_ACKS,
  SYNS,
} from './layout.ts';
import { noMoments, readMoments } from './plain-moments.ts';
import { type Store, sideOf } from './store.ts';
import { ConnectionView, type Texts } from './view.ts';

/** Address texts that are kept: ends come again and again. */
const ADDRESSES = 1 << 12;

export class PlainReader implements PlainConnection {
  number = 0;
  kind: PlainKind = ORDERLY;
  source = 0;
  clientKey = 0;
  clientPort = 0;
  serverPort = 0;
  start = 0 as SourceTime;
  end = 0 as SourceTime;
  startFrame = 0;
  readonly packets: [number, number] = [0, 0];
  readonly bytes: [number, number] = [0, 0];
  readonly syns: [number, number] = [0, 0];
  readonly synAcks: [number, number] = [0, 0];
  readonly retransmits: [number, number] = [0, 0];
  readonly finTime = [0, 0] as [SourceTime, SourceTime];
  readonly finAckedTime = [0, 0] as [SourceTime, SourceTime];
  readonly lives: Pair<PlainLife | null> = [null, null];
  finWait2: ToldByStates = '';
  readonly #store: Store;
  readonly #texts: Texts;
  readonly #addresses = new Map<number, string>();
  readonly #closing = new Float64Array(4);
  readonly #moments = noMoments();
  #at = 0;
  #client: 0 | 1 = 0;

  constructor(store: Store, texts: Texts) {
    this.#store = store;
    this.#texts = texts;
  }

  /** Takes the record at `at`, which is of the given kind. */
  read(at: number, number: number, kind: PlainKind): this {
    const { words, doubles } = this.#store.connections;
    const bits = words[at + BITS]!;
    const client = bits & CLIENT_BIT ? 1 : 0;
    const ports = words[at + PORTS]!;
    const start = doubles[(at + START) >> 1]!;
    let end = start;
    this.#at = at;
    this.#client = client;
    this.number = number;
    this.kind = kind;
    this.source = this.#store.source;
    const from = at + ADDRESS + client * 4;
    this.clientKey = addressKey(words[from]!, words[from + 1]!, words[from + 2]!, words[from + 3]!);
    this.clientPort = client === 0 ? ports >>> 16 : ports & 0xffff;
    this.serverPort = client === 0 ? ports & 0xffff : ports >>> 16;
    this.startFrame = words[at + START_FRAME]!;
    for (let i = 0; i < 2; i++) {
      const side = i ^ client;
      const mine = sideOf(at, side);
      this.packets[i] = words[mine + PACKETS]!;
      this.bytes[i] = doubles[(mine + BYTES) >> 1]!;
      this.syns[i] = words[mine + SYNS]!;
      this.synAcks[i] = words[mine + SYN_ACKS]!;
      this.retransmits[i] = this.#store.troubled(at, side, RETRANSMITS);
      if (words[mine + PACKETS] !== 0) end = Math.max(end, doubles[(mine + LAST_TIME) >> 1]!);
    }
    if (kind === ORDERLY) {
      closingTimes(this.#store, at, this.#closing);
      for (let i = 0; i < 2; i++) {
        this.finTime[i] = this.#closing[i ^ client]! as SourceTime;
        this.finAckedTime[i] = this.#closing[2 + (i ^ client)]! as SourceTime;
      }
    }
    this.start = start as SourceTime;
    this.end = end as SourceTime;
    return this;
  }

  get clientAddress(): string {
    return this.#address(this.#client);
  }

  get serverAddress(): string {
    return this.#address(1 - this.#client);
  }

  get connState(): string {
    return connState(this.#store, this.#at);
  }

  get history(): string {
    return historyText(this.#store, this.#at);
  }

  get completeness(): number {
    return (this.#word(BITS) >> COMPLETENESS_SHIFT) & COMPLETENESS_MASK;
  }

  get encapsulation(): string {
    return this.#texts.encapsulations[this.#word(PATH) & 0xffff] ?? '';
  }

  /** The same for both directions, in 53 bits. */
  get tupleHash(): number {
    const { words } = this.#store.connections;
    const at = this.#at;
    const end = (from: number, port: number, seed: number) => {
      let hash = Math.imul(seed ^ port, 0x9e3779b1);
      for (let i = from; i < from + 4; i++) {
        hash = Math.imul(hash ^ words[i]!, 0x85ebca6b);
        hash ^= hash >>> 15;
      }
      return hash;
    };
    const ports = words[at + PORTS]!;
    const both = (seed: number) =>
      (end(at + ADDRESS, ports >>> 16, seed) + end(at + ADDRESS + 4, ports & 0xffff, seed)) >>> 0;
    return both(1) * 2 ** 21 + (both(2) >>> 11);
  }

  /** null without the client's SYN. */
  get clientIsn(): number | null {
    const mine = sideOf(this.#at, this.#client);
    const { words } = this.#store.connections;
    return words[mine + SYNS] === 0 ? null : words[mine + ISN]! >>> 0;
  }

  handshake(synAcks: { push(time: number): unknown }): number {
    const { words, doubles } = this.#store.keys;
    let answer = Number.NaN;
    let between = Number.NaN;
    // from late to early
    for (let key = this.#store.connections.words[this.#at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
      const flags = words[key + KEY_PACKET + PACKED_FLAGS]! & (SYN | ACK);
      if ((flags & SYN) === 0) continue;
      const time = doubles[(key + KEY_TIME) >> 1]!;
      if (flags === SYN) between = answer - time;
      else synAcks.push(time);
      answer = flags === SYN ? Number.NaN : time;
    }
    return between;
  }

  moments(first: SideIndex): PlainMoments {
    readMoments(this.#store, this.#at, this.#client, first, this.#moments);
    return this.#moments;
  }

  closing(): KeyPacket[] {
    return listKeyPackets(this.#store, this.#at, this.#client, WHY_FIN | WHY_ACK_OF_FIN);
  }

  /** The same as others are read; valid until the next one is read. */
  view(): ConnectionView {
    return new ConnectionView(this.#store, this.#at, this.#client, this.#texts);
  }

  #word(offset: number): number {
    return this.#store.connections.words[this.#at + offset]!;
  }

  #address(side: number): string {
    const { words } = this.#store.connections;
    const at = this.#at + ADDRESS + side * 4;
    const mapped = (words[at]! | words[at + 1]!) === 0 && words[at + 2] === 0xffff;
    if (!mapped) return formatWords(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
    const word = words[at + 3]!;
    let text = this.#addresses.get(word);
    if (text === undefined) {
      text = formatWords(0, 0, 0xffff, word);
      if (this.#addresses.size === ADDRESSES) this.#addresses.clear();
      this.#addresses.set(word, text);
    }
    return text;
  }
}

/**
 * The connections of a capture that has been read to its end, by the order of first sight: n from 0 on. Most are packed
 * away; one that is looked at is unpacked, and stays so until some others were.
 */
import type { Endpoint } from '../model/address.ts';
import type { WireConnection } from '../model/connection.ts';
import { getOr } from '../model/get-or.ts';
import { type Brief, ORDERLY, type Outcome } from '../model/outcome.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { type Columns, callsClient } from './columns.ts';
import { CONNECTION_STRIDE, KEY_LINK, KEY_PACKET, KEY_TIME, KEYS, PACKED_FLAGS, SERIAL } from './layout.ts';
import { outcomeOf } from './outcome.ts';
import type { Retirement } from './retire.ts';
import type { Store } from './store.ts';
import { ConnectionView, type Place, type Texts } from './view.ts';

/** Unpacked records at a time. */
const UNPACKED = 64;
/** Key packets of one at most (key-packets.ts keeps 48, and two that were set aside). */
const KEYS_OF_ONE = 56;

export class Records {
  readonly #store: Store;
  readonly #retired: Retirement | null;
  readonly #columns: Columns;
  readonly #texts: Texts;
  readonly #clientOf: (words: Int32Array, at: number) => number;
  readonly #serials: Int32Array;
  /** Where records stand, by serial number: negative without their key packets, 0 for those packed away. */
  readonly #places: Int32Array;
  /** Serial numbers of those that were unpacked last. */
  readonly #unpacked = new Int32Array(UNPACKED);
  #oldest = 0;

  /** `last`: the highest serial number. */
  constructor(
    store: Store,
    retired: Retirement | null,
    columns: Columns,
    texts: Texts,
    clientOf: (words: Int32Array, at: number) => number,
    last: number,
  ) {
    this.#store = store;
    this.#retired = retired;
    this.#columns = columns;
    this.#texts = texts;
    this.#clientOf = clientOf;
    this.#places = new Int32Array(last + 1);
    // views read arrays that must not be replaced meanwhile
    const packed = retired?.count ?? 0;
    const room = packed === 0 ? 0 : Math.min(UNPACKED, packed) + 1;
    store.connections.fit(room);
    store.troubles.fit(room);
    store.keys.fit(room * KEYS_OF_ONE);
    const { words, end } = store.connections;
    for (let at = CONNECTION_STRIDE; at < end; at += CONNECTION_STRIDE) {
      const serial = words[at + SERIAL]!;
      // 0 in slots that are free
      if (serial === 0) continue;
      this.#places[serial] = at;
      columns.put(store, at, serial, clientOf(words, at));
    }
    const serials = new Int32Array(last);
    let count = 0;
    for (let serial = 1; serial <= last; serial++) {
      if (this.#places[serial] !== 0 || retired?.has(serial)) serials[count++] = serial;
    }
    this.#serials = serials.subarray(0, count);
  }

  /** Source.id */
  get source(): number {
    return this.#store.source;
  }

  get count(): number {
    return this.#serials.length;
  }

  outcome(n: number): Outcome {
    const serial = this.#serials[n]!;
    if (this.#retired?.has(serial)) return this.#retired.outcome(serial);
    return outcomeOf(this.#store, this.#places[serial]!);
  }

  /** Times of the first packet of all and of the last. */
  get span(): [number, number] {
    return [this.#columns.first, this.#columns.last];
  }

  /** Stays valid: it is unpacked again when need be. */
  view(n: number): WireConnection {
    const serial = this.#serials[n]!;
    return new ConnectionView(
      this.#store,
      new Unpacked(this, serial),
      this.#columns.client(serial),
      this.#texts,
    );
  }

  brief(n: number, out: Brief): void {
    this.#columns.brief(this.#serials[n]!, out);
  }

  /** Address (see addressKey) and port of the server's end. */
  server(n: number): [key: number, port: number] {
    const serial = this.#serials[n]!;
    const side = 1 - this.#columns.client(serial);
    return [this.#columns.key(serial, side), this.#columns.port(serial, side)];
  }

  /** Nothing in the packets tells the client from the server; Zeek's originator is what Zeek calls so. */
  isGuess(n: number): boolean {
    return this.#clientOf === callsClient && this.#columns.isGuess(this.#serials[n]!);
  }

  /** Ports of the client's end and of the server's. */
  ports(n: number): [number, number] {
    const serial = this.#serials[n]!;
    const client = this.#columns.client(serial);
    return [this.#columns.port(serial, client), this.#columns.port(serial, 1 - client)];
  }

  /** Calls the other side the client. */
  turn(n: number): void {
    this.#columns.turn(this.#serials[n]!);
  }

  /** Times of its SYN-ACKs that were kept. */
  synAcks(n: number, take: (time: number) => void): void {
    const at = this.place(this.#serials[n]!, true);
    const { words, doubles } = this.#store.keys;
    for (let key = this.#store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
      const flags = words[key + KEY_PACKET + PACKED_FLAGS]!;
      if ((flags & (SYN | ACK)) === (SYN | ACK)) take(doubles[(key + KEY_TIME) >> 1]!);
    }
  }

  /** Offset of a record, which is unpacked when need be; `keyed`: with its key packets, and the last ones of its sides. */
  place(serial: number, keyed: boolean): number {
    const at = this.#places[serial]!;
    if (at > 0 || (at < 0 && !keyed)) return Math.abs(at);
    if (at < 0) this.#store.release(-at);
    else this.#letGo(serial);
    // of others the key packets, which are few, are wanted as soon as the record is
    const withKeys = keyed || this.#retired!.outcome(serial) !== ORDERLY;
    const place = this.#retired!.read(serial, withKeys);
    this.#places[serial] = withKeys ? place : -place;
    return place;
  }

  /** Makes room for one: of those unpacked the one goes for which that was longest ago. */
  #letGo(next: number): void {
    const old = this.#unpacked[this.#oldest]!;
    if (old !== 0) {
      this.#store.release(Math.abs(this.#places[old]!));
      this.#places[old] = 0;
    }
    this.#unpacked[this.#oldest] = next;
    this.#oldest = (this.#oldest + 1) % UNPACKED;
  }
}

/** Where a record stands that is packed away. */
class Unpacked implements Place {
  readonly #records: Records;
  readonly #serial: number;

  constructor(records: Records, serial: number) {
    this.#records = records;
    this.#serial = serial;
  }

  get at(): number {
    return this.#records.place(this.#serial, false);
  }

  get keyed(): number {
    return this.#records.place(this.#serial, true);
  }
}

/** Numbers for ends, in the order in which they are first given. */
export class EndNumbers {
  readonly ends: Endpoint[] = [];
  readonly #byPort = new Map<number, Map<number, number>>();

  /** `key`: of its address, see addressKey. */
  number(key: number, port: number, end: () => Endpoint): number {
    const own = getOr(this.#byPort, port, () => new Map<number, number>());
    return getOr(own, key, () => this.ends.push(end()) - 1);
  }
}

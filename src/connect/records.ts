/**
 * The connections of a capture that has been read to its end, by the order of first sight: n from 0 on. Most are packed
 * away; one that is looked at is unpacked, and stays so until some others were.
 */
import { addressKey, type Endpoint, formatWords } from '../model/address.ts';
import type { SideIndex, WireConnection } from '../model/connection.ts';
import type { Brief, Outcome } from '../model/outcome.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { closingTimes } from './key-packets.ts';
import {
  ADDRESS,
  BITS,
  BYTES,
  CLIENT_BIT,
  CONNECTION_STRIDE,
  FIRST_FIN_MASK,
  FIRST_FIN_SHIFT,
  KEY_LINK,
  KEY_PACKET,
  KEY_TIME,
  KEYS,
  LAST_TIME,
  ORIENTATION_MASK,
  PACKED_FLAGS,
  PACKETS,
  PORTS,
  SERIAL,
  START,
} from './layout.ts';
import { outcomeOf } from './outcome.ts';
import type { Retirement } from './retire.ts';
import { type Store, sideOf } from './store.ts';
import { ConnectionView, type Texts } from './view.ts';

/** Unpacked records at a time. */
const UNPACKED = 64;
/** Key packets of one at most (key-packets.ts keeps 48, and two that were set aside). */
const KEYS_OF_ONE = 56;

/** The side that is called the client. */
export function callsClient(words: Int32Array, at: number): number {
  return words[at + BITS]! & CLIENT_BIT ? 1 : 0;
}

/** The side whose FIN came first, of a connection that closed in good order. */
function firstFinOf(words: Int32Array, at: number): number {
  return ((words[at + BITS]! >> FIRST_FIN_SHIFT) & FIRST_FIN_MASK) - 1;
}

export class Records {
  readonly #store: Store;
  readonly #retired: Retirement | null;
  readonly #texts: Texts;
  readonly #clientOf: (words: Int32Array, at: number) => number;
  readonly #serials: Int32Array;
  /** Where records stand, by serial number; 0 for those packed away. */
  readonly #places: Int32Array;
  /** Serial numbers of those that were unpacked last. */
  readonly #unpacked = new Int32Array(UNPACKED);
  readonly #times = new Float64Array(4);
  /** 1: the other side is called the client. */
  readonly #turned: Uint8Array;
  #oldest = 0;

  /** `last`: the highest serial number. */
  constructor(
    store: Store,
    retired: Retirement | null,
    texts: Texts,
    clientOf: (words: Int32Array, at: number) => number,
    last: number,
  ) {
    this.#store = store;
    this.#retired = retired;
    this.#texts = texts;
    this.#clientOf = clientOf;
    this.#places = new Int32Array(last + 1);
    // views read arrays that must not be replaced meanwhile
    const packed = retired?.count ?? 0;
    const room = packed === 0 ? 0 : Math.min(UNPACKED, packed) + 1;
    store.connections.reserve(room);
    store.troubles.reserve(room);
    store.keys.reserve(room * KEYS_OF_ONE);
    const { words, end } = store.connections;
    for (let at = CONNECTION_STRIDE; at < end; at += CONNECTION_STRIDE)
      this.#places[words[at + SERIAL]!] = at;
    // of slots that are free
    this.#places[0] = 0;
    const serials = new Int32Array(last);
    let count = 0;
    for (let serial = 1; serial <= last; serial++) {
      if (this.#places[serial] !== 0 || (retired !== null && retired.outcome(serial) !== 0))
        serials[count++] = serial;
    }
    this.#serials = serials.subarray(0, count);
    this.#turned = new Uint8Array(count);
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
    const packed = this.#retired?.outcome(serial) ?? 0;
    return packed !== 0 ? packed : outcomeOf(this.#store, this.#places[serial]!);
  }

  /** Stays valid: it is unpacked again when need be. */
  view(n: number): WireConnection {
    const serial = this.#serials[n]!;
    const { words } = this.#store.connections;
    const client = this.#client(n, words, this.#place(serial));
    const place = (asked: number) => this.#place(asked);
    const at = {
      get at() {
        return place(serial);
      },
    };
    return new ConnectionView(this.#store, at, client, this.#texts);
  }

  brief(n: number, out: Brief): void {
    const at = this.#place(this.#serials[n]!);
    const { words, doubles } = this.#store.connections;
    const client = this.#client(n, words, at);
    const from = at + ADDRESS + client * 4;
    const times = this.#times;
    const ports = words[at + PORTS]!;
    closingTimes(this.#store, at, times);
    out.clientKey = addressKey(words[from]!, words[from + 1]!, words[from + 2]!, words[from + 3]!);
    out.clientPort = client === 0 ? ports >>> 16 : ports & 0xffff;
    out.firstFin = firstFinOf(words, at) === client ? 0 : 1;
    out.start = doubles[(at + START) >> 1]!;
    out.end = out.start;
    for (const i of [0, 1] as const) {
      const side = i ^ client;
      const mine = sideOf(at, side);
      out.bytes[i] = doubles[(mine + BYTES) >> 1]!;
      out.fin[i] = times[side]!;
      out.finAcked[i] = times[2 + side]!;
      if (words[mine + PACKETS] !== 0) out.end = Math.max(out.end, doubles[(mine + LAST_TIME) >> 1]!);
    }
  }

  /** A number for the server's end, the same for the same end; given as four words and a port. */
  server(
    n: number,
    number: (w0: number, w1: number, w2: number, w3: number, port: number) => number,
  ): number {
    const at = this.#place(this.#serials[n]!);
    const { words } = this.#store.connections;
    const side = 1 - this.#client(n, words, at);
    const from = at + ADDRESS + side * 4;
    const ports = words[at + PORTS]!;
    const port = side === 0 ? ports >>> 16 : ports & 0xffff;
    return number(words[from]!, words[from + 1]!, words[from + 2]!, words[from + 3]!, port);
  }

  /** Nothing in the packets tells the client from the server; Zeek's originator is what Zeek calls so. */
  isGuess(n: number): boolean {
    const at = this.#place(this.#serials[n]!);
    return (
      this.#clientOf === callsClient && (this.#store.connections.words[at + BITS]! & ORIENTATION_MASK) === 0
    );
  }

  /** Ports of the client's end and of the server's. */
  ports(n: number): [number, number] {
    const at = this.#place(this.#serials[n]!);
    const { words } = this.#store.connections;
    const [one, two] = [words[at + PORTS]! >>> 16, words[at + PORTS]! & 0xffff];
    return this.#client(n, words, at) === 0 ? [one, two] : [two, one];
  }

  /** Calls the other side the client. */
  turn(n: number): void {
    this.#turned[n]! ^= 1;
  }

  #client(n: number, words: Int32Array, at: number): SideIndex {
    return (this.#clientOf(words, at) ^ this.#turned[n]!) as SideIndex;
  }

  /** Times of its SYN-ACKs that were kept. */
  synAcks(n: number, take: (time: number) => void): void {
    const at = this.#place(this.#serials[n]!);
    const { words, doubles } = this.#store.keys;
    for (let key = this.#store.connections.words[at + KEYS]!; key !== 0; key = words[key + KEY_LINK]!) {
      const flags = words[key + KEY_PACKET + PACKED_FLAGS]!;
      if ((flags & (SYN | ACK)) === (SYN | ACK)) take(doubles[(key + KEY_TIME) >> 1]!);
    }
  }

  /** Offset of a record, which is unpacked when need be. */
  #place(serial: number): number {
    const at = this.#places[serial]!;
    if (at !== 0) return at;
    const old = this.#unpacked[this.#oldest]!;
    if (old !== 0) {
      this.#store.release(this.#places[old]!);
      this.#places[old] = 0;
    }
    const place = this.#retired!.read(serial);
    this.#places[serial] = place;
    this.#unpacked[this.#oldest] = serial;
    this.#oldest = (this.#oldest + 1) % UNPACKED;
    return place;
  }
}

/** Numbers for ends, in the order in which they are first given. */
export class EndNumbers {
  readonly ends: Endpoint[] = [];
  readonly #byPort = new Map<number, Map<number | string, number>>();

  readonly number = (w0: number, w1: number, w2: number, w3: number, port: number): number => {
    const address = (w0 | w1) === 0 && w2 === 0xffff ? w3 : `${w0} ${w1} ${w2} ${w3}`;
    let own = this.#byPort.get(port);
    if (!own) {
      own = new Map();
      this.#byPort.set(port, own);
    }
    let number = own.get(address);
    if (number === undefined) {
      number = this.ends.push({ address: formatWords(w0, w1, w2, w3), port }) - 1;
      own.set(address, number);
    }
    return number;
  };
}

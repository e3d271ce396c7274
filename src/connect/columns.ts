/**
 * What passes over all connections of a capture ask, in flat columns by serial number: written when a record is packed
 * away, or when the capture has been read to its end. So no such pass unpacks a record.
 */
import { addressKey } from '../model/address.ts';
import type { SideIndex } from '../model/connection.ts';
import type { Brief } from '../model/outcome.ts';
import {
  ACK_SEEN,
  ACKED,
  ADDRESS,
  BITS,
  BYTES,
  CLIENT_BIT,
  FIN_ACKED_AT,
  FIN_AT,
  FINS,
  FIRST_FIN_MASK,
  FIRST_FIN_SHIFT,
  ISN,
  LAST_TIME,
  ORIENTATION_MASK,
  PACKETS,
  PORTS,
  SIDE_BITS,
  STACK_SHIFT,
  START,
  SYN_ACKS,
  SYNS,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/** Bits of #bits: which side is the client, and whether by a guess; whose FIN was first (as in BITS); each side's stack; a SYN-ACK; data. */
const CLIENT = 1;
const GUESS = 2;
const FIRST_FIN = 2;
const STACK = 4;
const ANSWERED = 256;
/** Of side 0; of side 1 the next bit. */
const PAYLOAD = 512;
const FEWEST = 16;

export interface ColumnsState {
  starts: Float64Array<ArrayBuffer>;
  keys: Float64Array<ArrayBuffer>;
  finWait2s: Float64Array<ArrayBuffer>;
  ports: Int32Array<ArrayBuffer>;
  bits: Uint16Array<ArrayBuffer>;
  first: number;
  last: number;
}

export class Columns {
  #starts = new Float64Array(FEWEST);
  /** Two of each: the addresses of side 0 and side 1, see addressKey. */
  #keys = new Float64Array(2 * FEWEST);
  /** From the ACK of the first FIN to the other FIN, ns; NaN for none. */
  #finWait2s = new Float64Array(FEWEST);
  #ports = new Int32Array(FEWEST);
  #bits = new Uint16Array(FEWEST);
  /** Time of the first packet of all, and of the last. */
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;

  state(): ColumnsState {
    return {
      starts: this.#starts,
      keys: this.#keys,
      finWait2s: this.#finWait2s,
      ports: this.#ports,
      bits: this.#bits,
      first: this.first,
      last: this.last,
    };
  }

  copy(): ColumnsState {
    const { starts, keys, finWait2s, ports, bits, first, last } = this.state();
    const flat = { starts: starts.slice(), keys: keys.slice(), finWait2s: finWait2s.slice() };
    return { ...flat, ports: ports.slice(), bits: bits.slice(), first, last };
  }

  adopt({ starts, keys, finWait2s, ports, bits, first, last }: ColumnsState): void {
    this.#starts = starts;
    this.#keys = keys;
    this.#finWait2s = finWait2s;
    this.#ports = ports;
    this.#bits = bits;
    this.first = first;
    this.last = last;
  }

  /** Takes what the record at `at` says; `client`: the side that is called so. */
  put(store: Store, at: number, serial: number, client: number): void {
    if (serial >= this.#starts.length) this.#grow(serial);
    const { words, doubles } = store.connections;
    const start = doubles[(at + START) >> 1]!;
    this.#starts[serial] = start;
    this.#ports[serial] = words[at + PORTS]!;
    const firstFin = (words[at + BITS]! >> FIRST_FIN_SHIFT) & FIRST_FIN_MASK;
    let bits = client | (firstFin << FIRST_FIN);
    if ((words[at + BITS]! & ORIENTATION_MASK) === 0) bits |= GUESS;
    if (start < this.first) this.first = start;
    if (start > this.last) this.last = start;
    for (let side = 0; side < 2; side++) {
      const from = at + ADDRESS + side * 4;
      this.#keys[2 * serial + side] = addressKey(
        words[from]!,
        words[from + 1]!,
        words[from + 2]!,
        words[from + 3]!,
      );
      const mine = sideOf(at, side);
      bits |= (words[mine + SIDE_BITS]! >>> STACK_SHIFT) << (STACK + 2 * side);
      if (words[mine + SYN_ACKS] !== 0) bits |= ANSWERED;
      if (hasSent(words, doubles, mine, sideOf(at, 1 - side))) bits |= PAYLOAD << side;
      const last = doubles[(mine + LAST_TIME) >> 1]!;
      if (words[mine + PACKETS] !== 0 && last > this.last) this.last = last;
    }
    this.#bits[serial] = bits;
    this.#finWait2s[serial] = finWait2(doubles, sideOf(at, client), sideOf(at, 1 - client));
  }

  client(serial: number): SideIndex {
    return (this.#bits[serial]! & CLIENT) as SideIndex;
  }

  /** Nothing tells the client from the server. */
  isGuess(serial: number): boolean {
    return (this.#bits[serial]! & GUESS) !== 0;
  }

  /** Calls the other side the client. */
  turn(serial: number): void {
    this.#bits[serial]! ^= CLIENT;
  }

  port(serial: number, side: number): number {
    return side === 0 ? this.#ports[serial]! >>> 16 : this.#ports[serial]! & 0xffff;
  }

  /** See addressKey. */
  key(serial: number, side: number): number {
    return this.#keys[2 * serial + side]!;
  }

  brief(serial: number, out: Brief): void {
    const bits = this.#bits[serial]!;
    const client = bits & CLIENT;
    const first = (bits >> FIRST_FIN) & FIRST_FIN_MASK;
    out.keys[0] = this.#keys[2 * serial + client]!;
    out.keys[1] = this.#keys[2 * serial + 1 - client]!;
    out.stacks[0] = (bits >> (STACK + 2 * client)) & 3;
    out.stacks[1] = (bits >> (STACK + 2 * (1 - client))) & 3;
    out.start = this.#starts[serial]!;
    out.answered = (bits & ANSWERED) !== 0;
    out.payload[0] = (bits & (PAYLOAD << client)) !== 0;
    out.payload[1] = (bits & (PAYLOAD << (1 - client))) !== 0;
    out.finWait2 = this.#finWait2s[serial]!;
    out.firstFin = first - 1 === client ? 0 : 1;
  }

  #grow(serial: number): void {
    let { length } = this.#starts;
    while (length <= serial) length += length >> 1;
    const larger = <T extends Float64Array | Int32Array | Uint16Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#starts = larger(new Float64Array(length), this.#starts);
    this.#keys = larger(new Float64Array(2 * length), this.#keys);
    this.#finWait2s = larger(new Float64Array(length), this.#finWait2s);
    this.#ports = larger(new Int32Array(length), this.#ports);
    this.#bits = larger(new Uint16Array(length), this.#bits);
  }
}

/** The side that is called the client. */
export function callsClient(words: Int32Array, at: number): number {
  return words[at + BITS]! & CLIENT_BIT ? 1 : 0;
}

/** Data, seen or acknowledged beyond its SYN and FIN. */
function hasSent(words: Int32Array, doubles: Float64Array, mine: number, peers: number): boolean {
  if (doubles[(mine + BYTES) >> 1]! > 0) return true;
  if (words[mine + SYNS]! + words[mine + SYN_ACKS]! === 0 || !(words[peers + SIDE_BITS]! & ACK_SEEN))
    return false;
  return ((words[peers + ACKED]! - words[mine + ISN]!) | 0) - 1 > Math.min(words[mine + FINS]!, 1);
}

/** What a side had to wait from the ACK of its FIN to the other's FIN; NaN without. */
function finWait2(doubles: Float64Array, client: number, server: number): number {
  const ofClient = doubles[(server + FIN_AT) >> 1]! - doubles[(client + FIN_ACKED_AT) >> 1]!;
  if (ofClient >= 0) return ofClient;
  const ofServer = doubles[(client + FIN_AT) >> 1]! - doubles[(server + FIN_ACKED_AT) >> 1]!;
  return ofServer >= 0 ? ofServer : Number.NaN;
}

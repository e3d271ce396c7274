/**
 * Plain connections of one capture that logs of states tell of as well: joined by 4-tuple and time without making objects
 * that stay. Only where nothing is left to decide: the tuple has one record, and of either end one whole life or none.
 */

import type { LifeCursor } from '../connect/life-cursor.ts';
import type { FinishedLives } from '../connect/lives.ts';
import type { PlainReader } from '../connect/plain-reader.ts';
import type { Records } from '../connect/records.ts';
import { isLoopback } from '../model/address.ts';
import type { Timeline } from '../model/case.ts';
import {
  CLIENT,
  type Pair,
  SERVER,
  type SideIndex,
  type SocketLife,
  type WireConnection,
} from '../model/connection.ts';
import { ORDERLY, type PlainConnection, type PlainConnections, type ToldByStates } from '../model/plain.ts';
import type { SourceTime } from '../model/time.ts';
import { placeOf, SLACK } from './cases.ts';
import { Tuples } from './numbered-tuples.ts';

/** What the states add to an orderly connection; null when it is more than a record can tell. */
export type Told = (c: PlainConnection) => ToldByStates | null;

export interface PlainPieces {
  records: Records;
  lives: readonly FinishedLives[];
  timeline: Timeline;
  told: Told;
  /** So many of those that are alike are told as cases. */
  shown: number;
}

export interface JoinedPlain {
  /** What is not plain. */
  wires: WireConnection[];
  lives: SocketLife[];
  /** Where the plain ones were first seen (see placeOf), ascending. */
  places: Float64Array;
  /** The plain ones, once it is known which numbers of ids cases have. */
  numbered(taken: ReadonlySet<number>): PlainConnections;
}

const KINDS: readonly ToldByStates[] = ['', 'fin-with-ack', 'fin-wait2-in-minisock'];
/** Without any states. */
const WIRE_ONLY = KINDS.length;
const NONE = -1;
const SPOILED = -2;

export function joinPlain(pieces: PlainPieces): JoinedPlain {
  return new PlainJoin(pieces).join();
}

class PlainJoin {
  readonly #records: Records;
  readonly #sources: readonly FinishedLives[];
  readonly #timeline: Timeline;
  readonly #told: Told;
  readonly #shown: number;
  /** Lives are numbered through all sources: this is the first number of each. */
  readonly #firsts: number[] = [];
  /** Readers of each source's lives, for either side of a connection. */
  readonly #cursors: Pair<LifeCursor>[] = [];
  readonly #tuples = new Tuples();
  /** By tuple: its lives. NONE for none, SPOILED where that is not all. */
  readonly #one: number[] = [];
  readonly #other: number[] = [];
  /** Of the plain ones: serial number, lives, what is told, place. */
  readonly #serials: number[] = [];
  readonly #lives: [number[], number[]] = [[], []];
  readonly #kinds: number[] = [];
  readonly #places: number[] = [];

  constructor({ records, lives, timeline, told, shown }: PlainPieces) {
    this.#records = records;
    this.#sources = lives;
    this.#timeline = timeline;
    this.#told = told;
    this.#shown = shown;
    let next = 0;
    for (const own of lives) {
      this.#firsts.push(next);
      this.#cursors.push([own.orderly.cursor(), own.orderly.cursor()]);
      next += own.orderly.end;
    }
  }

  join(): JoinedPlain {
    this.#indexLives();
    const apart: number[] = [];
    for (const serial of this.#records.serials()) if (!this.#isPlain(serial)) apart.push(serial);
    const order = this.#inOrder(apart);
    const own = new Uint8Array(this.#firsts.at(-1)! + this.#sources.at(-1)!.orderly.end);
    for (const i of order) for (const of of this.#lives) if (of[i] !== NONE) own[of[i]!] = 1;
    const lives = this.#sources.flatMap((s, k) => [...s.each((n) => own[this.#firsts[k]! + n] === 0)]);
    return {
      wires: apart.sort((a, b) => a - b).map((serial) => this.#records.view(serial)),
      lives,
      places: Float64Array.from(order, (i) => this.#places[i]!),
      numbered: (taken) => this.#connections(order, numbersBut(taken, order.length), own),
    };
  }

  #indexLives(): void {
    for (const [k, own] of this.#sources.entries()) {
      const { orderly } = own;
      const known: number[] = [];
      const address = (n: number) => (known[n] ??= this.#tuples.address(orderly.text(n)));
      for (let n = 0; n < orderly.end; n++) {
        if (!orderly.isWhole(n)) continue;
        const [localPort, remotePort] = [orderly.localPort(n), orderly.remotePort(n)];
        if (localPort === 0 || remotePort === 0) continue;
        const local = this.#tuples.end(address(orderly.local(n)), localPort);
        const remote = this.#tuples.end(address(orderly.remote(n)), remotePort);
        this.#addLife(this.#tuples.of(local, remote), this.#firsts[k]! + n);
      }
      for (const { role, local, remote } of own.each(() => false)) {
        if (role !== 'listener' && local.port !== 0 && remote.port !== 0)
          this.#one[this.#tuples.named(local.address, local.port, remote.address, remote.port)] = SPOILED;
      }
    }
  }

  #addLife(tuple: number, life: number): void {
    if (this.#one[tuple] === undefined) this.#one[tuple] = life;
    else if (this.#other[tuple] === undefined) this.#other[tuple] = life;
    else this.#one[tuple] = SPOILED;
  }

  /** Takes note of the connection when it is plain. */
  #isPlain(serial: number): boolean {
    if (this.#records.kind(serial) !== ORDERLY) return false;
    const c = this.#records.read(serial, 0);
    if (isLoopback(c.clientAddress) && isLoopback(c.serverAddress)) return false;
    const tuple = this.#tuples.named(c.clientAddress, c.clientPort, c.serverAddress, c.serverPort);
    const numbers = [this.#one[tuple] ?? NONE, this.#other[tuple] ?? NONE];
    if (numbers[0] === SPOILED) return false;
    const ofSide: Pair<number> = [NONE, NONE];
    for (const number of numbers) {
      if (number === NONE) continue;
      const life = this.#cursor(number, CLIENT);
      const isClient = life.localPort === c.clientPort && life.localAddress === c.clientAddress;
      const side = isClient ? CLIENT : SERVER;
      if (ofSide[side] !== NONE) return false;
      ofSide[side] = number;
    }
    const alone = numbers[0] === NONE;
    this.#open(c, ofSide);
    const told = alone ? '' : this.#told(c);
    if (told === null || !(alone || this.#isOneTime(c))) return false;
    this.#serials.push(serial);
    this.#lives[CLIENT].push(ofSide[CLIENT]);
    this.#lives[SERVER].push(ofSide[SERVER]);
    this.#kinds.push(alone ? WIRE_ONLY : KINDS.indexOf(told));
    let place = placeOf(c.source, c.startFrame);
    for (const life of c.lives) if (life) place = Math.min(place, placeOf(life.source, life.line(0)));
    this.#places.push(place);
    return true;
  }

  /** None begins long after the others have ended: then it would be another use of the tuple (see inClusters). */
  #isOneTime(c: PlainConnection): boolean {
    const timeline = this.#timeline;
    const spans: { from: number; to: number }[] = [];
    const add = (source: number, first: SourceTime | null, last: SourceTime | null) => {
      const [from, to] = [timeline.at(source, first), timeline.at(source, last)];
      if (from !== null && to !== null && timeline.comparable(source, c.source)) spans.push({ from, to });
    };
    add(c.source, c.start, c.end);
    for (const life of c.lives) if (life) add(life.source, life.time(0), life.time(life.states.length - 2));
    spans.sort((a, b) => a.from - b.from);
    let end = Number.POSITIVE_INFINITY;
    for (const [i, { from, to }] of spans.entries()) {
      if (i > 0 && from > end + SLACK) return false;
      end = i === 0 ? to : Math.max(end, to);
    }
    return true;
  }

  /** Gives the connection its lives to read. */
  #open(c: PlainReader, [client, server]: Readonly<Pair<number>>): void {
    c.lives[CLIENT] = client === NONE ? null : this.#cursor(client, CLIENT);
    c.lives[SERVER] = server === NONE ? null : this.#cursor(server, SERVER);
  }

  #cursor(number: number, side: SideIndex): LifeCursor {
    const k = this.#sourceOf(number);
    return this.#cursors[k]![side].open(number - this.#firsts[k]!);
  }

  #life(number: number): SocketLife {
    const k = this.#sourceOf(number);
    return this.#sources[k]!.read(number - this.#firsts[k]!);
  }

  #sourceOf(number: number): number {
    let k = this.#firsts.length - 1;
    while (this.#firsts[k]! > number) k--;
    return k;
  }

  /** The plain ones in the order of first sight; the first of each kind go to those apart. */
  #inOrder(apart: number[]): number[] {
    const order = Int32Array.from(this.#serials, (_, i) => i);
    order.sort((a, b) => this.#places[a]! - this.#places[b]!);
    const seen = new Array<number>(WIRE_ONLY + 1).fill(0);
    const plain: number[] = [];
    for (const i of order) {
      if (seen[this.#kinds[i]!]!++ < this.#shown) apart.push(this.#serials[i]!);
      else plain.push(i);
    }
    return plain;
  }

  #connections(order: readonly number[], numbers: Int32Array, own: Uint8Array): PlainConnections {
    let bySocket: ReadonlyMap<string, number[]>[] | null = null;
    return {
      count: order.length,
      each: () => this.#each(order, numbers),
      nextAtAddress: (life) => {
        const k = this.#sources.findIndex((s) => s.source === life.source);
        bySocket ??= this.#sources.map((_, i) => this.#bySocket(i, own));
        const after = (n: number) => this.#line(n) > life.transitions[0]!.line;
        const next = bySocket[k]?.get(life.socket)?.find(after);
        return next === undefined ? null : this.#life(next);
      },
    };
  }

  /** Lives of plain connections in a source by kernel address, in the order in which they began. */
  #bySocket(k: number, own: Uint8Array): Map<string, number[]> {
    const found = new Map<string, number[]>();
    const { orderly } = this.#sources[k]!;
    for (let n = 0; n < orderly.end; n++) {
      const number = this.#firsts[k]! + n;
      if (own[number] === 0) continue;
      const socket = orderly.text(orderly.socket(n));
      const known = found.get(socket);
      if (known) known.push(number);
      else found.set(socket, [number]);
    }
    for (const list of found.values()) list.sort((a, b) => this.#line(a) - this.#line(b));
    return found;
  }

  #line(number: number): number {
    const k = this.#sourceOf(number);
    return this.#sources[k]!.orderly.firstLine(number - this.#firsts[k]!);
  }

  *#each(order: readonly number[], numbers: Int32Array): Iterable<PlainConnection> {
    for (const [k, i] of order.entries()) {
      const c = this.#records.read(this.#serials[i]!, numbers[k]!);
      const kind = this.#kinds[i]!;
      this.#open(c, [this.#lives[CLIENT][i]!, this.#lives[SERVER][i]!]);
      c.finWait2 = kind === WIRE_ONLY ? '' : KINDS[kind]!;
      yield c;
    }
  }
}

/** The first so many numbers from 1 on that are not taken. */
export function numbersBut(taken: ReadonlySet<number>, count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0, number = 1; i < count; number++) if (!taken.has(number)) numbers[i++] = number;
  return numbers;
}

/**
 * Lives of sockets that closed by the book, as numbers: a busy server has hundreds of thousands, and one as objects takes
 * a kilobyte. They are made again, one by one, where something reads them.
 */
import { type Endpoint, isWildcard } from '../model/address.ts';
import type { SocketLife, Transition } from '../model/connection.ts';
import type { StateEvent } from '../model/event.ts';
import type { SourceTime } from '../model/time.ts';
import {
  COUNT,
  LOCAL,
  NONE,
  PATH,
  PATHS,
  type Path,
  PORTS,
  placeOf,
  REMOTE,
  SOCKET,
  STEP,
  STEP_WORDS,
  STEPS,
  STRIDE,
  TIME,
} from './orderly-layout.ts';
import { Rows } from './rows.ts';

/** Which of the orderly ways a life went, every state of it once and nothing lost; -1 for none. */
export function orderlyStates({ transitions, missing }: SocketLife): number {
  if (transitions.length !== STEPS || missing.length > 0) return -1;
  return PATHS.findIndex((path) => transitions.every((t, i) => t.from === path[i] && t.to === path[i + 1]));
}

/** Paths are in pairs that part here: who closes first, who closes second. */
const PARTING = 2;

/**
 * Those of one source, numbered from 0. They are put together step by step, as long as the lines of a socket come in order
 * and each leads from the state that the one before led to.
 */
export class OrderlyLives {
  /** Source.id */
  readonly source: number;
  readonly #rows = new Rows(STRIDE);
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  #latest = 0;
  #before = 0;

  constructor(source: number) {
    this.source = source;
  }

  /** One more than the highest number; `isWhole` tells which are taken. */
  get end(): number {
    return this.#rows.end / STRIDE - 1;
  }

  isWhole(index: number): boolean {
    return this.#rows.words[placeOf(index) + COUNT] === STEPS;
  }

  /** Whether the event begins a life that may become an orderly one. */
  begins({ from, to, fields }: StateEvent): boolean {
    return fields === undefined && PATHS.some((path) => path[0] === from && path[1] === to);
  }

  /** Begins a life; its number. `socket`: number of its kernel address, see `named`. */
  begin(event: StateEvent, socket: number): number {
    const at = this.#rows.allocate();
    const { words } = this.#rows;
    words[at + PATH] = PATHS.findIndex((path) => path[0] === event.from && path[1] === event.to);
    words[at + SOCKET] = socket;
    this.#adopt(at, event.local, event.remote);
    this.#write(at, event);
    return at / STRIDE - 1;
  }

  /** Whether the event is the next step of a life that has begun. */
  follows(index: number, { from, to, local, remote, fields }: StateEvent): boolean {
    const at = placeOf(index);
    const { words } = this.#rows;
    const count = words[at + COUNT]!;
    const path = PATHS[words[at + PATH]!]!;
    if (path[count] !== from || fields !== undefined) return false;
    if (path[count + 1] !== to && (count !== PARTING || PATHS[words[at + PATH]! + 1]![count + 1] !== to))
      return false;
    const ports = words[at + PORTS]!;
    return (
      !areApart(ports & 0xffff, remote.port) &&
      // the local port in the first line of a client may be that of the socket's life before (G8)
      ((count === 1 && path[1] === 'SYN_SENT') || !areApart(ports >>> 16, local.port))
    );
  }

  /** Takes the next step; true when it was the last one. */
  append(index: number, event: StateEvent): boolean {
    const at = placeOf(index);
    const { words } = this.#rows;
    const count = words[at + COUNT]!;
    if (count === PARTING && PATHS[words[at + PATH]!]![count + 1] !== event.to) words[at + PATH]!++;
    const ports = words[at + PORTS]!;
    const isComplete =
      (ports & 0xffff) !== 0 && ports >>> 16 !== 0 && !isWildcard(this.#texts[words[at + LOCAL]!]!);
    if (count === 1 || !isComplete) this.#adopt(at, event.local, event.remote);
    this.#write(at, event);
    return count + 1 === STEPS;
  }

  /** A number for a kernel address: asked once for each. */
  named(socket: string): number {
    return this.#texts.push(socket) - 1;
  }

  /** Takes a life as its lines tell it (see completeLife), when it is an orderly one; its number, else -1. */
  take(life: SocketLife, socket: number): number {
    const path = life.transitions.some((t) => t.fields) ? -1 : orderlyStates(life);
    if (path < 0) return -1;
    const at = this.#rows.allocate();
    this.#rows.words[at + PATH] = path;
    this.#rows.words[at + SOCKET] = socket;
    this.#adopt(at, life.local, life.remote, true);
    for (const t of life.transitions) this.#write(at, t);
    return at / STRIDE - 1;
  }

  /** Gives a life, or the beginning of one, back as an object; its number is used again. */
  release(index: number): SocketLife {
    const life = this.#read(index);
    this.#rows.words[placeOf(index) + COUNT] = 0;
    this.#rows.release(placeOf(index));
    return life;
  }

  /** Ports and addresses are not all there in the first line. */
  #adopt(at: number, local: Endpoint, remote: Endpoint, isAll = false): void {
    const { words } = this.#rows;
    const isFirst = isAll || words[at + COUNT] === 0;
    if (isFirst || local.port !== 0) {
      words[at + LOCAL] = this.#number(local.address);
      words[at + PORTS] = (words[at + PORTS]! & 0xffff) | (local.port << 16);
    }
    if (isFirst || remote.port !== 0) {
      words[at + REMOTE] = this.#number(remote.address);
      words[at + PORTS] = (words[at + PORTS]! & ~0xffff) | remote.port;
    }
  }

  #write(
    at: number,
    { line, pid, comm, time, duration }: Pick<Transition, 'line' | 'pid' | 'comm' | 'time' | 'duration'>,
  ): void {
    const { words, doubles } = this.#rows;
    const count = words[at + COUNT]!++;
    const step = at + STEP + count * STEP_WORDS;
    words[step] = line;
    words[step + 1] = pid ?? NONE;
    words[step + 2] = comm === null ? NONE : this.#name(comm);
    doubles[((at + TIME) >> 1) + count] = time ?? Number.NaN;
    doubles[((at + TIME) >> 1) + STEPS + count] = duration ?? Number.NaN;
  }

  /** A step of it stands in a line before that of the step it follows from. */
  isReordered(index: number): boolean {
    for (let i = 1; i < STEPS; i++) if (this.line(index, i) < this.line(index, i - 1)) return true;
    return false;
  }

  /** Numbers of the texts of its ends, see `text`; and their ports. */
  local(index: number): number {
    return this.#rows.words[placeOf(index) + LOCAL]!;
  }

  remote(index: number): number {
    return this.#rows.words[placeOf(index) + REMOTE]!;
  }

  localPort(index: number): number {
    return this.#rows.words[placeOf(index) + PORTS]! >>> 16;
  }

  remotePort(index: number): number {
    return this.#rows.words[placeOf(index) + PORTS]! & 0xffff;
  }

  /** Of an address or a kernel address. */
  text(number: number): string {
    return this.#texts[number]!;
  }

  /** The kernel address. */
  socket(index: number): string {
    return this.text(this.#rows.words[placeOf(index) + SOCKET]!);
  }

  /** The states of it, one after the other. */
  path(index: number): Path {
    return PATHS[this.#rows.words[placeOf(index) + PATH]!]!;
  }

  /** Of a step: its line, time, duration, and who ran. */
  line(index: number, step: number): number {
    return this.#rows.words[placeOf(index) + STEP + step * STEP_WORDS]!;
  }

  time(index: number, step: number): SourceTime | null {
    return this.#double(index, step) as SourceTime | null;
  }

  duration(index: number, step: number): number | null {
    return this.#double(index, STEPS + step);
  }

  pid(index: number, step: number): number | null {
    const pid = this.#rows.words[placeOf(index) + STEP + step * STEP_WORDS + 1]!;
    return pid === NONE ? null : pid;
  }

  comm(index: number, step: number): string | null {
    const comm = this.#rows.words[placeOf(index) + STEP + step * STEP_WORDS + 2]!;
    return comm === NONE ? null : this.#texts[comm]!;
  }

  /** Times come first, then durations. */
  #double(index: number, i: number): number | null {
    const value = this.#rows.doubles[((placeOf(index) + TIME) >> 1) + i]!;
    return Number.isNaN(value) ? null : value;
  }

  /** The beginning of a life, as its lines tell it. */
  #read(index: number): SocketLife {
    const path = this.path(index);
    const count = this.#rows.words[placeOf(index) + COUNT]!;
    const transitions: Transition[] = [];
    for (let i = 0; i < count; i++)
      transitions.push({
        from: path[i]!,
        to: path[i + 1]!,
        time: this.time(index, i),
        sinceBirth: null,
        duration: this.duration(index, i),
        pid: this.pid(index, i),
        comm: this.comm(index, i),
        line: this.line(index, i),
        reordered: false,
      });
    return {
      source: this.source,
      socket: this.socket(index),
      local: { address: this.text(this.local(index)), port: this.localPort(index) },
      remote: { address: this.text(this.remote(index)), port: this.remotePort(index) },
      role: null,
      transitions,
      missing: [],
      owner: null,
      state: path[count]!,
    };
  }

  /** Of a process: one of the last two as a rule. */
  #name(comm: string): number {
    if (comm === this.#texts[this.#latest]) return this.#latest;
    [this.#latest, this.#before] = [this.#before, this.#latest];
    if (comm !== this.#texts[this.#latest]) this.#latest = this.#number(comm);
    return this.#latest;
  }

  #number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** Both are known, and they differ. */
function areApart(a: number, b: number): boolean {
  return a !== 0 && b !== 0 && a !== b;
}

/**
 * Lives of sockets that closed by the book, as numbers: a busy server has hundreds of thousands, and one as objects takes
 * a kilobyte. They are made again, one by one, where something reads them.
 */
import type { Side, SocketLife, Transition } from '../model/connection.ts';
import type { PlainLife } from '../model/plain.ts';
import type { TcpState } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import { Rows } from './rows.ts';
import { inProcessContext } from './whole-life.ts';

type Path = readonly TcpState[];
const OPENED: readonly Path[] = [
  ['CLOSE', 'SYN_SENT', 'ESTABLISHED'],
  ['LISTEN', 'SYN_RECV', 'ESTABLISHED'],
];
const CLOSED: readonly Path[] = [
  ['FIN_WAIT1', 'FIN_WAIT2', 'CLOSE'],
  ['CLOSE_WAIT', 'LAST_ACK', 'CLOSE'],
];
/** All states of an orderly life, of a client and of a server, of who closes first and of who closes second. */
const PATHS: readonly Path[] = OPENED.flatMap((opened) => CLOSED.map((closed) => [...opened, ...closed]));
const STEPS = 5;

/** By path: steps in the context of the socket's own process. */
const OWN_STEPS = PATHS.map((path) =>
  Array.from({ length: STEPS }, (_, i) => i).filter((i) => inProcessContext(path[i]!, path[i + 1]!)),
);

/** Which of the orderly ways a life went, every state of it once and nothing lost; -1 for none. */
export function orderlyPath({ transitions, missing }: SocketLife): number {
  if (transitions.length !== STEPS || missing.length > 0) return -1;
  return PATHS.findIndex((path) =>
    transitions.every((t, i) => t.from === path[i] && t.to === path[i + 1] && t.fields === undefined),
  );
}

/** Words of a record: what names the life, then of each step its line, process and name; doubles: time and duration. */
const PATH = 0;
const SOCKET = 1;
const LOCAL = 2;
const REMOTE = 3;
const PORTS = 4;
const STEP = 5;
const STEP_WORDS = 3;
const TIME = STEP + STEPS * STEP_WORDS;
const STRIDE = TIME + 2 * 2 * STEPS;
/** No process, no name: nothing that a tool prints. */
const NONE = -(2 ** 31);

/** Those of one source, numbered from 0. */
export class OrderlyLives {
  readonly #source: number;
  readonly #rows = new Rows(STRIDE);
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  count = 0;

  constructor(source: number) {
    this.#source = source;
  }

  /** Takes a life as its lines tell it (see completeLife), when it is an orderly one. */
  take(life: SocketLife): boolean {
    const path = orderlyPath(life);
    if (path < 0) return false;
    const at = this.#rows.allocate();
    const { words, doubles } = this.#rows;
    this.count++;
    words[at + PATH] = path;
    words[at + SOCKET] = this.#number(life.socket);
    words[at + LOCAL] = this.#number(life.local.address);
    words[at + REMOTE] = this.#number(life.remote.address);
    words[at + PORTS] = (life.local.port << 16) | life.remote.port;
    for (let i = 0; i < STEPS; i++) {
      const t = life.transitions[i]!;
      const step = at + STEP + i * STEP_WORDS;
      words[step] = t.line;
      words[step + 1] = t.pid ?? NONE;
      words[step + 2] = t.comm === null ? NONE : this.#number(t.comm);
      doubles[((at + TIME) >> 1) + i] = t.time ?? Number.NaN;
      doubles[((at + TIME) >> 1) + STEPS + i] = t.duration ?? Number.NaN;
    }
    return true;
  }

  /** Line of its first step. */
  firstLine(index: number): number {
    return this.#rows.words[placeOf(index) + STEP]!;
  }

  /** A step of it stands in a line before that of the step it follows from. */
  isReordered(index: number): boolean {
    const { words } = this.#rows;
    const first = placeOf(index) + STEP;
    for (let i = 1; i < STEPS; i++) {
      if (words[first + i * STEP_WORDS]! < words[first + (i - 1) * STEP_WORDS]!) return true;
    }
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

  /** Number of the kernel address. */
  socket(index: number): number {
    return this.#rows.words[placeOf(index) + SOCKET]!;
  }

  /** The life as its lines tell it, as it was taken. */
  read(index: number): SocketLife {
    const at = placeOf(index);
    const { words, doubles } = this.#rows;
    const path = PATHS[words[at + PATH]!]!;
    const transitions: Transition[] = [];
    for (let i = 0; i < STEPS; i++) {
      const step = at + STEP + i * STEP_WORDS;
      const [time, duration] = [doubles[((at + TIME) >> 1) + i]!, doubles[((at + TIME) >> 1) + STEPS + i]!];
      const [pid, comm] = [words[step + 1]!, words[step + 2]!];
      transitions.push({
        from: path[i]!,
        to: path[i + 1]!,
        time: Number.isNaN(time) ? null : (time as SourceTime),
        sinceBirth: null,
        duration: Number.isNaN(duration) ? null : duration,
        pid: pid === NONE ? null : pid,
        comm: comm === NONE ? null : this.#texts[comm]!,
        line: words[step]!,
        reordered: false,
      });
    }
    return {
      source: this.#source,
      socket: this.#texts[words[at + SOCKET]!]!,
      local: { address: this.#texts[words[at + LOCAL]!]!, port: words[at + PORTS]! >>> 16 },
      remote: { address: this.#texts[words[at + REMOTE]!]!, port: words[at + PORTS]! & 0xffff },
      role: null,
      transitions,
      missing: [],
      owner: null,
      state: 'CLOSE',
    };
  }

  /** A reader of them. */
  cursor(): LifeCursor {
    return new LifeCursor(this.#source, this.#rows, this.#texts);
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

function placeOf(index: number): number {
  return (index + 1) * STRIDE;
}

/** Reads one life after the other. */
export class LifeCursor implements PlainLife {
  readonly source: number;
  readonly #rows: Rows;
  readonly #texts: readonly string[];
  #at = 0;

  constructor(source: number, rows: Rows, texts: readonly string[]) {
    this.source = source;
    this.#rows = rows;
    this.#texts = texts;
  }

  open(index: number): this {
    this.#at = placeOf(index);
    return this;
  }

  get states(): Path {
    return PATHS[this.#rows.words[this.#at + PATH]!]!;
  }

  get side(): Side {
    return this.states[1] === 'SYN_SENT' ? 'client' : 'server';
  }

  get localAddress(): string {
    return this.#texts[this.#rows.words[this.#at + LOCAL]!]!;
  }

  get localPort(): number {
    return this.#rows.words[this.#at + PORTS]! >>> 16;
  }

  get pid(): number | null {
    const step = this.#ownStep;
    return step === 0 ? null : this.#rows.words[step + 1]!;
  }

  get comm(): string {
    const step = this.#ownStep;
    return step === 0 ? '' : this.#texts[this.#rows.words[step + 2]!]!;
  }

  line(step: number): number {
    return this.#rows.words[this.#at + STEP + step * STEP_WORDS]!;
  }

  time(step: number): SourceTime | null {
    const time = this.#rows.doubles[((this.#at + TIME) >> 1) + step]!;
    return Number.isNaN(time) ? null : (time as SourceTime);
  }

  duration(step: number): number | null {
    const duration = this.#rows.doubles[((this.#at + TIME) >> 1) + STEPS + step]!;
    if (!Number.isNaN(duration)) return duration;
    const [from, to] = step === 0 ? [null, null] : [this.time(step - 1), this.time(step)];
    return from === null || to === null ? null : Math.max(0, to - from);
  }

  /** Words of the first step that names the owner (see ownerOf); 0 for none. */
  get #ownStep(): number {
    const { words } = this.#rows;
    for (const i of OWN_STEPS[words[this.#at + PATH]!]!) {
      const step = this.#at + STEP + i * STEP_WORDS;
      if (words[step + 1]! > 0 && words[step + 2] !== NONE) return step;
    }
    return 0;
  }
}

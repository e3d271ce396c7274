/**
 * Lives of sockets that closed by the book, as numbers: a busy server has hundreds of thousands, and one as objects takes
 * a kilobyte. They are made again, one by one, where something reads them.
 */
import type { SocketLife, Transition } from '../model/connection.ts';
import type { TcpState } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import { Rows } from './rows.ts';

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
    return this.#rows.words[this.#at(index) + STEP]!;
  }

  /** A step of it stands in a line before that of the step it follows from. */
  isReordered(index: number): boolean {
    const { words } = this.#rows;
    const first = this.#at(index) + STEP;
    for (let i = 1; i < STEPS; i++) {
      if (words[first + i * STEP_WORDS]! < words[first + (i - 1) * STEP_WORDS]!) return true;
    }
    return false;
  }

  /** Numbers of the texts of its ends, see `text`; and their ports. */
  local(index: number): number {
    return this.#rows.words[this.#at(index) + LOCAL]!;
  }

  remote(index: number): number {
    return this.#rows.words[this.#at(index) + REMOTE]!;
  }

  localPort(index: number): number {
    return this.#rows.words[this.#at(index) + PORTS]! >>> 16;
  }

  remotePort(index: number): number {
    return this.#rows.words[this.#at(index) + PORTS]! & 0xffff;
  }

  /** Of an address or a kernel address. */
  text(number: number): string {
    return this.#texts[number]!;
  }

  /** Number of the kernel address. */
  socket(index: number): number {
    return this.#rows.words[this.#at(index) + SOCKET]!;
  }

  /** The life as its lines tell it, as it was taken. */
  read(index: number): SocketLife {
    const at = this.#at(index);
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

  #at(index: number): number {
    return (index + 1) * STRIDE;
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

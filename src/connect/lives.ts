/**
 * Socket lives from state events (sock:inet_sock_set_state). One kernel address serves many sockets in turn, each
 * of them a life (kernel-notes G11). Tools print through per-CPU buffers, so lines of one socket can be out of
 * order, and a tracepoint program skipped by the recursion guard leaves no line at all (G17): the state machine
 * shows both, and both are put right and said.
 */
import type { SocketLife } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { StateEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';
import { completeLife, reportReorderedLines } from './complete-life.ts';
import { OrderlyLife, Steps } from './orderly-life.ts';
import { OrderlyLives } from './orderly-lives.ts';
import { firstLine, REMEMBERED, SocketChain } from './socket-chain.ts';

/** Groups one source's state events into lives, event by event: none of them is kept. Linear in the events. */
export class SocketLives {
  readonly #others = new Set<SocketLife>();
  readonly #orderly: OrderlyLives;
  readonly #sockets = new Map<string, SocketLine>();

  constructor(source: number) {
    this.#orderly = new OrderlyLives(source);
  }

  add(event: StateEvent): void {
    let line = this.#sockets.get(event.socket);
    if (!line) {
      line = new SocketLine(this.#orderly.named(event.socket), this.#orderly, this.#others);
      this.#sockets.set(event.socket, line);
    }
    line.add(event);
  }

  /** The lives once all events are in; what was repaired is said. */
  finish(source: Source, diagnostics: Diagnostics): FinishedLives {
    for (const line of this.#sockets.values()) line.finish();
    for (const life of this.#others) {
      if (this.#orderly.take(life, this.#sockets.get(life.socket)!.socket) >= 0) this.#others.delete(life);
    }
    this.#sockets.clear();
    return new FinishedLives([...this.#others], this.#orderly, source, diagnostics);
  }
}

const NONE: readonly SocketLife[] = [];

/**
 * The events of one kernel address. As long as each follows from the one before, its lives are numbers; where one does
 * not, they become a chain, until its life has ended and nothing is left to be put right.
 */
class SocketLine {
  /** Number of the address among the orderly lives. */
  readonly socket: number;
  readonly #orderly: OrderlyLives;
  readonly #others: Set<SocketLife>;
  /** Number of the life that has begun; -1 for none. */
  #open = -1;
  /** Ended lives, the latest first: numbers of orderly ones, the others as they are. */
  #ended: readonly (number | SocketLife)[] = NONE;
  #chain: SocketChain | null = null;

  constructor(socket: number, orderly: OrderlyLives, others: Set<SocketLife>) {
    this.socket = socket;
    this.#orderly = orderly;
    this.#others = others;
  }

  add(event: StateEvent): void {
    if (this.#chain === null && this.#follows(event)) return;
    this.#chain ??= this.#disturbed();
    this.#chain.add(event);
    if (this.#chain.isSettled) this.#settle(this.#chain.lives);
  }

  finish(): void {
    if (this.#open >= 0) this.#chain = this.#disturbed();
    this.#chain?.finish();
  }

  /** Takes the event when it is the next of an orderly life. */
  #follows(event: StateEvent): boolean {
    if (this.#open < 0) {
      if (!this.#orderly.begins(event)) return false;
      this.#open = this.#orderly.begin(event, this.socket);
      return true;
    }
    if (!this.#orderly.follows(this.#open, event)) return false;
    if (this.#orderly.append(this.#open, event)) {
      this.#ended = [this.#open, ...this.#ended.slice(0, REMEMBERED)];
      this.#open = -1;
    }
    return true;
  }

  #disturbed(): SocketChain {
    const numbers = this.#open < 0 ? this.#ended : [this.#open, ...this.#ended.slice(0, REMEMBERED)];
    const lives = numbers.map((n) => {
      if (typeof n !== 'number') return n;
      const life = this.#orderly.release(n);
      this.#others.add(life);
      return life;
    });
    this.#open = -1;
    return new SocketChain(this.#others, lives);
  }

  #settle(lives: readonly SocketLife[]): void {
    this.#chain = null;
    this.#ended = lives.map((life) => {
      const number = this.#orderly.take(life, this.socket);
      if (number < 0) return life;
      this.#others.delete(life);
      return number;
    });
  }
}

/** All lives of one source: orderly ones as numbers, the others as they are. */
export class FinishedLives {
  readonly orderly: OrderlyLives;
  readonly #steps: Steps;
  readonly #others: readonly SocketLife[];
  /** In the order in which they began: n of the orderly ones, -1 - n of the others. */
  readonly #order: Int32Array;

  constructor(
    others: readonly SocketLife[],
    orderly: OrderlyLives,
    source: Source,
    diagnostics: Diagnostics,
  ) {
    this.orderly = orderly;
    this.#steps = new Steps(orderly);
    this.#others = others;
    const numbers = others.map((_, i) => -1 - i);
    for (let n = 0; n < orderly.end; n++) if (orderly.isWhole(n)) numbers.push(n);
    this.#order = Int32Array.from(numbers).sort((a, b) => this.#firstLine(a) - this.#firstLine(b));
    for (const n of this.#order) {
      if (n < 0) completeLife(others[-1 - n]!, source, diagnostics);
      else if (orderly.isReordered(n)) reportReorderedLines(this.#steps.of(n), source, diagnostics);
    }
  }

  /** In the order in which they began. */
  *each(): Iterable<SocketLife> {
    for (const n of this.#order) yield n < 0 ? this.#others[-1 - n]! : new OrderlyLife(this.#steps, n);
  }

  /** Local addresses in the order in which their sockets began. */
  *localAddresses(): Iterable<string> {
    for (const n of this.#order)
      yield n < 0 ? this.#others[-1 - n]!.local.address : this.orderly.text(this.orderly.local(n));
  }

  #firstLine(n: number): number {
    return n < 0 ? firstLine(this.#others[-1 - n]!) : this.orderly.line(n, 0);
  }
}

/** The lives in a list of one source's state events, in the order in which they began. */
export function socketLives(
  source: Source,
  events: Iterable<StateEvent>,
  diagnostics: Diagnostics,
): SocketLife[] {
  const lives = new SocketLives(source.id);
  for (const event of events) lives.add(event);
  return [...lives.finish(source, diagnostics).each()];
}

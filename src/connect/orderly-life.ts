/** An orderly life as the other lives are: its steps are made when they are asked for. */
import type { Endpoint } from '../model/address.ts';
import type { Side, SocketLife, Transition } from '../model/connection.ts';
import { completeSteps, ownerOf } from './complete-life.ts';
import { STEPS } from './orderly-layout.ts';
import type { OrderlyLives } from './orderly-lives.ts';

const NOTHING: SocketLife['missing'] = [];

/** Two words, where its steps take a kilobyte. */
export class OrderlyLife implements SocketLife {
  readonly #steps: Steps;
  readonly #index: number;

  constructor(steps: Steps, index: number) {
    this.#steps = steps;
    this.#index = index;
  }

  get source(): number {
    return this.#steps.lives.source;
  }

  get socket(): string {
    return this.#steps.lives.socket(this.#index);
  }

  get local(): Endpoint {
    const [{ lives }, n] = [this.#steps, this.#index];
    return { address: lives.text(lives.local(n)), port: lives.localPort(n) };
  }

  get remote(): Endpoint {
    const [{ lives }, n] = [this.#steps, this.#index];
    return { address: lives.text(lives.remote(n)), port: lives.remotePort(n) };
  }

  /** From its first state. */
  get role(): Side {
    return this.#steps.lives.path(this.#index)[0] === 'LISTEN' ? 'server' : 'client';
  }

  get transitions(): Transition[] {
    return this.#steps.of(this.#index);
  }

  get missing(): SocketLife['missing'] {
    return NOTHING;
  }

  get owner(): SocketLife['owner'] {
    return ownerOf(this.transitions);
  }

  get state(): SocketLife['state'] {
    return 'CLOSE';
  }
}

/** Lives whose steps are at hand: a connection that is decided asks for its own again and again. */
const AT_HAND = 64;

/** The steps of lives that are whole. */
export class Steps {
  readonly lives: OrderlyLives;
  /** Those that were made last, and of which lives they are. */
  readonly #made: Transition[][] = [];
  readonly #of = new Int32Array(AT_HAND).fill(-1);

  constructor(lives: OrderlyLives) {
    this.lives = lives;
  }

  /** The same array when it is asked for again soon. */
  of(index: number): Transition[] {
    const place = index % AT_HAND;
    if (this.#of[place] !== index) {
      this.#made[place] = this.#make(index);
      this.#of[place] = index;
    }
    return this.#made[place]!;
  }

  /**
   * Not shared with what reads a life that is released while a log is read: that one is kept, and V8 takes all objects that are
   * made at such a place for old at once (allocation-site pretenuring), four times the heap.
   */
  #make(index: number): Transition[] {
    const { lives } = this;
    const path = lives.path(index);
    const steps: Transition[] = [];
    for (let i = 0; i < STEPS; i++)
      steps.push({
        from: path[i]!,
        to: path[i + 1]!,
        time: lives.time(index, i),
        sinceBirth: null,
        duration: lives.duration(index, i),
        pid: lives.pid(index, i),
        comm: lives.comm(index, i),
        line: lives.line(index, i),
        reordered: false,
      });
    completeSteps(steps);
    return steps;
  }
}

/**
 * The other cores, where they pay: threads for tasks that take long and share nothing (reading one of several captures,
 * hashing inputs, drawing charts). The same functions run in the main thread where there is no other, so that every byte
 * is the same.
 */
import { cores, hasProgram, startThread } from '../platform/threads.ts';
import type { Thread } from '../platform/types.ts';
import { runTask, type TaskName, type Tasks } from './tasks.ts';
import type { Answer, Order } from './worker.ts';

/** Bytes of captures that are read beside others, and connections that are decided. */
export interface Least {
  bytes: number;
  connections: number;
}

export interface Pool {
  /** False: tasks run in the main thread, when they are awaited and not before. */
  readonly parallel: boolean;
  /** How many tasks are done at a time. */
  readonly threads: number;
  /** From which on a thread is worth its start. */
  readonly least: Least;
  /** `moved`: what of the argument need not be copied, where there is a thread for it. */
  run<Name extends TaskName>(
    name: Name,
    argument: Tasks[Name]['argument'],
    moved?: readonly ArrayBuffer[],
  ): Promise<Tasks[Name]['value']>;
  /** Ends threads that have nothing to do, for their memory; another task starts one again. */
  trim(): Promise<void>;
  close(): Promise<void>;
}

export const MAIN_THREAD: Pool = {
  parallel: false,
  threads: 0,
  least: { bytes: Number.POSITIVE_INFINITY, connections: Number.POSITIVE_INFINITY },
  run: (name, argument) => runTask(name, argument),
  trim: async () => undefined,
  close: async () => undefined,
};

/** The thread's program; there is none before the sources are compiled. */
const WORKER = new URL('./worker.js', import.meta.url);
/** To start, and to have its functions compiled, takes a thread half a second of CPU, as 500,000 packets do. */
const LEAST: Least = { bytes: 1 << 27, connections: 20_000 };
/** Unless threads are asked for: to decide connections each needs 80 MB beside the main one. */
const UNASKED: Least = { ...LEAST, connections: Number.POSITIVE_INFINITY };
/** By default no more: what is left to the main thread then takes longest. */
const MOST = 4;

/** `asked`: threads beside the main one, 0 or more; by default one for each further core, up to four. */
export function openPool(
  asked?: number,
  thread = WORKER,
  least = asked === undefined ? UNASKED : LEAST,
): Pool {
  const threads = asked ?? Math.min(cores() - 1, MOST);
  return threads > 0 && hasProgram(thread) ? new Threads(threads, thread, least) : MAIN_THREAD;
}

interface Job {
  order: Order;
  moved: readonly ArrayBuffer[];
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** As many threads as there are tasks, up to a number. One that fails takes its task along, and no other. */
class Threads implements Pool {
  readonly parallel = true;
  readonly threads: number;
  readonly least: Least;
  readonly #thread: URL;
  readonly #queue: Job[] = [];
  readonly #busy = new Map<Thread, Job>();
  readonly #idle: Thread[] = [];

  constructor(threads: number, thread: URL, least: Least) {
    this.threads = threads;
    this.least = least;
    this.#thread = thread;
  }

  run<Name extends TaskName>(
    name: Name,
    argument: Tasks[Name]['argument'],
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Tasks[Name]['value']> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ order: { name, argument }, moved, resolve: resolve as Job['resolve'], reject });
      this.#next();
    });
  }

  async trim(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  async close(): Promise<void> {
    const workers = [...this.#busy.keys(), ...this.#idle];
    // nobody waits for them any more
    this.#queue.length = 0;
    this.#busy.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #next(): void {
    const isFree = this.#idle.length > 0 || this.#busy.size < this.threads;
    const job = isFree ? this.#queue.shift() : undefined;
    if (job === undefined) return;
    const worker = this.#idle.pop() ?? this.#begin();
    this.#busy.set(worker, job);
    worker.post(job.order, job.moved);
  }

  #begin(): Thread {
    const end = (settle: (job: Job) => void) => {
      const job = this.#busy.get(worker);
      this.#busy.delete(worker);
      if (job) settle(job);
    };
    const worker: Thread = startThread(this.#thread, null, {
      message: (said) => {
        const answer = said as Answer;
        end((job) => ('error' in answer ? job.reject(answer.error) : job.resolve(answer.value)));
        this.#idle.push(worker);
        this.#next();
      },
      error: (error) => end((job) => job.reject(error)),
      exit: (code) => {
        end((job) => job.reject(new Error(`a thread ended with ${code}`)));
        const at = this.#idle.indexOf(worker);
        if (at >= 0) this.#idle.splice(at, 1);
        this.#next();
      },
    });
    return worker;
  }
}

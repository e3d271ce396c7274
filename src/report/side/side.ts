/**
 * The second core, where it pays: one thread for tasks that take long and share nothing (drawing charts, hashing
 * inputs). The same functions run in the main thread where there is no other, so that every byte is the same.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { runTask, type TaskName, type Tasks } from './tasks.ts';
import type { Answer } from './worker.ts';

export interface Side {
  /** False: tasks run in the main thread, when they are awaited and not before. */
  readonly parallel: boolean;
  run<Name extends TaskName>(name: Name, argument: Tasks[Name]['argument']): Promise<Tasks[Name]['value']>;
  close(): Promise<void>;
}

export const MAIN_THREAD: Side = { parallel: false, run: runTask, close: async () => undefined };

/** There is none before the sources are compiled. */
const WORKER = new URL('./worker.js', import.meta.url);

/** `workers`: threads beside the main one, 0 or more; by default one where the machine has a core for it. */
export function openSide(workers = availableParallelism() - 1): Side {
  return workers > 0 && existsSync(WORKER) ? new SideThread() : MAIN_THREAD;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Begins with the first task. */
class SideThread implements Side {
  readonly parallel = true;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #tasks = 0;

  run<Name extends TaskName>(name: Name, argument: Tasks[Name]['argument']): Promise<Tasks[Name]['value']> {
    this.#worker ??= this.#begin();
    const id = this.#tasks++;
    this.#worker.postMessage({ id, name, argument });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #begin(): Worker {
    const worker = new Worker(WORKER);
    worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id)!;
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting.reject(answer.error);
      else waiting.resolve(answer.value);
    });
    worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    return worker;
  }
}

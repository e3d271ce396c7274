import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { programOf } from './programs.ts';
import type { ThisThread, Thread, ThreadEvents } from './types.ts';

export const cores: () => number = availableParallelism;

/** MB of what is new on the heap of a thread: V8 would take three times as much. */
const YOUNG = 16;

export { hasProgram } from './programs.ts';

export function startThread(program: URL, data: unknown, events: ThreadEvents): Thread {
  const [from, options] = programOf(program);
  // files that one thread opens are read by another
  const worker = new Worker(from, {
    ...options,
    workerData: data,
    trackUnmanagedFds: false,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
  });
  worker.on('message', events.message);
  worker.on('error', events.error);
  worker.on('messageerror', events.error);
  worker.on('exit', events.exit);
  return {
    post: (message, moved = []) => worker.postMessage(message, [...moved]),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

/** Of a program that was started by startThread. */
export function thisThread(): ThisThread {
  const port = parentPort!;
  return {
    data: workerData,
    post: (message, moved = []) => port.postMessage(message, [...moved]),
    listen: (take) => port.on('message', take),
    close: () => {
      port.removeAllListeners('message');
      port.close();
    },
  };
}

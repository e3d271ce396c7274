/** Ctrl-C: the process ends at once, whatever it is doing, and takes its temporary files with it. */
import { createContext, Script } from 'node:vm';

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;
const INTERRUPTED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED';

let beforeEnd = () => {};

/** @param before what is still to be said */
export function endOnSignals(before: () => void): void {
  beforeEnd = before;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(STATUS[signal]));
}

/** The first signal asks `work` to come to its end; the second one ends the process at once, as any does without this. */
export function onInterrupt(work: () => void): void {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (asked) end(STATUS[signal]);
      asked = true;
      work();
    });
  }
}

function end(status: number): never {
  beforeEnd();
  process.exit(status);
}

/**
 * Runs what keeps this thread busy. No handler of a signal is called meanwhile; V8 is told by a thread of Node's to stop,
 * which it does for scripts alone.
 */
export function interruptible<T>(work: () => T): T {
  try {
    return new Script('work()').runInContext(createContext({ work }), { breakOnSigint: true });
  } catch (error) {
    if ((error as { code?: string }).code === INTERRUPTED) end(STATUS.SIGINT);
    throw error;
  }
}

/** What is half done when `work` fails, or when the process ends meanwhile, is taken away by `cleanUp`. */
export async function orNothing<T>(cleanUp: () => void, work: () => Promise<T>): Promise<T> {
  process.once('exit', cleanUp);
  try {
    return await work();
  } catch (error) {
    cleanUp();
    throw error;
  } finally {
    process.removeListener('exit', cleanUp);
  }
}

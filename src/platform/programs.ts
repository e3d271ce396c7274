/** Programs of threads: files beside the one that starts them. */
import { existsSync } from 'node:fs';
import type { WorkerOptions } from 'node:worker_threads';

/** There is none before the sources are compiled. */
export function hasProgram(program: URL): boolean {
  return existsSync(program);
}

/** What `new Worker` takes. */
export function programOf(program: URL): [from: URL | string, options: WorkerOptions] {
  return [program, {}];
}

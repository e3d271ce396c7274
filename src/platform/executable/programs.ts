/** Programs of threads: assets of this executable, under the names of the files beside the command. */
import { basename } from 'node:path';
import { getAsset } from 'node:sea';
import type { WorkerOptions } from 'node:worker_threads';

export function hasProgram(): boolean {
  return true;
}

export function programOf(program: URL): [from: URL | string, options: WorkerOptions] {
  return [getAsset(basename(program.pathname), 'utf8'), { eval: true }];
}

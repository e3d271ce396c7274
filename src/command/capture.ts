/** The capture command: the same script that runs on hosts without Node, and the kit that carries it there. */

import { disk } from '../platform/files.ts';
import { ROOT } from '../platform/package.ts';
import { run, runInFront } from '../platform/run.ts';
import { WriteError } from './faults.ts';

/** Runs capture/tcpautopsy-capture with these arguments. Returns its exit status (125 when it cannot be run). */
export function runCapture(args: readonly string[]): Promise<number> {
  return runInFront('sh', [`${ROOT}capture/tcpautopsy-capture`, ...args]);
}

/**
 * Writes a tar.gz with the script and its BPF programs, and with the recorder where it was built (scripts/recorder.js), without its
 * sources. Returns the machines that it holds one for. Throws when tar fails, with what it said.
 */
export async function writeKit(file: string): Promise<string[]> {
  const built = await disk.list(`${ROOT}dist/recorder`).catch(() => []);
  const recorder = built.length > 0 ? ['-C', `${ROOT}dist`, 'recorder'] : [];
  const without = ['--exclude=capture/recorder', '--exclude=*.[ch]'];
  const { status, said } = await run('tar', [
    ...['-czf', file, ...without, '-C', ROOT, 'capture', 'bpf'],
    ...recorder,
  ]);
  if (status !== 0) throw new WriteError(`${file} could not be written: ${said.split('\n')[0]}`);
  return built.map((entry) => entry.name);
}

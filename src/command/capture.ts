/** The capture command: the same script that runs on hosts without Node, and the kit that carries it there. */

import { ROOT } from '../platform/package.ts';
import { run, runInFront } from '../platform/run.ts';
import { WriteError } from './faults.ts';

/** Runs capture/tcpautopsy-capture with these arguments. Returns its exit status (125 when it cannot be run). */
export function runCapture(args: readonly string[]): Promise<number> {
  return runInFront('sh', [`${ROOT}capture/tcpautopsy-capture`, ...args]);
}

/** Writes a tar.gz with the script and its BPF programs, without the sources of the recorder. Throws when tar fails, with what it said. */
export async function writeKit(file: string): Promise<void> {
  const { status, said } = await run('tar', [
    '-czf',
    file,
    '--exclude=capture/recorder',
    '--exclude=*.[ch]',
    '-C',
    ROOT,
    'capture',
    'bpf',
  ]);
  if (status !== 0) throw new WriteError(`${file} could not be written: ${said.split('\n')[0]}`);
}

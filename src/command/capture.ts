/** The capture command: the same script that runs on hosts without Node, and the kit that carries it there. */

import { disk } from '../platform/files.ts';
import { kit } from '../platform/package.ts';
import { run, runInFront } from '../platform/run.ts';
import { define } from './command.ts';
import { out } from './console.ts';
import { EXIT_OK, WriteError, writing } from './faults.ts';

/** Runs capture/tcpautopsy-capture with these arguments. Returns its exit status (125 when it cannot be run). */
export function runCapture(args: readonly string[]): Promise<number> {
  return runInFront('sh', [`${kit().scripts}capture/tcpautopsy-capture`, ...args]);
}

export const capture = define({
  command: 'capture',
  describe: 'record a bundle on this host (root, tcpdump); options: tcpautopsy capture --help',
  options: (y) => y.strict(false).help(false),
  run: () => runCapture([]),
});

export const captureKit = define({
  command: 'capture-kit',
  describe: 'write the capture command as a tar.gz, for hosts without Node',
  options: (y) =>
    y.option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'file to write' }),
  examples: [['capture-kit -o kit.tar.gz', 'then copy it to the host and unpack it']],
  async run({ output }) {
    const machines = await writing(output, () => writeKit(output));
    out(`${output}: unpack it on the host and run capture/tcpautopsy-capture -o DIR`);
    out(
      machines.length > 0
        ? `With the recorder for ${machines.join(', ')}: recorder/ARCH/tcpautopsy-record -o DIR/events.bin`
        : 'Without the recorder, which is not built here: npm run build:recorder',
    );
    return EXIT_OK;
  },
});

/**
 * Writes a tar.gz with the script, and with the recorder where it was built (scripts/recorder.js), without its sources. Returns the
 * machines that it holds one for. Throws when tar fails, with what it said.
 */
async function writeKit(file: string): Promise<string[]> {
  const { scripts, recorder } = kit();
  const built = await disk.list(`${recorder}recorder`).catch(() => []);
  const binaries = built.length > 0 ? ['-C', recorder, 'recorder'] : [];
  const without = ['--exclude=capture/recorder', '--exclude=*.[ch]'];
  const words = ['-czf', file, ...without, '-C', scripts, 'capture', ...binaries];
  const { status, said } = await run('tar', words);
  if (status !== 0) throw new WriteError(`${file} could not be written: ${said.split('\n')[0]}`);
  return built.map((entry) => entry.name);
}

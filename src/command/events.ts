/** `tcpautopsy events BUNDLE`: what the kernel said, for jq and its like. */
import { Diagnostics } from '../model/diagnostic.ts';
import { disk } from '../platform/files.ts';
import { isBundle } from '../read/bundle/is-bundle.ts';
import { UsageError } from './arguments.ts';
import { define } from './command.ts';
import { err } from './console.ts';
import { EXIT_DAMAGED, EXIT_OK } from './faults.ts';
import { diagnosticLines } from './messages.ts';

/** Lines that are handed on at a time. */
const BATCH = 1000;

export const events = define({
  command: 'events <bundle>',
  describe: 'print the events of a capture bundle, one JSON object a line',
  options: (y) => y.positional('bundle', { type: 'string', demandOption: true, describe: 'its folder' }),
  examples: [['events bundle/ | jq \'select(.probe == "reset")\'', 'what the kernel said of resets']],
  async run({ bundle }) {
    const damage = await printEvents(bundle, (text) => process.stdout.write(text));
    for (const line of damage) err(line);
    return damage.length > 0 ? EXIT_DAMAGED : EXIT_OK;
  },
});

/** Returns what is to be said of damage. Throws UsageError when the folder is no bundle. */
export async function printEvents(folder: string, out: (text: string) => void): Promise<string[]> {
  if (!(await isBundle(folder, disk))) throw new UsageError(`${folder} is no capture bundle`);
  const { eventLines } = await import('../read/bundle/event-lines.ts');
  const diagnostics = new Diagnostics();
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) out(`${lines.join('\n')}\n`);
    lines = [];
  };
  await eventLines(folder, disk, diagnostics, (line) => {
    lines.push(line);
    if (lines.length === BATCH) flush();
  });
  flush();
  return diagnosticLines(diagnostics.list());
}

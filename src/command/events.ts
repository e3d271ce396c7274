/** `tcpautopsy events BUNDLE`: what the kernel said, for jq and its like. */
import { Diagnostics } from '../model/diagnostic.ts';
import { disk } from '../platform/files.ts';
import { eventLines } from '../read/bundle/event-lines.ts';
import { isBundle } from '../read/bundle/is-bundle.ts';
import { UsageError } from './arguments.ts';
import { diagnosticLines } from './messages.ts';

/** Lines that are handed on at a time. */
const BATCH = 1000;

/** Returns what is to be said of damage. Throws UsageError when the folder is no bundle. */
export async function printEvents(folder: string, out: (text: string) => void): Promise<string[]> {
  if (!(await isBundle(folder, disk))) throw new UsageError(`${folder} is no capture bundle`);
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

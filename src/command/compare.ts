/** `tcpautopsy compare`: two analyses side by side. */
import { type Comparison, compare as comparisonOf } from '../compare/compare.ts';
import { type Summary, summaryOf } from '../compare/summary.ts';
import { RESULT_FILE } from '../json/json.ts';
import { disk, join, readWhole } from '../platform/files.ts';
import type { Result } from '../tables/result.ts';
import { checkFailOn, failOnOption, failsOn, UsageError } from './arguments.ts';
import { define } from './command.ts';
import { nothingRead, out, terminal, warn } from './console.ts';
import { EXIT_FOUND, EXIT_NOTHING, EXIT_OK, statusOf, toUsageOrWriteError, writing } from './faults.ts';
import { investigateInputs } from './investigate.ts';

export const compare = define({
  command: 'compare <before> <after>',
  describe: 'compare two captures, bundles or reports: which causes are gone, new, more or fewer',
  options: (y) =>
    failOnOption(y)
      .positional('before', {
        type: 'string',
        demandOption: true,
        describe: 'a file, a bundle, a folder of captures, or a report of analyze',
      })
      .positional('after', { type: 'string', demandOption: true, describe: 'the same, of later' })
      .option('output', {
        alias: 'o',
        type: 'string',
        describe: 'folder to write: page, Markdown, CSV, JSON',
      }),
  examples: [
    ['compare before.pcap after.pcap', 'did the larger backlog help?'],
    ['compare monday/ tuesday/ --fail-on error', 'ends with status 4 where an error is new or more frequent'],
  ],
  async run(a) {
    await checkFailOn(a.failOn);
    const { checkComparison, writeComparison } = await import('../write-comparison.ts');
    if (a.output !== undefined) await checkComparison(a.output).catch(toUsageOrWriteError(a.output));
    const sides: Side[] = [];
    for (const input of [a.before, a.after]) {
      const side = await sideOf(input);
      if (side === null) return EXIT_NOTHING;
      sides.push(side);
    }
    const [before, after] = sides as [Side, Side];
    const comparison = comparisonOf(before.summary, after.summary);
    const { output } = a;
    if (output !== undefined) await writing(output, () => writeComparison(comparison, output));
    const { renderComparison } = await import('../terminal/comparison.ts');
    out(renderComparison(comparison, terminal()));
    if (worse(comparison, a.failOn)) return EXIT_FOUND;
    return Math.max(before.status, after.status);
  },
});

interface Side {
  summary: Summary;
  status: number;
}

/** Null where there is nothing to compare, which it says. */
async function sideOf(input: string): Promise<Side | null> {
  const report = await disk.stat(join(input, RESULT_FILE)).catch(() => null);
  if (report !== null) return ofReport(input);
  const { analyze } = await import('../analyze.ts');
  const result = await investigateInputs(analyze, { input: [input] }, {});
  warn(result);
  if (nothingRead(result)) return null;
  return { summary: summaryOf(input, result), status: statusOf(result.diagnostics) };
}

async function ofReport(folder: string): Promise<Side> {
  try {
    const text = new TextDecoder().decode(await readWhole(join(folder, RESULT_FILE)));
    return { summary: summaryOf(folder, JSON.parse(text) as Result), status: EXIT_OK };
  } catch (error) {
    throw new UsageError(`${folder} is no whole report of this version: ${(error as Error).message}`);
  }
}

function worse({ causes }: Comparison, failOn: string | undefined): boolean {
  return failsOn(
    failOn,
    causes.filter((c) => c.clear && (c.change === 'new' || c.change === 'more')),
  );
}

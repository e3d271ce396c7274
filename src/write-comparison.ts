/** Writes the output folder of `compare`. */
import type { Comparison } from './compare/compare.ts';
import { comparisonTable } from './compare/tables.ts';
import { renderComparisonMarkdown } from './markdown/comparison.ts';
import { renderComparisonHtml } from './page/comparison.ts';
import { join } from './platform/files.ts';
import { folderState, writeFolder, writeNew, writeWhole } from './platform/output.ts';
import { csvOf } from './tables/csv.ts';

/** The file that says whose a folder is. */
const MARKER = 'comparison.json';

const isOurs = async (_dir: string, names: readonly string[]) => names.includes(MARKER);

/** Rejects with OutputError when `dir` is something other than a new folder, an empty one, or a comparison. */
export async function checkComparison(dir: string): Promise<void> {
  await folderState(dir, isOurs);
}

export async function writeComparison(comparison: Comparison, dir: string): Promise<void> {
  await writeFolder(dir, isOurs, async (folder) => {
    const text = (name: string, content: string) =>
      writeWhole(join(folder, name), (path) => writeNew(path, content));
    await text(MARKER, `${JSON.stringify(comparison, null, 1)}\n`);
    await text(comparisonTable.file, await csvOf(comparisonTable.columns, comparison.causes));
    await text('comparison.md', renderComparisonMarkdown(comparison));
    await text('comparison.html', renderComparisonHtml(comparison));
  });
}

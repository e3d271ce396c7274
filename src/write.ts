/** Writes the output folder of `analyze`. A folder is either left as it was, or holds one whole report. */
import { RESULT_BEGINS, RESULT_FILE, readable, writeJson } from './json/json.ts';
import { disk, join } from './platform/files.ts';
import { folderState, makeFolder, writeFolder, writeNew, writeWhole } from './platform/output.ts';
import { writePieces } from './platform/text-file.ts';
import { type Tables, tablesOf } from './tables/assemble.ts';
import { type Cells, csvLines } from './tables/csv-text.ts';
import type { Result } from './tables/result.ts';
import { sourceRows } from './tables/sources.ts';
import {
  connectionsTable,
  diagnosticsTable,
  findingsTable,
  rulesTable,
  sourcesTable,
  timelineTable,
} from './tables/tables.ts';
import { MAIN_THREAD, type Pool } from './workers/pool.ts';

/**
 * Rejects with OutputError when `dir` is something other than a new folder, an empty one, or a report of ours: to be
 * called before a long analysis.
 */
export async function checkOutput(dir: string): Promise<void> {
  await folderState(dir, isOurs);
}

/** The marker says so in its first bytes; it may be far too big to be parsed. */
async function isOurs(dir: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes(RESULT_FILE)) return false;
  const file = await disk.open(join(dir, RESULT_FILE));
  try {
    const first = new Uint8Array(256);
    const length = await file.read(first, 0);
    return RESULT_BEGINS.test(new TextDecoder().decode(first.subarray(0, length)));
  } finally {
    await file.close();
  }
}

export interface WriteOptions {
  /** False: neither report.html nor SVG charts. */
  html: boolean;
  /** True: the charts as PNG too (they are drawn for it even without HTML). */
  png?: boolean;
  /** Those of the investigation: with rows of all connections and findings, where the result does not list all of them. */
  tables?: Tables;
  /** Where charts are drawn; by default in this thread. */
  pool?: Pool;
}

/** Writes everything to `dir`. Rejects with OutputError, or with the file system's error; then `dir` is as before. */
export async function writeReport(result: Result, dir: string, options: WriteOptions): Promise<void> {
  await writeFolder(dir, isOurs, (folder) => writeFiles(folder, result, options, writeWhole));
}

/** The same into an empty folder that nobody looks into before it is whole. */
export async function writeInto(dir: string, result: Result, options: WriteOptions): Promise<void> {
  await writeFiles(dir, result, options, (path, write) => write(path));
}

async function writeFiles(
  dir: string,
  full: Result,
  { html, png, tables, pool = MAIN_THREAD }: WriteOptions,
  whole: typeof writeWhole,
): Promise<void> {
  const [{ buildCharts }, { renderMarkdown }] = await Promise.all([
    import('./charts/index.ts'),
    import('./markdown/markdown.ts'),
  ]);
  const inJson = readable(full);
  // every output says what any of them counts instead of listing
  const result = inJson.aggregated ? { ...full, aggregated: inJson.aggregated } : full;
  const file = (name: string, write: (path: string) => Promise<void>) => whole(join(dir, name), write);
  const text = (name: string, content: string) => file(name, (path) => writeNew(path, content));
  const table = <Row>(of: { file: string; columns: readonly Cells<Row>[] }, rows: Iterable<Row>) =>
    file(of.file, (path) => writePieces(path, csvLines(of.columns, rows)));
  if (full.unlisted && !tables)
    throw new Error('the result does not list all its connections: give the tables of the investigation');
  // the marker comes first: an interrupted report is still known as ours, and replaced by the next
  await file(RESULT_FILE, (path) => writeJson(path, inJson));
  const { connections, findings } = tables ?? tablesOf(full);
  await file(connectionsTable.file, (path) => writePieces(path, connections));
  await file(findingsTable.file, (path) => writePieces(path, findings));
  await table(timelineTable, result.timeline);
  await table(rulesTable, result.rules);
  await table(sourcesTable, sourceRows(result));
  await table(diagnosticsTable, result.diagnostics);
  await text('report.md', renderMarkdown(result));
  const charts = buildCharts(result);
  makeFolder(join(dir, 'charts'));
  for (const c of charts) await text(`charts/${c.id}.vl.json`, `${JSON.stringify(c.spec, null, 1)}\n`);
  if (!html && !png) return;
  const { renderHtml } = await import('./page/html.ts');
  const svgs = await pool.run('svgs', charts);
  const drawn = charts.map((chart, i) => ({ chart, svg: svgs[i]! }));
  if (png) {
    for (const { chart, svg } of drawn) {
      const picture = await pool.run('png', svg);
      await file(`charts/${chart.id}.png`, (path) => writeNew(path, picture));
    }
  }
  if (!html) return;
  for (const { chart, svg } of drawn) await text(`charts/${chart.id}.svg`, svg);
  await text('report.html', renderHtml(result, drawn));
}

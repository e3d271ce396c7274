/** Writes the output folder of `analyze`. A folder is either left as it was, or holds one whole report. */
import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Result } from '../model/result.ts';
import { orNothing } from '../platform/interrupt.ts';
import { writePairs } from './block-file.ts';
import { writeCsv } from './csv.ts';
import { headOf, writeCsvLines } from './csv-lines.ts';
import { RESULT_BEGINS, RESULT_FILE, readable, writeJson } from './json.ts';
import type { Lines } from './line-store.ts';
import { linesOf } from './plain.ts';
import { MAIN_THREAD, type Side } from './side/side.ts';
import { connectionsTable, diagnosticsTable, findingsTable, timelineTable } from './tables.ts';

/** The folder cannot be used as it is; the message says why, and what to do. */
export class OutputError extends Error {}

/**
 * Rejects with OutputError when `dir` is something other than a new folder, an empty one, or a report of ours: to be
 * called before a long analysis.
 */
export async function checkOutput(dir: string): Promise<void> {
  await stateOf(dir);
}

async function stateOf(dir: string): Promise<'new' | 'empty' | 'ours'> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return 'new';
    if (code === 'ENOTDIR') throw new OutputError(`${dir} is a file; -o names a folder`);
    throw error;
  }
  if (names.length === 0) return 'empty';
  if (names.includes(RESULT_FILE) && (await isOurs(join(dir, RESULT_FILE)))) return 'ours';
  throw new OutputError(`${dir} is not empty and holds no report of ours; name another folder, or empty it`);
}

/** The marker says so in its first bytes; it may be far too big to be parsed. */
async function isOurs(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return RESULT_BEGINS.test(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

export interface WriteOptions {
  /** False: neither report.html nor SVG charts. */
  html: boolean;
  /** True: the charts as PNG too (they are drawn for it even without HTML). */
  png?: boolean;
  /** Where charts are drawn; by default in this thread. */
  side?: Side;
}

/** Writes everything to `dir`. Rejects with OutputError, or with the file system's error; then `dir` is as before. */
export async function writeReport(result: Result, dir: string, options: WriteOptions): Promise<void> {
  const state = await stateOf(dir);
  if (state === 'new') await mkdir(dirname(resolve(dir)), { recursive: true });
  if (state === 'empty')
    return orNothing(
      () => empty(dir),
      () => writeFiles(result, dir, options),
    );
  const target = state === 'new' ? resolve(dir) : await realpath(dir);
  const fresh = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  await mkdir(fresh);
  const cleanUp = () => rmSync(fresh, { recursive: true, force: true });
  await orNothing(cleanUp, async () => {
    await writeFiles(result, fresh, options);
    await swap(fresh, target, state === 'ours');
  });
}

function empty(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
}

async function swap(fresh: string, target: string, replace: boolean): Promise<void> {
  if (!replace) return rename(fresh, target);
  const old = `${fresh}-old`;
  await rename(target, old).catch((error: Error) => {
    throw new OutputError(
      `${target} cannot be replaced (${error.message}); empty it, or name another folder`,
    );
  });
  try {
    await rename(fresh, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function writeFiles(
  full: Result,
  dir: string,
  { html, png, side = MAIN_THREAD }: WriteOptions,
): Promise<void> {
  const [{ buildCharts }, { renderMarkdown }] = await Promise.all([
    import('./charts/index.ts'),
    import('./markdown.ts'),
  ]);
  const inJson = readable(full);
  // every output says what any of them counts instead of listing
  const result = inJson.aggregated ? { ...full, aggregated: inJson.aggregated } : full;
  const file = (name: string, write: (path: string) => Promise<void>) => atomically(join(dir, name), write);
  const text = (name: string, content: string) =>
    file(name, (path) => writeFile(path, content, { flag: 'wx' }));
  const lines = linesOf(full);
  // the marker comes first: an interrupted report is still known as ours, and replaced by the next
  await file(RESULT_FILE, (path) => writeJson(path, inJson));
  await file(connectionsTable.file, (connections) =>
    file(findingsTable.file, async (findings) => {
      if (lines) return writePairs([connections, findings], tables(lines));
      await writeCsvLines(connections, connectionsTable.columns, result.connections);
      await writeCsvLines(findings, findingsTable.columns, result.findings);
    }),
  );
  await file(timelineTable.file, (path) => writeCsvLines(path, timelineTable.columns, result.timeline));
  await file(diagnosticsTable.file, (path) => writeCsv(path, diagnosticsTable.columns, result.diagnostics));
  await text('report.md', renderMarkdown(result));
  const charts = buildCharts(result);
  await mkdir(join(dir, 'charts'), { recursive: true });
  for (const c of charts) await text(`charts/${c.id}.vl.json`, `${JSON.stringify(c.spec, null, 1)}\n`);
  if (!html && !png) return;
  const { renderHtml } = await import('./html.ts');
  const drawn = [];
  for (const chart of charts) drawn.push({ chart, svg: await side.run('svg', chart) });
  if (png) {
    for (const { chart, svg } of drawn) {
      const picture = await side.run('png', svg);
      await file(`charts/${chart.id}.png`, (path) => writeFile(path, picture, { flag: 'wx' }));
    }
  }
  if (!html) return;
  for (const { chart, svg } of drawn) await text(`charts/${chart.id}.svg`, svg);
  await text('report.html', renderHtml(result, drawn));
}

/** connections.csv and findings.csv, a connection at a time. */
function* tables(lines: Iterable<Lines>): Iterable<readonly [string, string]> {
  yield [headOf(connectionsTable.columns), headOf(findingsTable.columns)];
  for (const { connection, findings } of lines)
    yield [`${connection}\n`, findings === '' ? '' : `${findings}\n`];
}

async function atomically(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

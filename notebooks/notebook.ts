/** What the notebooks share: reports as Arquero tables, and a page that grows cell by cell. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ColumnTable, table } from 'arquero';
import { parseFile } from 'fast-csv';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { analyze, writeReport } from '../src/index.ts';

export const SAMPLES = new URL('../samples/', import.meta.url).pathname;
const OUT = new URL('out/', import.meta.url).pathname;

export interface Report {
  connections: ColumnTable;
  findings: ColumnTable;
  timeline: ColumnTable;
}

/** A report folder as `tcpautopsy analyze -o` wrote it; anything else is analysed first. */
export async function reportOf(path: string): Promise<Report> {
  let folder = path;
  if (!existsSync(join(path, 'connections.csv'))) {
    folder = mkdtempSync(join(tmpdir(), 'notebook-'));
    await writeReport(await analyze([path]), folder, { html: false });
  }
  const [connections, findings, timeline] = await Promise.all(
    ['connections', 'findings', 'timeline'].map((name) => readCsv(join(folder, `${name}.csv`))),
  );
  return { connections: connections!, findings: findings!, timeline: timeline! };
}

/** A CSV file as a table: a column with nothing but numbers in it holds numbers, an empty cell is null. */
export function readCsv(path: string): Promise<ColumnTable> {
  return new Promise((resolve, reject) => {
    const rows: Record<string, string>[] = [];
    let names: string[] = [];
    parseFile(path, { headers: true })
      .on('headers', (found: string[]) => {
        names = found;
      })
      .on('data', (row) => rows.push(row))
      .on('error', reject)
      .on('end', () => {
        const column = (name: string) => typed(rows.map((row) => row[name] ?? ''));
        resolve(table(names.map((name) => [name, column(name)])));
      });
  });
}

function typed(cells: readonly string[]): (string | number | null)[] {
  const isNumber = cells.every((c) => c === '' || /^-?\d+(\.\d+)?$/.test(c));
  return cells.map((c) => (c === '' ? null : isNumber ? Number(c) : c));
}

/** Seconds of a time as the CSV has it: RFC 3339, time of day, or a duration (`PT12.5S`). */
export function secondsOf(time: unknown): number | null {
  if (time === null || time === undefined || time === '') return null;
  const match = /^(?:(\S+)T)?(\d\d):(\d\d):(\d\d(?:\.\d+)?)/.exec(String(time));
  if (!match) return Number(/^PT(-?[\d.]+)S$/.exec(String(time))?.[1] ?? Number.NaN);
  const [, date, h, m, s] = match;
  const day = date ? Date.parse(`${date}T00:00:00Z`) / 1e3 : 0;
  return day + 3600 * Number(h) + 60 * Number(m) + Number(s);
}

/** Runs a batch over an archive of captures, every connection one by one, and gives the folder it wrote. */
export async function batchOf(path: string): Promise<string> {
  const { runBatch } = await import('../src/batch.ts');
  const { defaultLimits } = await import('../src/archive/crew.ts');
  const nothing = () => undefined;
  const out = join(mkdtempSync(join(tmpdir(), 'notebook-')), 'OUT');
  const options = {
    ...{
      inputs: [path],
      out,
      jobs: 0,
      shard: null,
      queue: null,
      retryFailed: false,
      limits: defaultLimits(1),
    },
    ...{ walk: { recursive: true, exclude: [] }, period: { since: null, until: null } },
    group: { html: 'never', connections: 'all' } as const,
  };
  const events = { look: nothing, plan: nothing, begin: nothing, end: nothing, note: nothing };
  await runBatch(options, events, nothing);
  return out;
}

/** A Parquet table of a batch, through DuckDB, with the folder of each capture below what they have in common as `capture`. */
export async function tableOf(out: string, name: 'connections' | 'findings'): Promise<ColumnTable> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  const parquet = (of: string) =>
    `read_parquet('${out}/tables/v1/${of}/*/*.parquet', union_by_name = true, hive_partitioning = false)`;
  const sql = `SELECT t.*, g.place FROM ${parquet(name)} t JOIN ${parquet('groups')} g USING (group_key) ORDER BY place, connection_id`;
  const rows = (await connection.runAndReadAll(sql)).getColumnsObject();
  connection.closeSync();
  const places = rows.place as string[];
  const root = commonFolder(places);
  const capture = places.map((place) => place.slice(root.length).split('/')[0]);
  const numbers = (cells: readonly unknown[]) => cells.map((c) => (typeof c === 'bigint' ? Number(c) : c));
  return table({
    ...Object.fromEntries(Object.entries(rows).map(([k, cells]) => [k, numbers(cells)])),
    capture,
  });
}

function commonFolder(places: readonly string[]): string {
  let root = places[0]?.replace(/[^/]*$/, '') ?? '';
  while (!places.every((place) => place.startsWith(root))) root = root.replace(/[^/]*\/$/, '');
  return root;
}

/** A page in Markdown, with its charts beside it, under notebooks/out. */
export class Notebook {
  readonly #name: string;
  readonly #parts: string[] = [];

  constructor(name: string) {
    this.#name = name;
    mkdirSync(OUT, { recursive: true });
  }

  say(text: string): void {
    this.#parts.push(text);
  }

  table(rows: ColumnTable, limit = 20): void {
    this.#parts.push(rows.toMarkdown({ limit }).trimEnd());
    if (rows.numRows() > limit) this.#parts.push(`(${limit} of ${rows.numRows()} rows)`);
  }

  async chart(id: string, spec: TopLevelSpec): Promise<string> {
    const view = new View(parse(compile(spec).spec), { renderer: 'none' });
    const svg = await view.toSVG();
    view.finalize();
    const file = `${this.#name}-${id}.svg`;
    writeFileSync(join(OUT, file), svg);
    this.#parts.push(`![${id}](${file})`);
    return svg;
  }

  /** Returns the path of the page. */
  save(): string {
    const path = join(OUT, `${this.#name}.md`);
    writeFileSync(path, `${this.#parts.join('\n\n')}\n`);
    return path;
  }
}

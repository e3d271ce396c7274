/** What the notebooks share: reports as Arquero tables, and a page that grows cell by cell. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ColumnTable, fromCSV } from 'arquero';
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
  const table = (name: string) =>
    fromCSV(readFileSync(join(folder, `${name}.csv`), 'utf8'), { autoMax: 10_000 });
  return { connections: table('connections'), findings: table('findings'), timeline: table('timeline') };
}

/** Seconds of a time as the CSV has it: RFC 3339, time of day, or seconds already. */
export function secondsOf(time: unknown): number | null {
  if (time === null || time === undefined || time === '') return null;
  if (time instanceof Date) return time.getTime() / 1e3;
  const match = /^(?:(\S+)T)?(\d\d):(\d\d):(\d\d(?:\.\d+)?)/.exec(String(time));
  if (!match) return Number(time);
  const [, date, h, m, s] = match;
  const day = date ? Date.parse(`${date}T00:00:00Z`) / 1e3 : 0;
  return day + 3600 * Number(h) + 60 * Number(m) + Number(s);
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

  table(table: ColumnTable, limit = 20): void {
    this.#parts.push(table.toMarkdown({ limit }).trimEnd());
    if (table.numRows() > limit) this.#parts.push(`(${limit} of ${table.numRows()} rows)`);
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

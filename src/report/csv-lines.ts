/**
 * CSV for tables of millions of rows, byte for byte what the writer in csv.ts makes of them. A cell of plain
 * characters, and nearly all are, is written as it is.
 */
import { writePieces } from './block-file.ts';
import { encodeCell } from './csv.ts';
import type { Cell, Column } from './tables/column.ts';

/** Nothing to escape, nothing to quote, and no beginning that a spreadsheet takes for a formula. */
const PLAIN = /^[ !#-*./0-9:;<>?A-Z[-{}~][ !#-+\--{}~]*$/;
/** What fast-csv quotes: `|` is among it. */
const QUOTED = /["\r\n,|]/;

/** Writes a whole table to a new file. Rejects with the file system's error. */
export async function writeCsvLines<Row extends object>(
  path: string,
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
): Promise<void> {
  await writePieces(path, linesOf(columns, rows));
}

function* linesOf<Row extends object>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
): Generator<string> {
  yield headOf(columns);
  for (const row of rows) yield `${csvLine(columns, row)}\n`;
}

/** The line of names, with its end. */
export function headOf<Row>(columns: readonly Column<Row>[]): string {
  return `${columns.map((c) => quoted(c.name)).join(',')}\n`;
}

/** One line without its end. */
export function csvLine<Row>(columns: readonly Column<Row>[], row: Row): string {
  let line = '';
  for (let i = 0; i < columns.length; i++) {
    const text = csvCell(columns[i]!.value(row));
    line = i === 0 ? text : `${line},${text}`;
  }
  return line;
}

/** A cell as it stands in a line. */
export function csvCell(value: Cell): string {
  if (value === null || value === '') return '';
  if (typeof value === 'string' && PLAIN.test(value)) return value;
  return quoted(encodeCell(value));
}

function quoted(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

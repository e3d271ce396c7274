/**
 * CSV (RFC 4180, UTF-8, LF, a header line) for tables of millions of rows, byte for byte what fast-csv makes of them. A
 * cell of plain characters, and nearly all are, is written as it is.
 */
import { csvText } from '../view/escape.ts';
import type { Cell, Column } from './column.ts';

/** As much of columns as a writer needs. */
export type Cells<Row> = Pick<Column<Row>, 'name' | 'value'>;

/** Nothing to escape, nothing to quote, and no beginning that a spreadsheet takes for a formula. */
const PLAIN = /^[ !#-*./0-9:;<>?A-Z[-{}~][ !#-+\--{}~]*$/;
/** What fast-csv quotes: `|` is among it. */
const QUOTED = /["\r\n,|]/;

/** A whole table, line by line. */
export function* csvLines<Row>(columns: readonly Cells<Row>[], rows: Iterable<Row>): Generator<string> {
  yield headOf(columns);
  for (const row of rows) yield `${csvLine(columns, row)}\n`;
}

/** The line of names, with its end. */
export function headOf<Row>(columns: readonly Cells<Row>[]): string {
  return `${columns.map((c) => quoted(c.name)).join(',')}\n`;
}

/** One line without its end. */
export function csvLine<Row>(columns: readonly Cells<Row>[], row: Row): string {
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

/** One cell before quoting: '' for null, numbers plain (never 1e-7), text disarmed. */
export function encodeCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  return Number.isInteger(value) ? String(value) : withoutZeros(value.toFixed(9));
}

/** `1.500000000` → `1.5`, `0.000000000` → `0`. */
function withoutZeros(text: string): string {
  let end = text.length;
  if (text[end - 10] !== '.') return text;
  while (text[end - 1] === '0') end--;
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end);
}

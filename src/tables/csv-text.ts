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
const ZERO = 48;
/** What fast-csv quotes: `|` is among it. */
const QUOTED = /["\r\n,|]/;

/** A whole table, line by line. */
export function* csvLines<Row>(columns: readonly Cells<Row>[], rows: Iterable<Row>): Generator<string> {
  yield headOf(columns);
  const lines = new Lines(columns);
  for (const row of rows) yield lines.of(row);
}

/** Makes lines of rows. A text that stood in the row above, as most do in a column, is made once. */
export class Lines<Row> {
  readonly #columns: readonly Cells<Row>[];
  readonly #above: Cell[];
  readonly #texts: string[];

  constructor(columns: readonly Cells<Row>[]) {
    this.#columns = columns;
    this.#above = columns.map(() => null);
    this.#texts = columns.map(() => '');
  }

  /** With its end. */
  of(row: Row): string {
    const [columns, above, texts] = [this.#columns, this.#above, this.#texts];
    let line = '';
    for (let i = 0; i < columns.length; i++) {
      const value = columns[i]!.value(row);
      if (i > 0) line += ',';
      if (typeof value === 'number') line += encodeCell(value);
      else {
        if (value !== above[i]) {
          above[i] = value;
          texts[i] = csvCell(value);
        }
        line += texts[i]!;
      }
    }
    return `${line}\n`;
  }
}

/** The line of names, with its end. */
export function headOf<Row>(columns: readonly Cells<Row>[]): string {
  return `${columns.map((c) => quoted(c.name)).join(',')}\n`;
}

/** A text as it stands in a line. */
function csvCell(value: string | null): string {
  if (value === null || value === '') return '';
  return PLAIN.test(value) ? value : quoted(csvText(value));
}

function quoted(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One cell before quoting: '' for null, numbers plain (never 1e-7), text disarmed. */
export function encodeCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  return Number.isInteger(value) ? `${value}` : fraction(value);
}

/** Seconds of so many whole nanoseconds have no more digits than those; what is longer a double does not tell from others. */
const LONGEST = 4e6;

/** With up to nine digits behind the point. */
function fraction(value: number): string {
  const ns = Math.round(value * 1e9);
  if (value < 0 || value > LONGEST || ns / 1e9 !== value) return withoutZeros(value.toFixed(9));
  const whole = Math.floor(ns / 1e9);
  // a digit in front keeps the zeros
  return withoutZeros(`${whole}.${String(1e9 + ns - whole * 1e9).slice(1)}`);
}

/** `1.500000000` → `1.5`, `0.000000000` → `0`. */
function withoutZeros(text: string): string {
  let end = text.length;
  if (text[end - 10] !== '.') return text;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end);
}

/**
 * CSV as RFC 4180 has it, UTF-8, LF, a header line. One interface stands between tables and encoder: the big tables
 * have one of their own, csv-lines.ts, that writes the same bytes.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { csvText } from './escape.ts';
import type { Cell, Column } from './tables/column.ts';

/** Writes a whole table to a new file. Rejects with the file system's error. */
export type CsvWriter = <Row>(
  path: string,
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
) => Promise<void>;

export const writeCsv: CsvWriter = async (path, columns, rows) => {
  const { format } = await import('fast-csv');
  const encoder = format({
    headers: columns.map((c) => c.name),
    alwaysWriteHeaders: true,
    includeEndRowDelimiter: true,
  });
  await pipeline(
    Readable.from(encodedRows(columns, rows)),
    encoder,
    createWriteStream(path, { flags: 'wx' }),
  );
};

function* encodedRows<Row>(columns: readonly Column<Row>[], rows: Iterable<Row>): Generator<string[]> {
  for (const row of rows) yield columns.map((c) => encodeCell(c.value(row)));
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

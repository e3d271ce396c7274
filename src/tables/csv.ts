/** Tables through fast-csv: all that are not a row a connection. csv-text.ts writes the same bytes for those that are. */
import { type Cells, encodeCell } from './csv-text.ts';

/** A table as CSV: RFC 4180, UTF-8, LF, a header line. */
export async function csvOf<Row>(columns: readonly Cells<Row>[], rows: Iterable<Row>): Promise<string> {
  const { writeToString } = await import('fast-csv');
  const encoded = [];
  for (const row of rows) encoded.push(columns.map((c) => encodeCell(c.value(row))));
  return writeToString(encoded, {
    headers: columns.map((c) => c.name),
    alwaysWriteHeaders: true,
    includeEndRowDelimiter: true,
  });
}

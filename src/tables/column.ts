import type { ClockLabel } from '../model/time.ts';

/** null is an empty cell: not known, or not applicable. */
export type Cell = string | number | null;

/** A column of a CSV file. Its documentation stands here and nowhere else: docs/columns.md is made from it. */
export interface Column<Row> {
  name: string;
  /** One line of Markdown. */
  doc: string;
  /** Of numbers: `s`, `bytes`, `packets`. */
  unit?: string;
  /** Many rows have one of few long texts. */
  few?: true;
  value(row: Row): Cell;
}

/**
 * A field of a row: how it is derived from what is known of it, and the column that shows it, or the columns of what is no
 * cell by itself. `cell` is given the row, or all that is known of it: what both have.
 */
export type Field<Facts> =
  | (Said & { of(facts: Facts): Cell })
  | { of(facts: Facts): unknown; columns: readonly (Said & { cell(value: never, row: never): Cell })[] };
type Said = Omit<Column<never>, 'value'>;
/** In their order. */
export type Fields<Facts> = Readonly<Record<string, Field<Facts>>>;

/** The row that fields make. */
export type RowOf<F extends Fields<never>> = { [Name in keyof F]: ReturnType<F[Name]['of']> };

export interface Table<Row> {
  /** File name in the output folder. */
  file: string;
  doc: string;
  columns: readonly Column<Row>[];
}

/**
 * A time in a column that holds text whatever the clock: RFC 3339 in UTC, a time of day, and seconds of a clock that
 * began anywhere as the duration of ISO 8601 that they are (`PT12.5S`).
 */
export function timeText(time: string, clock: ClockLabel): string {
  return clock === 'relative' && time !== '' ? `PT${time}S` : time;
}

/** Everything is derived. */
export function rowOf<Facts, F extends Fields<Facts>>(fields: F, facts: Facts): RowOf<F> {
  // a copy, so that V8 gives all rows one shape: with properties that are added one by one each is a hash table of its own
  const row: Record<string, unknown> = { ...fields };
  for (const name in fields) row[name] = fields[name]!.of(facts);
  return row as RowOf<F>;
}

/** Columns of rows that are made. */
export function columnsOf<F extends Fields<never>>(fields: F): Column<RowOf<F>>[] {
  return columnsBy(fields, (name) => (row: RowOf<F>) => row[name]);
}

/** The same columns of what rows are derived from, for rows that are only written. */
export function derivedColumns<Facts>(fields: Fields<Facts>): Column<Facts>[] {
  return columnsBy(fields, (name) => fields[name]!.of);
}

function columnsBy<From>(
  fields: Fields<never>,
  reading: (name: string) => (from: From) => unknown,
): Column<From>[] {
  return Object.entries(fields).flatMap(([name, { of: _, ...field }]) => {
    const value = reading(name);
    if (!('columns' in field)) return { ...field, value: value as Column<From>['value'] };
    return field.columns.map(({ cell, ...said }) => ({
      ...said,
      value: (from: From) => cell(value(from) as never, from as never),
    }));
  });
}

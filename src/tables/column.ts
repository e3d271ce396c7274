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

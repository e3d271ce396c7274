/** null is an empty cell: not known, or not applicable. */
export type Cell = string | number | null;

/** A column of a CSV file. Its documentation stands here and nowhere else: docs/columns.md is made from it. */
export interface Column<Row> {
  name: string;
  /** One line of Markdown. */
  doc: string;
  /** Of numbers: `s`, `bytes`, `packets`. */
  unit?: string;
  value(row: Row): Cell;
}

export interface Table<Row> {
  /** File name in the output folder. */
  file: string;
  doc: string;
  columns: readonly Column<Row>[];
}

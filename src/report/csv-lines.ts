/**
 * CSV for tables of millions of rows, byte for byte what the writer in csv.ts makes of them. A cell of plain
 * characters, and nearly all are, is written as it is; lines gather in one of two buffers while the system writes the other.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { encodeCell } from './csv.ts';
import type { Cell, Column } from './tables/column.ts';

/** Bytes of a buffer: large enough that a write costs nothing beside its making. */
const BLOCK = 1 << 20;
/** Characters of lines that are put together before they become bytes. */
const CHUNK = 1 << 15;
/** UTF-8 needs at most so many bytes for one UTF-16 unit. */
const WIDEST = 3;

/** Nothing to escape, nothing to quote, and no beginning that a spreadsheet takes for a formula. */
const PLAIN = /^[ !#-*./0-9:;<>?A-Z[-{}~][ !#-+\--{}~]*$/;
/** What fast-csv quotes: `|` is among it. */
const QUOTED = /["\r\n,|]/;

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

/**
 * Writes a whole table to a new file. Rejects with the file system's error. A row may also come as the finished text of
 * its line (`csvLine`, `csvCell`), from code that makes rows without objects.
 */
export type CsvLinesWriter = <Row extends object>(
  path: string,
  columns: readonly Column<Row>[],
  rows: Iterable<Row | string>,
) => Promise<void>;

export const writeCsvLines: CsvLinesWriter = async (path, columns, rows) => {
  const file = new BlockFile(await open(path, 'wx'));
  try {
    await writeLines(file, columns, rows);
    await file.end();
  } finally {
    await file.close();
  }
};

async function writeLines<Row extends object>(
  file: BlockFile,
  columns: readonly Column<Row>[],
  rows: Iterable<Row | string>,
): Promise<void> {
  let text = `${columns.map((c) => quoted(c.name)).join(',')}\n`;
  for (const row of rows) {
    text += typeof row === 'string' ? row : csvLine(columns, row);
    text += '\n';
    if (text.length < CHUNK) continue;
    if (!file.put(text)) await file.next(text);
    text = '';
  }
  if (!file.put(text)) await file.next(text);
}

/** A file written in blocks: while one is on its way to the system the other is filled, and no further. */
class BlockFile {
  readonly #handle: FileHandle;
  #filling = Buffer.allocUnsafeSlow(BLOCK);
  #spare = Buffer.allocUnsafeSlow(BLOCK);
  #used = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** False when there may be no room for it: then it belongs to `next`. */
  put(text: string): boolean {
    if (this.#used + text.length * WIDEST > BLOCK) return false;
    this.#used += this.#filling.write(text, this.#used);
    return true;
  }

  /** Hands the full buffer to the system, once the one before has been written, and puts `text` into the other. */
  async next(text: string): Promise<void> {
    await this.#writing;
    this.#write(this.#filling.subarray(0, this.#used));
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#used = 0;
    if (this.put(text)) return;
    await this.#writing;
    this.#write(Buffer.from(text));
    await this.#writing;
  }

  async end(): Promise<void> {
    await this.#writing;
    this.#write(this.#filling.subarray(0, this.#used));
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }

  #write(bytes: Uint8Array): void {
    this.#writing = this.#handle.writeFile(bytes);
    // seen by whoever waits for it, which may be later than it fails
    this.#writing.catch(() => undefined);
  }
}

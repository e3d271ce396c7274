/**
 * CSV (RFC 4180, UTF-8, LF, a header line) for tables of millions of rows, byte for byte what fast-csv makes of them. A
 * cell of plain characters, and nearly all are, becomes bytes without another string.
 */
import { visible } from '../model/visible.ts';
import type { Cell, Column } from './column.ts';

/** As much of columns as a writer needs. */
export type Cells<Row> = Pick<Column<Row>, 'name' | 'value' | 'few'>;

const ZERO = 48;
const POINT = 46;
const QUOTE = 34;
const COMMA = 44;
const LINE_FEED = 10;
/** What fast-csv quotes: `|` is among it. */
const QUOTED = /["\r\n,|]/;

/** What a character asks of its cell: quotes around it, or to be looked at as text. */
const IN_QUOTES = 1;
const AS_TEXT = 2;
const ASKS = Uint8Array.from({ length: 128 }, (_, c) => {
  if (c < 0x20 || c > 0x7e) return AS_TEXT;
  return QUOTED.test(String.fromCharCode(c)) ? IN_QUOTES : 0;
});
/** A spreadsheet takes what begins so for a formula. */
const BEGINS_FORMULA: readonly number[] = [...'=+-@'].map((c) => c.charCodeAt(0));

/** UTF-8 needs at most so many bytes for one UTF-16 unit, and a plain character in quotes two. */
const WIDEST = 3;
/** Digits of a number below 2^31, and of seconds with nine behind the point. */
const WIDEST_NUMBER = 24;

/** Texts of which the bytes are kept. */
const KEPT = 1000;

const encoder = new TextEncoder();

/** A whole table, line by line. */
export function* csvLines<Row>(columns: readonly Cells<Row>[], rows: Iterable<Row>): Generator<string> {
  const lines = new Lines(columns);
  const decoder = new TextDecoder();
  lines.head();
  yield decoder.decode(lines.bytes.subarray(0, lines.length));
  for (const row of rows) {
    lines.of(row);
    yield decoder.decode(lines.bytes.subarray(0, lines.length));
  }
}

/** Makes lines of rows, one after the other in the same memory. */
export class Lines<Row> {
  /** The line that was made last, with its end: so many of these bytes. */
  bytes = new Uint8Array(4096);
  length = 0;
  readonly #columns: readonly Cells<Row>[];
  /** Cells as they were written, by their text. */
  readonly #few = new Map<string, Uint8Array>();

  constructor(columns: readonly Cells<Row>[]) {
    this.#columns = columns;
  }

  /** The line of names. */
  head(): void {
    this.length = 0;
    for (const [i, { name }] of this.#columns.entries()) {
      if (i > 0) this.#put(COMMA);
      this.#encode(quoted(name));
    }
    this.#put(LINE_FEED);
  }

  of(row: Row): void {
    const columns = this.#columns;
    this.length = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      const value = column.value(row);
      if (i > 0) this.#put(COMMA);
      if (typeof value === 'number') this.#number(value);
      else if (column.few && value) this.#kept(value);
      else if (value !== null && value !== '') this.#text(value);
    }
    this.#put(LINE_FEED);
  }

  #kept(value: string): void {
    const bytes = this.#few.get(value);
    if (bytes) {
      this.#reserve(bytes.length);
      this.bytes.set(bytes, this.length);
      this.length += bytes.length;
      return;
    }
    const from = this.length;
    this.#text(value);
    if (this.#few.size === KEPT) this.#few.clear();
    this.#few.set(value, this.bytes.slice(from, this.length));
  }

  #put(byte: number): void {
    if (this.length === this.bytes.length) this.#grow(1);
    this.bytes[this.length++] = byte;
  }

  #text(value: string): void {
    const { length } = value;
    this.#reserve(2 * length + 2);
    const bytes = this.bytes;
    let at = this.length;
    let asks = BEGINS_FORMULA.includes(value.charCodeAt(0)) ? AS_TEXT : 0;
    for (let i = 0; i < length; i++) {
      const c = value.charCodeAt(i);
      asks |= c < 128 ? ASKS[c]! : AS_TEXT;
      bytes[at++] = c;
    }
    if (asks & AS_TEXT) {
      this.#encode(quoted(csvText(value)));
      return;
    }
    if (asks !== 0) {
      // once more, over what was written
      at = this.length;
      bytes[at++] = QUOTE;
      for (let i = 0; i < length; i++) {
        const c = value.charCodeAt(i);
        if (c === QUOTE) bytes[at++] = QUOTE;
        bytes[at++] = c;
      }
      bytes[at++] = QUOTE;
    }
    this.length = at;
  }

  /** As encodeCell has it. */
  #number(value: number): void {
    this.#reserve(WIDEST_NUMBER);
    if (value === (value | 0) && value >= 0) {
      this.#digits(value, 1);
      return;
    }
    const ns = nanosecondsOf(value);
    if (ns < 0) {
      this.#encode(encodeCell(value));
      return;
    }
    const whole = Math.floor(ns / 1e9);
    this.#digits(whole, 1);
    this.#put(POINT);
    this.#digits(ns - whole * 1e9, 9);
    while (this.bytes[this.length - 1] === ZERO) this.length--;
  }

  /** A whole number of 31 bits in at least so many digits. */
  #digits(value: number, least: number): void {
    let digits = 1;
    for (let rest = value; rest > 9; rest = (rest / 10) | 0) digits++;
    const from = this.length;
    this.length = from + Math.max(digits, least);
    let rest = value;
    for (let at = this.length - 1; at >= from; at--) {
      const tens = (rest / 10) | 0;
      this.bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
  }

  #encode(text: string): void {
    this.#reserve(text.length * WIDEST);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  #reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

function quoted(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a spreadsheet takes for a formula (OWASP "CSV injection"); the wide forms are read like the narrow ones. */
const FORMULA = /^[=+\-@＝＋－＠]/;
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/**
 * A text cell of a CSV file. A leading `'` disarms a formula: spreadsheets take the cell for text, programs can strip
 * it. Tab and CR, which would arm one as well, are visible escapes by then. A number in text stays what it is.
 */
function csvText(text: string): string {
  const seen = visible(text);
  return FORMULA.test(seen) && !NUMBER.test(seen) ? `'${seen}` : seen;
}

/** One cell before quoting: '' for null, numbers plain (never 1e-7), text disarmed. */
export function encodeCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'string') return csvText(value);
  return Number.isInteger(value) ? `${value}` : fraction(value);
}

/** Seconds of so many whole nanoseconds have no more digits than those; what is longer a double does not tell from others. */
const LONGEST = 4e6;

/** Of seconds that are no whole number, and more exact than nanoseconds or too many: -1. */
function nanosecondsOf(value: number): number {
  const ns = Math.round(value * 1e9);
  return value < 0 || value > LONGEST || ns / 1e9 !== value ? -1 : ns;
}

/** With up to nine digits behind the point: `1.500000000` → `1.5`, `0.000000000` → `0`. */
function fraction(value: number): string {
  const text = value.toFixed(9);
  let end = text.length;
  if (text[end - 10] !== '.') return text;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end);
}

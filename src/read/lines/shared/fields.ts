/**
 * Cuts a line into fields without allocating: only the fields that are asked for become strings. Linear in the
 * line, whatever stands in it, which no regular expression over columns of free text is.
 */
import { LineUnits } from '../../../platform/units.ts';
import type { TextCache } from './text-cache.ts';
import { decimalOf } from './times.ts';

/** More fields than any record of any format here has. */
const MAX_FIELDS = 64;
const SPACE = 32;
const TAB = 9;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const LOWER_A = 97;
const LOWER_F = 102;
const LOWER_X = 120;

export class Fields {
  line = '';
  /** Number of fields; MAX_FIELDS + 1 when there are more than can be kept. */
  count = 0;
  readonly #starts = new Int32Array(MAX_FIELDS);
  readonly #ends = new Int32Array(MAX_FIELDS);
  readonly #units = new LineUnits();
  #codes = this.#units.take('');

  /** Fields between runs of spaces and tabs. */
  blanks(line: string): this {
    this.#take(line);
    const codes = this.#codes;
    const { length } = line;
    for (let i = 0; i < length; ) {
      let code = codes[i];
      if (code === SPACE || code === TAB) {
        i++;
        continue;
      }
      const start = i;
      while (i < length && code !== SPACE && code !== TAB) code = codes[++i];
      if (!this.#add(start, i)) break;
    }
    return this;
  }

  /** Fields between single separators, empty ones included. No quoting: these tools do none. */
  separated(line: string, separator: string): this {
    this.#take(line);
    for (let start = 0; ; ) {
      const end = line.indexOf(separator, start);
      if (!this.#add(start, end < 0 ? line.length : end) || end < 0) break;
      start = end + 1;
    }
    return this;
  }

  #take(line: string): void {
    this.line = line;
    this.count = 0;
    this.#codes = this.#units.take(line);
  }

  #add(start: number, end: number): boolean {
    if (this.count >= MAX_FIELDS) {
      this.count = MAX_FIELDS + 1;
      return false;
    }
    this.#starts[this.count] = start;
    this.#ends[this.count++] = end;
    return true;
  }

  get tooMany(): boolean {
    return this.count > MAX_FIELDS;
  }

  start(index: number): number {
    return this.#starts[index]!;
  }

  end(index: number): number {
    return this.#ends[index]!;
  }

  text(index: number): string {
    return this.line.slice(this.#starts[index], this.#ends[index]);
  }

  /** Everything from the start of one field to the end of another, as it stands; '' when there is none. */
  span(first: number, last: number): string {
    return first > last ? '' : this.line.slice(this.#starts[first], this.#ends[last]);
  }

  is(index: number, text: string): boolean {
    const start = this.#starts[index]!;
    return this.#ends[index]! - start === text.length && this.line.startsWith(text, start);
  }

  /** Digits, a dot and digits, of each at least one and at most so many. */
  isDecimal(index: number, most: number): boolean {
    const end = this.#ends[index]!;
    let digits = 0;
    let dots = 0;
    for (let i = this.#starts[index]!; i < end; i++) {
      const code = this.#codes[i]!;
      if (code === DOT && dots === 0 && digits > 0) {
        dots = 1;
        digits = 0;
      } else if (code < ZERO || code > NINE || ++digits > most) return false;
    }
    return dots === 1 && digits > 0;
  }

  /** Hexadecimal digits of either case, at least one; also behind `0x`. */
  isHex(index: number): boolean {
    const end = this.#ends[index]!;
    let i = this.#starts[index]!;
    if (i + 1 < end && this.#codes[i] === ZERO && (this.#codes[i + 1]! | 32) === LOWER_X) i += 2;
    if (i >= end) return false;
    for (; i < end; i++) {
      const code = this.#codes[i]!;
      const lower = code | 32;
      if ((code < ZERO || code > NINE) && (lower < LOWER_A || lower > LOWER_F)) return false;
    }
    return true;
  }

  /** The field as a whole decimal number of at most 15 digits, or -1 when it is none. */
  integer(index: number): number {
    const end = this.#ends[index]!;
    let value = 0;
    let i = this.#starts[index]!;
    if (i === end || end - i > 15) return -1;
    for (; i < end; i++) {
      const digit = this.#codes[i]! - ZERO;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Digits, with or without a dot and digits behind, as a number of units to nanoseconds, or -1 (see decimalToNs). */
  decimal(index: number, unit: number): number {
    return decimalOf(this.#codes, this.#starts[index]!, this.#ends[index]!, unit);
  }

  /** What a cache has of the text from one field to another. */
  cached<T>(cache: TextCache<T>, first: number, last = first): T {
    const start = this.#starts[first]!;
    return cache.of(this.line, this.#codes, start, first > last ? start : this.#ends[last]!);
  }

  /** The field as a port (0 to 65535), or -1. */
  port(index: number): number {
    const value = this.integer(index);
    return value > 65535 ? -1 : value;
  }
}

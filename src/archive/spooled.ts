/** A list that lies in a temporary file where it is long: memory holds where each element begins, and nothing else of it. */
import { closeScratch, openScratch, readAt, writeAt } from '../platform/scratch.ts';

const CHUNK = 1 << 16;
/** Characters of a list that stays in memory. */
const SHORT = 1 << 22;
/** Descriptors of lists that nobody needs any more. */
const FILES = new FinalizationRegistry<number>(closeScratch);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Elements are plain data; each is read anew when it is asked for. */
export class Spooled<T> implements Iterable<T> {
  /** Its lines, as long as it is short; null: they are in the file. */
  #lines: string[] | null = [];
  #characters = 0;
  #file = -1;
  /** Where each element begins, and where the next one will. */
  #begins = new Float64Array(256);
  #length = 0;
  /** What is not in the file yet. */
  #waiting = '';
  #written = 0;

  get length(): number {
    return this.#lines?.length ?? this.#length;
  }

  /** At which place it is. */
  add(element: T): number {
    const line = `${JSON.stringify(element)}\n`;
    if (!this.#lines) return this.#append(line);
    this.#characters += line.length;
    const length = this.#lines.push(line);
    if (this.#characters > SHORT) this.#spill(this.#lines);
    return length - 1;
  }

  #spill(lines: readonly string[]): void {
    this.#lines = null;
    this.#file = openScratch();
    FILES.register(this, this.#file);
    for (const line of lines) this.#append(line);
  }

  #append(line: string): number {
    const n = this.#length++;
    if (n + 1 === this.#begins.length) {
      const more = new Float64Array(2 * this.#begins.length);
      more.set(this.#begins);
      this.#begins = more;
    }
    this.#begins[n + 1] = this.#begins[n]! + Buffer.byteLength(line);
    this.#waiting += line;
    if (this.#waiting.length >= CHUNK) this.#put();
    return n;
  }

  at(n: number): T {
    return JSON.parse(this.#lines?.[n] ?? decoder.decode(this.#bytes(n, n + 1)));
  }

  *[Symbol.iterator](): Generator<T> {
    for (const text of this.pieces()) for (const line of text.split('\n')) if (line) yield JSON.parse(line);
  }

  /** As JSON, a line an element. */
  *pieces(): Generator<string> {
    if (this.#lines) yield* this.#lines;
    for (let n = 0; n < this.#length; ) {
      let end = n + 1;
      while (end < this.#length && this.#begins[end + 1]! - this.#begins[n]! <= CHUNK) end++;
      yield decoder.decode(this.#bytes(n, end));
      n = end;
    }
  }

  /** Takes back what was added after the first `length`. */
  truncate(length: number): void {
    if (this.#lines) {
      this.#lines.length = length;
      return;
    }
    this.#put();
    this.#length = length;
    this.#written = this.#begins[length]!;
  }

  #bytes(from: number, to: number): Uint8Array {
    const at = this.#begins[from]!;
    const bytes = new Uint8Array(this.#begins[to]! - at);
    if (at + bytes.length > this.#written) this.#put();
    readAt(this.#file, bytes, at);
    return bytes;
  }

  #put(): void {
    const bytes = encoder.encode(this.#waiting);
    this.#waiting = '';
    writeAt(this.#file, bytes, this.#written);
    this.#written += bytes.length;
  }
}

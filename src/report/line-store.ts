/** Lines of a table that are made before the table is written: kept as bytes, and beyond a few megabytes in a temporary file. */
import { Archive } from '../connect/archive.ts';

/** Chunks of 1 MB held in memory. */
const HELD = 8;
const LENGTH = 4;

export class LineStore {
  readonly #archive = new Archive(HELD);
  readonly #record = { bytes: Buffer.allocUnsafe(1 << 12), length: 0 };
  #last = 0;

  /** Keeps the text of a number, one or several lines without the last end of line. */
  add(number: number, text: string): void {
    const record = this.#record;
    const most = LENGTH + text.length * 3;
    if (most > record.bytes.length) record.bytes = Buffer.allocUnsafe(most * 2);
    const length = record.bytes.write(text, LENGTH);
    record.bytes.writeUInt32LE(length, 0);
    record.length = LENGTH + length;
    this.#archive.add(number, 1, record);
    this.#last = Math.max(this.#last, number);
  }

  /** By number, ascending. The object is the same each time. */
  *lines(): Iterable<{ number: number; text: string }> {
    const line = { number: 0, text: '' };
    for (let number = 1; number <= this.#last; number++) {
      if (this.#archive.note(number) === 0) continue;
      const { bytes, at } = this.#archive.place(number);
      const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      line.number = number;
      line.text = record.toString('utf8', at + LENGTH, at + LENGTH + record.readUInt32LE(at));
      yield line;
    }
  }
}

/** Lines of the big tables that are made before those are written: kept as bytes, and beyond a few megabytes in a temporary file. */
import { Archive } from '../connect/archive.ts';

/** What the big tables say of one connection. */
export interface Lines {
  number: number;
  /** Its line of connections.csv. */
  connection: string;
  /** Its lines of findings.csv, '' for none. Neither has the last end of line. */
  findings: string;
}

/** Chunks of 1 MB held in memory. */
const HELD = 2;
/** Bytes before the texts: how long each of them is. */
const LENGTHS = 8;

export class LineStore {
  readonly #archive = new Archive(HELD);
  readonly #record = { bytes: Buffer.allocUnsafe(1 << 12), length: 0 };
  #last = 0;

  add({ number, connection, findings }: Lines): void {
    const record = this.#record;
    const most = LENGTHS + (connection.length + findings.length) * 3;
    if (most > record.bytes.length) record.bytes = Buffer.allocUnsafe(most * 2);
    const one = record.bytes.write(connection, LENGTHS);
    const two = record.bytes.write(findings, LENGTHS + one);
    record.bytes.writeUInt32LE(one, 0);
    record.bytes.writeUInt32LE(two, 4);
    record.length = LENGTHS + one + two;
    this.#archive.add(number, 1, record);
    this.#last = Math.max(this.#last, number);
  }

  /** By number, ascending. The object is the same each time. */
  *each(): Iterable<Lines> {
    const lines = { number: 0, connection: '', findings: '' };
    for (let number = 1; number <= this.#last; number++) {
      if (this.#archive.note(number) === 0) continue;
      const { bytes, at } = this.#archive.place(number);
      const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const [from, middle] = [at + LENGTHS, at + LENGTHS + record.readUInt32LE(at)];
      lines.number = number;
      lines.connection = record.toString('utf8', from, middle);
      lines.findings = record.toString('utf8', middle, middle + record.readUInt32LE(at + 4));
      yield lines;
    }
  }
}

/**
 * Puts more blocks in order of time than memory can hold: what has gathered is sorted and put behind the others in a
 * file, as a run of records (time, length, block), and the runs are merged.
 */
import { RandomFile } from '../platform/output.ts';
import { readAt } from '../platform/scratch.ts';

/** Bytes gathered before they are sorted, and bytes read ahead of a run or held for the output. */
const GATHERED = 4 << 20;
const BUFFER = 1 << 16;
const HEADER = 12;

interface Run {
  start: number;
  end: number;
  first: bigint;
  last: bigint;
}

export class Spool {
  readonly #file: RandomFile;
  readonly #runs: Run[] = [];
  #gathered: { time: bigint; block: Uint8Array }[] = [];
  #bytes = 0;
  #size = 0;

  constructor(path: string) {
    this.#file = new RandomFile(path);
  }

  /** Of equal times the earlier one comes first. */
  add(time: bigint, block: Uint8Array): void {
    this.#gathered.push({ time, block });
    this.#bytes += HEADER + block.length;
    if (this.#bytes >= GATHERED) this.#sort();
  }

  /** A file of the first blocks as given, then those added, by time. */
  writeTo(path: string, first: readonly Uint8Array[]): void {
    this.#sort();
    const out = new RandomFile(path);
    try {
      let held = [...first];
      let size = 0;
      for (const block of this.#inOrder()) {
        held.push(block);
        size += block.length;
        if (size < BUFFER) continue;
        out.append(Buffer.concat(held));
        held = [];
        size = 0;
      }
      out.append(Buffer.concat(held));
    } finally {
      out.close();
    }
  }

  close(): void {
    this.#file.remove();
  }

  /** A run that begins where the last one ended goes on with it: a capture in order is one. */
  #sort(): void {
    if (this.#bytes === 0) return;
    const sorted = this.#gathered.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    const bytes = Buffer.allocUnsafe(this.#bytes);
    let at = 0;
    for (const { time, block } of sorted) {
      bytes.writeBigInt64LE(time, at);
      bytes.writeUInt32LE(block.length, at + 8);
      bytes.set(block, at + HEADER);
      at += HEADER + block.length;
    }
    this.#file.append(bytes);
    const [start, end] = [this.#size, this.#size + at];
    const [first, last] = [sorted[0]!.time, sorted.at(-1)!.time];
    const before = this.#runs.at(-1);
    if (before && before.last <= first) Object.assign(before, { end, last });
    else this.#runs.push({ start, end, first, last });
    this.#gathered = [];
    this.#bytes = 0;
    this.#size = end;
  }

  /** Runs wait in the order of what comes next of them; only those that have begun hold a buffer. */
  *#inOrder(): Iterable<Uint8Array> {
    const waiting = this.#runs
      .map((run, number) => ({ number, next: run.first, reader: new RunReader(this.#file, run) }))
      .sort(earlier);
    for (let run = waiting[0]; run; run = waiting[0]) {
      yield run.reader.take();
      const next = run.reader.time();
      if (next === null) {
        waiting.shift();
        continue;
      }
      run.next = next;
      for (let i = 1; i < waiting.length && earlier(waiting[i]!, run) < 0; i++)
        [waiting[i - 1], waiting[i]] = [waiting[i]!, run];
    }
  }
}

type Place = { next: bigint; number: number };

function earlier(a: Place, b: Place): number {
  return a.next < b.next ? -1 : a.next > b.next ? 1 : a.number - b.number;
}

/** The records of a run, one after the other. */
class RunReader {
  readonly #file: RandomFile;
  readonly #end: number;
  /** Where in the file the buffer ends. */
  #read: number;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(file: RandomFile, { start, end }: Run) {
    this.#file = file;
    this.#read = start;
    this.#end = end;
  }

  /** Of the next record; null at the end of the run. */
  time(): bigint | null {
    return this.#has(HEADER) ? this.#buffer.readBigInt64LE(this.#at) : null;
  }

  /** The next block, which is there. */
  take(): Uint8Array {
    this.#has(HEADER);
    const length = this.#buffer.readUInt32LE(this.#at + 8);
    this.#has(HEADER + length);
    const start = this.#at + HEADER;
    this.#at = start + length;
    return this.#buffer.subarray(start, this.#at);
  }

  /** Has so many bytes at hand, if the run does. Buffers are not used again: what was taken lies in them. */
  #has(count: number): boolean {
    const left = this.#buffer.length - this.#at;
    if (left >= count) return true;
    const more = Math.min(Math.max(BUFFER, count) - left, this.#end - this.#read);
    if (left + more < count) return false;
    const buffer = Buffer.allocUnsafe(left + more);
    this.#buffer.copy(buffer, 0, this.#at);
    readAt(this.#file.descriptor, buffer.subarray(left), this.#read);
    this.#read += more;
    [this.#buffer, this.#at] = [buffer, 0];
    return true;
  }
}

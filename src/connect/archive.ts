/**
 * Where packed records lie: one behind the other in chunks, of which the older go to a temporary file when there are
 * many. They are found by the serial number of their connection.
 */
import { closeScratch, openScratch, readAt, writeAt } from '../platform/scratch.ts';
import { BEHIND, PackedReader, type PackedWriter } from './packed.ts';

const CHUNK = 1 << 20;
/** Chunks held in memory, but for those that are read again. */
const HELD = 8;
/** Chunks of the file that are at hand: records end nearly in the order in which they begin. */
const CACHED = 4;
/** A place is a position in units of 16 bytes, and a small number in the lowest three of 32 bits: good for 8 GB. */
const UNIT = 16;
const NOTES = 8;
const LARGEST = (2 ** 32 / NOTES) * UNIT;

export interface ArchiveState {
  places: Uint32Array<ArrayBuffer>;
  chunks: (Uint8Array<ArrayBuffer> | null)[];
  used: number;
  held: number;
  /** Descriptor, good in every thread of the process. */
  file: number | null;
  count: number;
  /** The file is the other's, who closes it. */
  isLent: boolean;
}

/** Files of archives that nobody needs any more. */
const FILES = new FinalizationRegistry<number>(closeScratch);

export class Archive {
  readonly #reader = new PackedReader();
  /** Place of a serial number's record; 0 for none, for a note is never 0. */
  #places = new Uint32Array(16);
  /** null: in the file. */
  #chunks: (Uint8Array<ArrayBuffer> | null)[] = [];
  readonly #cache: { number: number; bytes: Uint8Array }[] = [];
  #used = CHUNK;
  #held = 0;
  #file: number | null = null;
  /** Records held. */
  count = 0;

  /** For another thread: this archive is not used any more. */
  state(): ArchiveState {
    FILES.unregister(this);
    return {
      places: this.#places,
      chunks: this.#chunks,
      used: this.#used,
      held: this.#held,
      file: this.#file,
      count: this.count,
      isLent: false,
    };
  }

  /** A copy for another thread to read, as long as this archive is there. */
  copy(): ArchiveState {
    return {
      places: this.#places.slice(),
      chunks: this.#chunks.map((chunk) => chunk?.slice() ?? null),
      used: this.#used,
      held: this.#held,
      file: this.#file,
      count: this.count,
      isLent: true,
    };
  }

  adopt({ places, chunks, used, held, file, count, isLent }: ArchiveState): void {
    this.#places = places;
    this.#chunks = chunks;
    this.#used = used;
    this.#held = held;
    this.#file = file;
    if (file !== null && !isLent) FILES.register(this, file, this);
    this.count = count;
  }

  /** What was noted of a record, 1 to 7; 0 when it is not here. */
  note(serial: number): number {
    return serial < this.#places.length ? this.#places[serial]! % NOTES : 0;
  }

  /** No more records can be told apart. */
  get isFull(): boolean {
    return (this.#chunks.length + 1) * CHUNK > LARGEST;
  }

  add(serial: number, note: number, record: PackedWriter): void {
    const length = record.finish();
    if (this.#used + length > CHUNK - BEHIND) this.#next(length);
    const [chunk, used, { bytes }] = [this.#chunks.at(-1)!, this.#used, record];
    // a loop: a view for the built-in one costs more than so few bytes
    for (let i = 0; i < length; i++) chunk[used + i] = bytes[i]!;
    if (serial >= this.#places.length) this.#grow(serial);
    this.#places[serial] = (((this.#chunks.length - 1) * CHUNK + this.#used) / UNIT) * NOTES + note;
    this.#used += Math.ceil(length / UNIT) * UNIT;
    this.count++;
  }

  /** Reads the record of a serial number; the reader is good until the next call. */
  open(serial: number): PackedReader {
    const { bytes, at } = this.place(serial);
    this.#reader.open(bytes, at);
    return this.#reader;
  }

  /** Where the record of a serial number begins; good until the next call. */
  place(serial: number): { bytes: Uint8Array; at: number } {
    const position = Math.floor(this.#places[serial]! / NOTES) * UNIT;
    const number = Math.floor(position / CHUNK);
    return { bytes: this.#chunks[number] ?? this.#fromFile(number), at: position - number * CHUNK };
  }

  /** The record is held elsewhere again; its bytes stay unused. */
  remove(serial: number): void {
    this.#places[serial] = 0;
    this.count--;
  }

  /** Begins another chunk; `add` never needs more than one. */
  #next(length: number): void {
    if (length > CHUNK - BEHIND) throw new RangeError('a packed record is longer than a chunk');
    if (this.#held === HELD) this.#spill();
    this.#chunks.push(new Uint8Array(CHUNK));
    this.#held++;
    this.#used = 0;
  }

  /** Puts the oldest chunk into the file; it stays in memory when that cannot be. */
  #spill(): void {
    const number = this.#chunks.length - this.#held;
    try {
      if (this.#file === null) {
        this.#file = openScratch();
        FILES.register(this, this.#file, this);
      }
      writeAt(this.#file, this.#chunks[number]!, number * CHUNK);
      this.#chunks[number] = null;
    } catch {
      // no room, or no place for it
    }
    this.#held--;
  }

  #fromFile(number: number): Uint8Array {
    const at = this.#cache.findIndex((c) => c.number === number);
    const known = at < 0 ? undefined : this.#cache.splice(at, 1)[0];
    if (known) {
      this.#cache.unshift(known);
      return known.bytes;
    }
    const bytes = this.#cache.length < CACHED ? new Uint8Array(CHUNK) : this.#cache.pop()!.bytes;
    readAt(this.#file!, bytes, number * CHUNK);
    this.#cache.unshift({ number, bytes });
    return bytes;
  }

  #grow(serial: number): void {
    let { length } = this.#places;
    while (length <= serial) length += length >> 2;
    const larger = new Uint32Array(length);
    larger.set(this.#places);
    this.#places = larger;
  }
}

/** Text that is kept until it is written: what is more than a few megabytes goes to a temporary file. */
import { closeScratch, openScratch, readAt, writeAt } from '../platform/scratch.ts';

const CHUNK = 1 << 20;
/** What a spool begins with. */
const SMALL = 1 << 12;
/** Bytes that are copied at once. */
const LONG = 200;
/** Chunks held in memory; a table of fewer never meets the disk. */
const HELD = 4;

/** The two highest bits of a byte that goes on with a character of UTF-8. */
const CONTINUES = 0x80;

/** Files of spools that nobody needs any more. */
const FILES = new FinalizationRegistry<number>(closeScratch);

/** A piece of it: bytes, or where they stand in a temporary file. */
export interface Part {
  bytes: Uint8Array<ArrayBuffer> | null;
  file: number;
  at: number;
  length: number;
}

export class Spool implements Iterable<string> {
  readonly #parts: Part[] = [];
  #file: number | null = null;
  #filling: Uint8Array<ArrayBuffer> | null = null;
  #used = 0;

  /** Copies the first `length` bytes, which are UTF-8: whole rows, so that a chunk is text by itself. */
  add(piece: Uint8Array, length = piece.length): void {
    if (this.#used + length > CHUNK) this.#next();
    let from = 0;
    // a row that names thousands of files may be more than a chunk holds
    while (length - from > CHUNK) {
      let to = from + CHUNK;
      while ((piece[to]! & 0xc0) === CONTINUES) to--;
      this.#put(piece, from, to);
      this.#next();
      from = to;
    }
    this.#put(piece, from, length);
  }

  /** What was added, as text, in large pieces. */
  *[Symbol.iterator](): Iterator<string> {
    const decoder = new TextDecoder();
    let read: Uint8Array | null = null;
    for (const { bytes, file, at, length } of this.#parts) {
      if (!bytes) {
        read ??= new Uint8Array(CHUNK);
        readAt(file, read.subarray(0, length), at);
      }
      yield decoder.decode((bytes ?? read!).subarray(0, length));
    }
    if (this.#filling) yield decoder.decode(this.#filling.subarray(0, this.#used));
  }

  /** All of it, for the spool of another thread; nothing is added any more. */
  parts(): Part[] {
    this.#next();
    FILES.unregister(this);
    return this.#parts;
  }

  /** Takes what another held, behind what was added so far. */
  take(parts: readonly Part[]): void {
    this.#next();
    this.#parts.push(...parts);
    const file = parts.find(({ bytes }) => bytes === null)?.file;
    if (file !== undefined) FILES.register(this, file);
  }

  #put(piece: Uint8Array, from: number, to: number): void {
    const end = this.#used + to - from;
    if (this.#filling === null || end > this.#filling.length) this.#grow(end);
    const [filling, used] = [this.#filling!, this.#used - from];
    // a view for the built-in copy costs more than few bytes do
    if (to - from > LONG) filling.set(piece.subarray(from, to), this.#used);
    else for (let i = from; i < to; i++) filling[used + i] = piece[i]!;
    this.#used = used + to;
  }

  /** Many spools hold a few lines: a chunk for each would keep the collector of garbage busy. */
  #grow(needed: number): void {
    const larger = new Uint8Array(Math.min(Math.max(needed, 4 * this.#used, SMALL), CHUNK));
    if (this.#filling) larger.set(this.#filling.subarray(0, this.#used));
    this.#filling = larger;
  }

  #next(): void {
    if (this.#used === 0) return;
    const [n, length] = [this.#parts.length, this.#used];
    const isPut = n >= HELD && this.#spill(n);
    if (isPut) this.#parts.push({ bytes: null, file: this.#file!, at: n * CHUNK, length });
    else {
      this.#parts.push({ bytes: this.#filling, file: 0, at: 0, length });
      this.#filling = null;
    }
    this.#used = 0;
  }

  /** False when it stays in memory, because there is no room, or no place for a file. */
  #spill(n: number): boolean {
    try {
      if (this.#file === null) {
        this.#file = openScratch();
        FILES.register(this, this.#file, this);
      }
      writeAt(this.#file, this.#filling!.subarray(0, this.#used), n * CHUNK);
      return true;
    } catch {
      return false;
    }
  }
}

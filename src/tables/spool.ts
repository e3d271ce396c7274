/** Text that is kept until it is written: what is more than a few megabytes goes to a temporary file. */
import { closeScratch, openScratch, readAt, writeAt } from '../platform/scratch.ts';

const CHUNK = 1 << 20;
/** Chunks held in memory; a table of fewer never meets the disk. */
const HELD = 4;
/** Characters that are put together before they become bytes. */
const PIECE = 1 << 15;
/** UTF-8 needs at most so many bytes for one UTF-16 unit. */
const WIDEST = 3;

/** Files of spools that nobody needs any more. */
const FILES = new FinalizationRegistry<number>(closeScratch);
const encoder = new TextEncoder();

export class Spool implements Iterable<string> {
  /** null: in the file, at its number times CHUNK. */
  readonly #chunks: (Uint8Array | null)[] = [];
  readonly #lengths: number[] = [];
  #file: number | null = null;
  #filling = new Uint8Array(CHUNK);
  #used = 0;
  /** Not bytes yet. */
  #text = '';

  /** `piece`: shorter than 300,000 characters. */
  add(piece: string): void {
    this.#text += piece;
    if (this.#text.length >= PIECE) this.#put();
  }

  /** What was added, in large pieces. */
  *[Symbol.iterator](): Iterator<string> {
    const decoder = new TextDecoder();
    const read = new Uint8Array(CHUNK);
    for (const [i, length] of this.#lengths.entries()) {
      const held = this.#chunks[i];
      if (!held) readAt(this.#file!, read.subarray(0, length), i * CHUNK);
      yield decoder.decode((held ?? read).subarray(0, length));
    }
    yield decoder.decode(this.#filling.subarray(0, this.#used));
    yield this.#text;
  }

  #put(): void {
    if (this.#used + this.#text.length * WIDEST > CHUNK) this.#next();
    this.#used += encoder.encodeInto(this.#text, this.#filling.subarray(this.#used)).written;
    this.#text = '';
  }

  #next(): void {
    const n = this.#lengths.push(this.#used) - 1;
    const isPut = n >= HELD && this.#spill(n);
    this.#chunks.push(isPut ? null : this.#filling);
    if (!isPut) this.#filling = new Uint8Array(CHUNK);
    this.#used = 0;
  }

  /** False when it stays in memory, because there is no room, or no place for a file. */
  #spill(n: number): boolean {
    try {
      if (this.#file === null) {
        this.#file = openScratch();
        FILES.register(this, this.#file);
      }
      writeAt(this.#file, this.#filling.subarray(0, this.#used), n * CHUNK);
      return true;
    } catch {
      return false;
    }
  }
}

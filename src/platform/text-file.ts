/** A new file that text is written to in large blocks: one is on its way to the system while the next one is filled. */
import { type FileHandle, open } from 'node:fs/promises';
import { writeNew } from './output.ts';

/** Bytes of a block: large enough that a write costs nothing beside its making. */
const BLOCK = 1 << 20;
/** Characters that are put together before they become bytes. */
const CHUNK = 1 << 15;
/** UTF-8 needs at most so many bytes for one UTF-16 unit. */
const WIDEST = 3;

/** Writes pieces of text to a new file. Rejects with the file system's error, or with what making a piece throws. */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  const file = new BlockFile(path);
  try {
    for (const piece of pieces) if (file.add(piece)) await file.next();
    await file.end();
  } finally {
    await file.close();
  }
}

class BlockFile {
  readonly #path: string;
  /** Null before the first block: a file without one is written at once. */
  #handle: FileHandle | null = null;
  /** Null as long as there is less than a chunk of text: most files are that small. */
  #filling: Buffer | null = null;
  #spare: Buffer | null = null;
  #used = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Not bytes yet. */
  #text = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** True when the block is full: nothing may be added before `next`. */
  add(piece: string): boolean {
    this.#text += piece;
    return this.#text.length >= CHUNK && !this.#put();
  }

  /** Hands the full block to the system, once the one before has been written, and begins the other. */
  async next(): Promise<void> {
    this.#handle ??= await open(this.#path, 'wx');
    await this.#writing;
    if (this.#filling) this.#write(this.#filling.subarray(0, this.#used));
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#used = 0;
    if (this.#put()) return;
    await this.#writing;
    this.#write(Buffer.from(this.#text));
    this.#text = '';
    await this.#writing;
  }

  async end(): Promise<void> {
    if (this.#filling && !this.#put()) await this.next();
    const rest = this.#filling?.subarray(0, this.#used) ?? this.#text;
    if (!this.#handle) return writeNew(this.#path, rest);
    await this.#writing;
    await this.#handle.writeFile(rest);
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle?.close();
  }

  /** False when there may be no room. */
  #put(): boolean {
    if (this.#used + this.#text.length * WIDEST > BLOCK) return false;
    this.#filling ??= Buffer.allocUnsafeSlow(BLOCK);
    this.#used += this.#filling.write(this.#text, this.#used);
    this.#text = '';
    return true;
  }

  #write(bytes: Uint8Array): void {
    this.#writing = this.#handle!.writeFile(bytes);
    // seen by whoever waits for it, which may be later than it fails
    this.#writing.catch(() => undefined);
  }
}

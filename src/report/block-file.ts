/** A new file that text is written to in large blocks: one is on its way to the system while the next one is filled. */
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of a block: large enough that a write costs nothing beside its making. */
const BLOCK = 1 << 20;
/** Characters that are put together before they become bytes. */
const CHUNK = 1 << 15;
/** UTF-8 needs at most so many bytes for one UTF-16 unit. */
const WIDEST = 3;

/** Writes pieces of text to a new file. Rejects with the file system's error, or with what making a piece throws. */
export async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  const file = new BlockFile(await open(path, 'wx'));
  try {
    let text = '';
    for (const piece of pieces) {
      text += piece;
      if (text.length < CHUNK) continue;
      if (!file.put(text)) await file.next(text);
      text = '';
    }
    if (!file.put(text)) await file.next(text);
    await file.end();
  } finally {
    await file.close();
  }
}

class BlockFile {
  readonly #handle: FileHandle;
  #filling = Buffer.allocUnsafeSlow(BLOCK);
  #spare = Buffer.allocUnsafeSlow(BLOCK);
  #used = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** False when there may be no room for it: then it belongs to `next`. */
  put(text: string): boolean {
    if (this.#used + text.length * WIDEST > BLOCK) return false;
    this.#used += this.#filling.write(text, this.#used);
    return true;
  }

  /** Hands the full block to the system, once the one before has been written, and puts `text` into the other. */
  async next(text: string): Promise<void> {
    await this.#writing;
    this.#write(this.#filling.subarray(0, this.#used));
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
    this.#used = 0;
    if (this.put(text)) return;
    await this.#writing;
    this.#write(Buffer.from(text));
    await this.#writing;
  }

  async end(): Promise<void> {
    await this.#writing;
    this.#write(this.#filling.subarray(0, this.#used));
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }

  #write(bytes: Uint8Array): void {
    this.#writing = this.#handle.writeFile(bytes);
    // seen by whoever waits for it, which may be later than it fails
    this.#writing.catch(() => undefined);
  }
}

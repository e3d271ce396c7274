/** xz and zstd unpacked by a thread of its own, a few blocks ahead of the one that works on them. */
import type { Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import { disk } from '../platform/files.ts';
import { hasProgram, startThread } from '../platform/threads.ts';
import type { Thread } from '../platform/types.ts';
import { type ByteSource, openBytes } from './bytes.ts';
import { compressionOf, MAGIC_BYTES } from './compressed/compression.ts';

/** What the thread says: blocks, and at the end what it has met. */
export type Said = { block: Uint8Array; consumed: number } | { met: Diagnostic[] };

/** Packed bytes from which it is worth the start of a thread. */
const LEAST = 1 << 22;

/**
 * As openBytes, for a large file that is packed so; null for any other, and for one that cannot be read. There is no
 * program of the thread before the sources are compiled.
 */
export async function openBeside(
  path: string,
  name: string,
  diagnostics: Diagnostics,
  program = new URL('./unpacking.js', import.meta.url),
  least = LEAST,
): Promise<ByteSource | null> {
  const size = await busySize(path).catch(() => null);
  if (size === null || size < least || !hasProgram(program)) return null;
  const source = new Beside(path, name, diagnostics, size, program);
  return (await source.begin()) ? source : null;
}

/** Bytes of a file whose unpacking keeps a thread busy; null for others. */
async function busySize(path: string): Promise<number | null> {
  if (path === '-') return null;
  // a pipe that is opened and closed again is lost
  if (!(await disk.stat(path)).isFile) return null;
  const file = await disk.open(path);
  try {
    if (file.size === null) return null;
    const first = new Uint8Array(MAGIC_BYTES);
    await file.read(first, 0);
    return compressionOf(first)?.isBusy ? file.size : null;
  } finally {
    await file.close();
  }
}

class Beside implements ByteSource {
  head: Uint8Array = new Uint8Array(0);
  consumed = 0;
  readonly size: number;
  readonly #path: string;
  readonly #name: string;
  readonly #diagnostics: Diagnostics;
  readonly #thread: Thread;
  /** What the thread has said and nobody has taken yet; null: it has ended. */
  readonly #said: (Said | null)[] = [];
  #wake: () => void = () => undefined;
  /** What the thread has met, once it has come to the end. */
  #met: Diagnostic[] | null = null;

  constructor(path: string, name: string, diagnostics: Diagnostics, size: number, program: URL) {
    this.#path = path;
    this.#name = name;
    this.#diagnostics = diagnostics;
    this.size = size;
    const take = (said: Said | null) => {
      this.#said.push(said);
      this.#wake();
    };
    this.#thread = startThread(
      program,
      { path, name },
      { message: (said) => take(said as Said), error: () => take(null), exit: () => take(null) },
    );
  }

  /** False, and closed, when not one block comes. */
  async begin(): Promise<boolean> {
    const head = await this.#next();
    if (head) this.head = head;
    else await this.close();
    return head !== null;
  }

  async *blocks(): AsyncGenerator<Uint8Array, void> {
    try {
      let given = 0;
      for (let block: Uint8Array | null = this.head; block; block = await this.#next()) {
        given += block.length;
        yield block;
      }
      if (this.#met) for (const met of this.#met) this.#diagnostics.add(met);
      else yield* this.#here(given);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  /** The next block; null at the end, or when the thread has failed. */
  async #next(): Promise<Uint8Array | null> {
    while (this.#said.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const said = this.#said.shift();
    if (said && 'block' in said) {
      this.consumed = said.consumed;
      this.#thread.post('next');
      return said.block;
    }
    this.#met = said?.met ?? null;
    return null;
  }

  /** What follows the first so many bytes, unpacked in this thread. */
  async *#here(given: number): AsyncGenerator<Uint8Array, void> {
    const source = await openBytes(this.#path, this.#name, this.#diagnostics);
    let size = 0;
    for await (const block of source?.blocks() ?? []) {
      const known = Math.min(Math.max(given - size, 0), block.length);
      size += block.length;
      if (known < block.length) yield block.subarray(known);
    }
  }
}

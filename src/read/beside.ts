/** xz and zstd unpacked by a thread of its own, a few blocks ahead of the one that works on them. */
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Diagnostic, Diagnostics } from '../model/diagnostic.ts';
import { type ByteSource, openBytes } from './bytes.ts';
import { compressionOf, MAGIC_BYTES } from './compressed/compression.ts';

/** What the thread says: blocks, and at the end what it has met. */
export type Said = { block: Uint8Array; consumed: number } | { met: Diagnostic[] };

/** The thread's program; there is none before the sources are compiled. */
const PROGRAM = new URL('./unpacking.js', import.meta.url);
/** Packed bytes from which it is worth the start of a thread. */
const LEAST = 1 << 22;

/** As openBytes, for a large file that is packed so; null for any other, and for one that cannot be read. */
export async function openBeside(
  path: string,
  name: string,
  diagnostics: Diagnostics,
  program = PROGRAM,
  least = LEAST,
): Promise<ByteSource | null> {
  const size = await busySize(path).catch(() => null);
  if (size === null || size < least || !existsSync(program)) return null;
  const source = new Beside(path, name, diagnostics, size, program);
  return (await source.begin()) ? source : null;
}

/** Bytes of a file whose unpacking keeps a thread busy; null for others. */
async function busySize(path: string): Promise<number | null> {
  if (path === '-') return null;
  const handle = await open(path);
  try {
    const file = await handle.stat();
    const { buffer } = file.isFile() ? await handle.read(new Uint8Array(MAGIC_BYTES)) : { buffer: null };
    return buffer && compressionOf(buffer)?.isBusy ? file.size : null;
  } finally {
    await handle.close();
  }
}

class Beside implements ByteSource {
  head: Uint8Array = new Uint8Array(0);
  consumed = 0;
  readonly size: number;
  readonly #path: string;
  readonly #name: string;
  readonly #diagnostics: Diagnostics;
  readonly #thread: Worker;
  readonly #said: AsyncIterator<[Said]>;
  /** What the thread has met, once it has come to the end. */
  #met: Diagnostic[] | null = null;

  constructor(path: string, name: string, diagnostics: Diagnostics, size: number, program: URL) {
    this.#path = path;
    this.#name = name;
    this.#diagnostics = diagnostics;
    this.size = size;
    this.#thread = new Worker(program, { workerData: { path, name } });
    this.#said = on(this.#thread, 'message', { close: ['exit'] }) as AsyncIterator<[Said]>;
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
    const { value } = await this.#said.next().catch(() => ({ value: undefined }));
    const said: Said | undefined = value?.[0];
    if (said && 'block' in said) {
      this.consumed = said.consumed;
      this.#thread.postMessage('next');
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

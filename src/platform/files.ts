/** Files of this machine. What the stages ask of files is `Files`: they can be given others (read/given.ts). */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join as joined } from 'node:path';
import type { Files, OpenFile } from './types.ts';

export const disk: Files = {
  async open(path) {
    if (path === '-') return new StandardInput();
    const handle = await open(path);
    const size = await handle.stat().then(
      (entry) => (entry.isFile() ? entry.size : null),
      // Only progress needs it.
      () => null,
    );
    return {
      size,
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      close: () => handle.close(),
    };
  },
  async stat(path) {
    const entry = await stat(path);
    return { size: entry.size, isFile: entry.isFile(), isFolder: entry.isDirectory() };
  },
  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((e) => ({ name: e.name, isFile: e.isFile(), isFolder: e.isDirectory() }));
  },
};

/** A small file of our own, or one that is needed whole. */
export function readWhole(path: string | URL): Promise<Uint8Array> {
  return readFile(path);
}

export function join(...parts: string[]): string {
  return joined(...parts);
}

/** Through its stream: it may be non-blocking. */
class StandardInput implements OpenFile {
  readonly size = null;
  readonly #chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  async read(into: Uint8Array): Promise<number> {
    if (this.#rest.length === 0) this.#rest = (await this.#chunks.next()).value ?? this.#rest;
    const taken = this.#rest.subarray(0, into.length);
    into.set(taken);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Files of this machine. What the stages ask of files is `Files`: they can be given others (read/given.ts). */
import { constants, openSync } from 'node:fs';
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname, join as joined, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import type { Files, OpenFile } from './types.ts';

export const disk: Files = {
  async open(path) {
    const entry = path === '-' ? null : await stat(path);
    if (entry === null || (entry.isCharacterDevice() && path === '/dev/stdin'))
      return new Stream(process.stdin);
    if (entry.isFIFO()) return openPipe(path);
    if (entry.isSocket()) throw new Error('it is a socket; pipe what it sends to standard input (-)');
    if (!entry.isFile() && !entry.isDirectory())
      throw new Error('it is a device; pipe what is to be read of it to standard input (-)');
    const handle = await open(path);
    return {
      size: entry.size,
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      close: () => handle.close(),
    };
  },
  async stat(path) {
    const entry = await stat(path, { bigint: true });
    return {
      size: Number(entry.size),
      mark: `${entry.size}-${entry.mtimeNs}-${entry.ino}`,
      isFile: entry.isFile(),
      isFolder: entry.isDirectory(),
      isPipe: entry.isFIFO(),
    };
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

/** Of a file; of an object in a bucket as it is. */
export function absolute(path: string): string {
  return /^\w+:\/\//.test(path) ? path : resolve(path);
}

/** True when the file or folder, or where it would be made, lies in `root`, links followed. */
export async function isBelow(path: string, root: string): Promise<boolean> {
  const base = await realpath(root);
  let real = resolve(path);
  for (;;) {
    const found = await realpath(real).catch(() => null);
    if (found !== null) return found === base || found.startsWith(base.endsWith(sep) ? base : base + sep);
    if (dirname(real) === real) return false;
    real = dirname(real);
  }
}

export function join(...parts: string[]): string {
  return joined(...parts);
}

/** Without waiting for its writer: no thread of Node's hangs in it when the process is to end meanwhile. */
function openPipe(path: string): OpenFile {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Stream(new Socket({ fd, readable: true, writable: false }));
}

/** Standard input, or a pipe: it may be non-blocking. */
class Stream implements OpenFile {
  readonly size = null;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

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

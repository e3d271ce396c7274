/** A folder that several processes write to at once, and that any of them may die over: everything in it is whole or not there. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { writePieces } from './text-file.ts';

/** Where the outputs of a batch lie: a folder of this machine, or a part of a bucket. Paths are relative, with slashes. */
export interface Store {
  /** As the user named it. */
  readonly name: string;
  /** Null when there is none. */
  read(path: string): Promise<Uint8Array | null>;
  has(path: string): Promise<boolean>;
  /** Names in a folder, ascending; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** The same, block by block; none when there is no such file. */
  blocks(path: string): AsyncGenerator<Uint8Array>;
  /** Replaces what is there. */
  put(path: string, content: Uint8Array | string): Promise<void>;
  /** The same, piece by piece. */
  putPieces(path: string, pieces: Iterable<string>): Promise<void>;
  /**
   * Puts the files of a local folder there, `last` behind all others. False: another one was faster, and what it put is
   * left as it is.
   */
  putFolder(path: string, local: string, last: string): Promise<boolean>;
  /** A file or a folder with all that is in it; nothing happens when there is none. */
  remove(path: string): Promise<void>;
  /** A new local folder for what is to be put there. Call `dispose` in the end. */
  workplace(): Promise<Workplace>;
  /** Takes away what processes of this machine left that are no more. */
  tidy(): Promise<void>;
}

export interface Workplace {
  path: string;
  dispose(): Promise<void>;
}

/** Of those who write: named so that those of dead processes can be told. */
const TEMPORARY = '.tmp';

/** The codes of a rename onto a folder that is there. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST']);

export class FolderStore implements Store {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async read(path: string): Promise<Uint8Array | null> {
    return readFile(join(this.name, path)).catch(nullIfMissing);
  }

  async has(path: string): Promise<boolean> {
    return (await stat(join(this.name, path)).catch(nullIfMissing)) !== null;
  }

  async list(folder: string): Promise<string[]> {
    const names = (await readdir(join(this.name, folder)).catch(nullIfMissing)) ?? [];
    return names.filter((name) => !name.startsWith('.')).sort();
  }

  async *blocks(path: string): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(join(this.name, path));
    } catch (error) {
      nullIfMissing(error as NodeJS.ErrnoException);
    }
  }

  put(path: string, content: Uint8Array | string): Promise<void> {
    return this.#put(path, (fresh) => writeFile(fresh, content));
  }

  putPieces(path: string, pieces: Iterable<string>): Promise<void> {
    return this.#put(path, (fresh) => writePieces(fresh, pieces));
  }

  async #put(path: string, write: (fresh: string) => Promise<void>): Promise<void> {
    const target = join(this.name, path);
    await this.#within(async (folder) => {
      const fresh = join(folder, 'file');
      await write(fresh);
      await sync(fresh);
      await mkdir(dirname(target), { recursive: true });
      await rename(fresh, target);
    });
    await syncFolder(dirname(target));
  }

  async putFolder(path: string, local: string, last: string): Promise<boolean> {
    const target = join(this.name, path);
    if (await this.has(`${path}/${last}`)) return false;
    for (const file of await filesBelow(local)) await sync(file);
    await syncFolder(local);
    await mkdir(dirname(target), { recursive: true });
    try {
      await rename(local, target);
    } catch (error) {
      if (TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
    await syncFolder(dirname(target));
    return true;
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.name, path), { recursive: true, force: true });
  }

  async workplace(): Promise<Workplace> {
    const path = join(this.name, TEMPORARY, `${hostname()}-${process.pid}-${randomUUID()}`);
    await mkdir(path, { recursive: true });
    return { path, dispose: () => rm(path, { recursive: true, force: true }) };
  }

  async tidy(): Promise<void> {
    const folder = join(this.name, TEMPORARY);
    for (const name of (await readdir(folder).catch(nullIfMissing)) ?? []) {
      const [, host, pid] = /^(.*)-(\d+)-[\da-f]{8}-[\da-f-]{27}$/.exec(name) ?? [];
      if (host === hostname() && !isAlive(Number(pid)))
        await rm(join(folder, name), { recursive: true, force: true });
    }
    // it goes with the last one that needs it
    await rmdir(folder).catch(() => undefined);
  }

  async #within(work: (folder: string) => Promise<void>): Promise<void> {
    const { path, dispose } = await this.workplace();
    try {
      await work(path);
    } finally {
      await dispose();
    }
  }
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What was renamed in it is there after a power failure. Not every file system has that. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

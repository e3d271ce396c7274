/** A folder that several processes write to at once, and that any of them may die over: everything in it is whole or not there. */
import { randomUUID } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder, writeNew } from './output.ts';
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
    return this.#put(path, (fresh) => writeNew(fresh, content));
  }

  putPieces(path: string, pieces: Iterable<string>): Promise<void> {
    return this.#put(path, (fresh) => writePieces(fresh, pieces));
  }

  async #put(path: string, write: (fresh: string) => Promise<void>): Promise<void> {
    const target = join(this.name, path);
    const { path: folder, dispose } = await this.workplace();
    try {
      const fresh = join(folder, 'file');
      await write(fresh);
      sync(fresh);
      makeFolder(dirname(target));
      renameSync(fresh, target);
    } finally {
      await dispose();
    }
    syncFolder(dirname(target));
  }

  async putFolder(path: string, local: string, last: string): Promise<boolean> {
    const target = join(this.name, path);
    if (await this.has(`${path}/${last}`)) return false;
    for (const file of filesBelow(local)) sync(file);
    syncFolder(local);
    makeFolder(dirname(target));
    try {
      renameSync(local, target);
    } catch (error) {
      if (TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
    syncFolder(dirname(target));
    return true;
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.name, path), { recursive: true, force: true });
  }

  async workplace(): Promise<Workplace> {
    const path = join(this.name, TEMPORARY, `${hostname()}-${process.pid}-${randomUUID()}`);
    makeFolder(path);
    return { path, dispose: async () => rmSync(path, { recursive: true, force: true }) };
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

// what groups write is many small files: a call of the system costs less than having a thread make it

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

function sync(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What was renamed in it is there after a power failure. Not every file system has that. */
function syncFolder(path: string): void {
  let folder: number | null = null;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch {
  } finally {
    if (folder !== null) closeSync(folder);
  }
}

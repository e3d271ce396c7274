/** A folder that several processes write to at once, and that any of them may die over: everything in it is whole or not there. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  type Dirent,
  fsync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
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
  /**
   * Paths of the files of these names in all folders below one; a folder that holds some of them is not looked into any
   * deeper.
   */
  find(folder: string, names: readonly string[]): AsyncGenerator<string>;
  /** A file, block by block; none when there is no such file. */
  blocks(path: string): AsyncGenerator<Uint8Array>;
  /** Replaces what is there. */
  put(path: string, content: Uint8Array | string): Promise<void>;
  /** The same, piece by piece. */
  putPieces(path: string, pieces: Iterable<string>): Promise<void>;
  /** Puts a file of a workplace there, and replaces what is there. */
  putFile(path: string, local: string): Promise<void>;
  /**
   * Puts a folder of a workplace there, its file `last` behind all others. False: another one was faster, and what it put
   * is left as it is.
   */
  putFolder(path: string, local: string, last: string): Promise<boolean>;
  /** What was put from workplaces is there after a power failure, and nothing that is put later comes before it. */
  settle(): Promise<void>;
  /** A file or a folder with all that is in it; nothing happens when there is none. */
  remove(path: string): Promise<void>;
  /** A new local folder for what is to be put there. Call `dispose` in the end. */
  workplace(): Promise<Workplace>;
  /** Takes away what processes of this machine left that are no more. */
  tidy(): Promise<void>;
}

export interface Workplace {
  path: string;
  /** All that is in it is on the disk: to be called before anything is put from it. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

/** Of those who write: named so that those of dead processes can be told. */
const TEMPORARY = '.tmp';

/** The codes of a rename onto a folder that is there. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST']);

export class FolderStore implements Store {
  readonly name: string;
  /** Folders that something was put into and that are not on the disk yet. */
  readonly #unsettled = new Set<string>();

  constructor(folder: string) {
    this.name = folder;
  }

  async read(path: string): Promise<Uint8Array | null> {
    return orNull(() => readFileSync(join(this.name, path)));
  }

  async has(path: string): Promise<boolean> {
    return orNull(() => statSync(join(this.name, path))) !== null;
  }

  async list(folder: string): Promise<string[]> {
    return this.#entries(folder).map((e) => e.name);
  }

  async *find(folder: string, names: readonly string[]): AsyncGenerator<string> {
    const entries = this.#entries(folder);
    const found = entries.filter((e) => names.includes(e.name));
    for (const { name } of found) yield `${folder}/${name}`;
    if (found.length > 0) return;
    for (const e of entries) if (e.isDirectory()) yield* this.find(`${folder}/${e.name}`, names);
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
    const place = await this.workplace();
    try {
      const fresh = join(place.path, 'file');
      await write(fresh);
      await place.settle();
      await this.putFile(path, fresh);
    } finally {
      await place.dispose();
    }
    await this.settle();
  }

  async putFile(path: string, local: string): Promise<void> {
    renameSync(local, this.#placeFor(path));
  }

  async putFolder(path: string, local: string, last: string): Promise<boolean> {
    if (await this.has(`${path}/${last}`)) return false;
    try {
      renameSync(local, this.#placeFor(path));
    } catch (error) {
      if (TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw error;
    }
    return true;
  }

  async settle(): Promise<void> {
    const folders = [...this.#unsettled];
    this.#unsettled.clear();
    await onDisk([], folders);
  }

  #entries(folder: string): Dirent[] {
    const entries = orNull(() => readdirSync(join(this.name, folder), { withFileTypes: true })) ?? [];
    return entries.filter((e) => !e.name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #placeFor(path: string): string {
    const target = join(this.name, path);
    makeFolder(dirname(target));
    this.#unsettled.add(dirname(target));
    return target;
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.name, path), { recursive: true, force: true });
  }

  async workplace(): Promise<Workplace> {
    const path = join(this.name, TEMPORARY, `${hostname()}-${process.pid}-${randomUUID()}`);
    makeFolder(path);
    return {
      path,
      settle: () => settleBelow(path),
      dispose: async () => rmSync(path, { recursive: true, force: true }),
    };
  }

  async tidy(): Promise<void> {
    const folder = join(this.name, TEMPORARY);
    for (const name of orNull(() => readdirSync(folder)) ?? []) {
      const [, host, pid] = /^(.*)-(\d+)-[\da-f]{8}-[\da-f-]{27}$/.exec(name) ?? [];
      if (host === hostname() && !isAlive(Number(pid)))
        await rm(join(folder, name), { recursive: true, force: true });
    }
    // it goes with the last one that needs it
    await rmdir(folder).catch(() => undefined);
  }
}

// what is asked for one after the other a call of the system gives sooner than a thread that makes it

function orNull<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    return nullIfMissing(error as NodeJS.ErrnoException);
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

async function settleBelow(folder: string): Promise<void> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const [files, folders]: [string[], string[]] = [[], [folder]];
  for (const e of entries) (e.isFile() ? files : folders).push(join(e.parentPath, e.name));
  await onDisk(files, folders);
}

/** Asked for at once, a file system writes a thousand files in the time of some: one after the other each waits for the disk. */
async function onDisk(files: readonly string[], folders: readonly string[]): Promise<void> {
  await each(files, (path) => sync(path, 'r+'));
  // not every file system has that of folders
  await each(folders, (path) => sync(path, 'r').catch(() => undefined));
}

/** At a time: Node has four threads for this, and one is left to those who read meanwhile. */
const AT_ONCE = 3;

async function each(paths: readonly string[], take: (path: string) => Promise<void>): Promise<void> {
  const rest = paths.values();
  const some = async () => {
    for (const path of rest) await take(path);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

function sync(path: string, flags: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const file = openSync(path, flags);
    fsync(file, (error) => {
      closeSync(file);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** What is written: a file or a folder appears whole, or not at all. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { orNothing } from './interrupt.ts';

/** A folder cannot be used for output as it is; the message says why, and what to do. */
export class OutputError extends Error {}

/** True when a folder that is not empty may be replaced as a whole. */
type MayReplace = (folder: string, names: readonly string[]) => Promise<boolean>;

/** What a folder for output is. Rejects with OutputError when it may not be written to. */
export async function folderState(dir: string, mayReplace: MayReplace): Promise<'new' | 'empty' | 'ours'> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'new';
    if (code === 'ENOTDIR') throw new OutputError(`${dir} is a file; -o names a folder`);
    throw error;
  }
  if (names.length === 0) return 'empty';
  if (await mayReplace(dir, names)) return 'ours';
  throw new OutputError(`${dir} is not empty and holds no report of ours; name another folder, or empty it`);
}

/** Has a folder written. Rejects with OutputError, or with what `write` rejects with: then `dir` is as before. */
export async function writeFolder(
  dir: string,
  mayReplace: MayReplace,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const state = await folderState(dir, mayReplace);
  if (state === 'empty')
    return orNothing(
      () => empty(dir),
      () => write(dir),
    );
  const target = state === 'new' ? resolve(dir) : await realpath(dir);
  makeFolder(dirname(target));
  const fresh = beside(target);
  await mkdir(fresh);
  const cleanUp = () => rmSync(fresh, { recursive: true, force: true });
  await orNothing(cleanUp, async () => {
    await write(fresh);
    await swap(fresh, target, state === 'ours');
  });
}

function empty(dir: string): void {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
}

async function swap(fresh: string, target: string, replace: boolean): Promise<void> {
  if (!replace) return rename(fresh, target);
  const old = `${fresh}-old`;
  await rename(target, old).catch((error: Error) => {
    throw new OutputError(
      `${target} cannot be replaced (${error.message}); empty it, or name another folder`,
    );
  });
  try {
    await rename(fresh, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** Has a file written under another name, and gives it its own when it is whole. */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = beside(path);
  const cleanUp = () => rmSync(temporary, { force: true });
  await orNothing(cleanUp, async () => {
    await write(temporary);
    renameSync(temporary, path);
  });
}

/** A report is many small files: a call of the system costs less than having a thread make it. */
export async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  writeFileSync(path, content, { flag: 'wx' });
}

/** With those above it. What Node does on its own says "no such file" of a file system that is read-only. */
export function makeFolder(path: string, mayRepeat = true): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // the one above it is gone again: somebody has tidied up
    if (code === 'ENOENT' && mayRepeat) makeFolder(path, false);
    else if (code !== 'EEXIST') throw error;
  }
}

/** A name in the same folder that nobody else uses. */
export function beside(path: string): string {
  const whole = resolve(path);
  return join(dirname(whole), `.${basename(whole)}.${randomUUID()}`);
}

/** A new file that is written to, and read, at once. */
export class RandomFile {
  readonly descriptor: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.descriptor = openSync(path, 'wx+');
  }

  append(bytes: Uint8Array): void {
    // a disk that fills up writes less than asked before it fails
    for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }
}

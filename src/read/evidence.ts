/** Which files inputs stand for, and the order in which they are read. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is in an evidence folder besides evidence: passed over, not taken for damage. */
const NOT_EVIDENCE = /^(README(\..*)?|expected\.json)$/i;

/** The same inputs are read in the same order, however they were named; what a pipe brings comes last. */
export function inOrder(inputs: readonly string[]): string[] {
  return [...inputs].sort((a, b) => {
    if (a === '-' || b === '-') return Number(a === '-') - Number(b === '-');
    return a < b ? -1 : Number(a > b);
  });
}

/** Files and folders in a folder that may be evidence; hidden ones are not, nor are links to folders. */
export async function evidenceIn(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((e) => !e.name.startsWith('.') && (e.isDirectory() || (e.isFile() && !NOT_EVIDENCE.test(e.name))))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A file that will be read, unless it belongs to a bundle. */
export interface Expected {
  path: string;
  /** In bytes. */
  size: number;
}

/** The files of all inputs in the order in which they are read, as far as they can be found. */
export async function filesOf(inputs: readonly string[]): Promise<Expected[]> {
  const files: Expected[] = [];
  const add = async (path: string) => {
    const entry = await stat(path).catch(() => null);
    if (entry?.isFile()) files.push({ path, size: entry.size });
    else if (entry?.isDirectory()) {
      for (const { name } of await evidenceIn(path).catch(() => [])) await add(join(path, name));
    }
  };
  for (const input of inOrder(inputs)) await add(input);
  return files;
}

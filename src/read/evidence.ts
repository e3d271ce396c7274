/** Which files inputs stand for, and the order in which they are read. */
import { join } from '../platform/files.ts';
import type { Entry, Files } from '../platform/types.ts';
import { isBundle } from './bundle/is-bundle.ts';
import type { Candidate } from './rotation.ts';

/** What is in an evidence folder besides evidence: passed over, not taken for damage. */
export const NOT_EVIDENCE = /^(README(\..*)?|expected\.json)$/i;

/** The same inputs are read in the same order, however they were named; what a pipe brings comes last. */
export function inOrder(inputs: readonly string[]): string[] {
  return [...inputs].sort((a, b) => {
    if (a === '-' || b === '-') return Number(a === '-') - Number(b === '-');
    return a < b ? -1 : Number(a > b);
  });
}

/** Files and folders in a folder that may be evidence; hidden ones are not, nor are links to folders. */
export async function evidenceIn(folder: string, files: Files): Promise<Entry[]> {
  const entries = await files.list(folder);
  return entries
    .filter((e) => !e.name.startsWith('.') && (e.isFolder || (e.isFile && !NOT_EVIDENCE.test(e.name))))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A file that will be read, unless it belongs to a bundle. */
export interface Expected {
  path: string;
  /** In bytes. */
  size: number;
}

/** The files of all inputs in the order in which they are read, as far as they can be found. */
export async function filesOf(inputs: readonly string[], files: Files): Promise<Expected[]> {
  const found: Expected[] = [];
  const add = async (path: string) => {
    const entry = await files.stat(path).catch(() => null);
    if (entry?.isFile) found.push({ path, size: entry.size });
    else if (entry?.isFolder) {
      for (const { name } of await evidenceIn(path, files).catch(() => [])) await add(join(path, name));
    }
  };
  for (const input of inOrder(inputs)) await add(input);
  return found;
}

/** The files that may be one capture with others, in the order in which they are read: those of bundles are not. */
export async function looseFiles(
  inputs: readonly string[],
  hosts: ReadonlyMap<string, string>,
  files: Files,
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const add = async (path: string, above: string | null) => {
    const entry = await files.stat(path).catch(() => null);
    const host = hosts.get(path) ?? above;
    if (entry?.isFile) found.push({ path, host });
    else if (entry?.isFolder && !(await isBundle(path, files))) {
      for (const { name } of await evidenceIn(path, files).catch(() => [])) await add(join(path, name), host);
    }
  };
  for (const input of inOrder(inputs)) await add(input, null);
  return found;
}

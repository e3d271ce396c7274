/** SHA-256 of the input files, so that a reader of the report can tell whether theirs are the same. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Result } from '../model/result.ts';

/** Hashing reads a file again: beyond this size it is not worth the time. */
const LARGEST = 2 ** 31;

/** The result with `sha256` for every input that is a file of at most 2 GiB and can still be read. */
export async function hashInputs(result: Result): Promise<Result> {
  const hashes = new Map<string, string | null>();
  const inputs = [];
  for (const input of result.inputs) {
    const path = await fileOf(input.name);
    if (path !== null && !hashes.has(path)) hashes.set(path, await sha256(path));
    const hash = path === null ? null : hashes.get(path);
    inputs.push(hash ? { ...input, sha256: hash } : input);
  }
  return { ...result, inputs };
}

/** A part of a file is named `file#part`. */
async function fileOf(name: string): Promise<string | null> {
  for (const path of [name, name.replace(/#[^#]*$/, '')]) {
    const entry = await stat(path).catch(() => null);
    if (entry?.isFile() && entry.size <= LARGEST) return path;
  }
  return null;
}

/** null when it cannot be read any more: then the report does without. */
async function sha256(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(block as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}

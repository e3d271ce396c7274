import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';

/** So many bytes that nobody can guess. */
export const secretBytes: (length: number) => Uint8Array = randomBytes;

/** A file that its owner alone may read; one of that name is replaced. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
}

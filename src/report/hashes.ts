/** SHA-256 of the input files, so that a reader of the report can tell whether theirs are the same. */
import { stat } from 'node:fs/promises';
import type { Result } from '../model/result.ts';
import { sha256 } from './sha256.ts';
import { MAIN_THREAD, type Side } from './side/side.ts';

/** Hashing reads a file again: beyond this size it is not worth the time. */
const LARGEST = 2 ** 31;
/** Below this it takes two tenths of a second at most: less than another thread is worth, and its memory. */
const SMALL = 1 << 28;

/** Hashes of files, each computed once; large ones on the side, from when they are first named. */
export class InputHashes {
  readonly #side: Side;
  readonly #hashes = new Map<string, Promise<string | null>>();

  constructor(side: Side = MAIN_THREAD) {
    this.#side = side;
  }

  /** These will be read: what takes longest begins first. */
  async expect(paths: readonly string[]): Promise<void> {
    if (!this.#side.parallel) return;
    for (const path of paths) {
      const entry = await stat(path).catch(() => null);
      if (entry?.isFile()) this.begin(path, entry.size);
    }
  }

  /** A file of so many bytes is being read: it can be hashed meanwhile. */
  begin(path: string, size: number | null): void {
    if (!this.#side.parallel || this.#hashes.has(path)) return;
    if (size !== null && size >= SMALL && size <= LARGEST) this.#hashes.set(path, this.#onSide(path));
  }

  /** The result with `sha256` for every input that is a file of at most 2 GiB and can still be read. */
  async addTo(result: Result): Promise<Result> {
    const inputs = [];
    for (const input of result.inputs) {
      const hash = await this.#of(input.name);
      inputs.push(hash ? { ...input, sha256: hash } : input);
    }
    return { ...result, inputs };
  }

  /** A part of a file is named `file#part`. */
  async #of(name: string): Promise<string | null> {
    for (const path of [name, name.replace(/#[^#]*$/, '')]) {
      const known = this.#hashes.get(path);
      if (known) return known;
      const entry = await stat(path).catch(() => null);
      if (!entry?.isFile() || entry.size > LARGEST) continue;
      const hash = sha256(path);
      this.#hashes.set(path, hash);
      return hash;
    }
    return null;
  }

  #onSide(path: string): Promise<string | null> {
    return this.#side.run('sha256', path).catch(() => sha256(path));
  }
}

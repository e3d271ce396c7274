/** SHA-256 of the input files, so that a reader of the report can tell whether theirs are the same. */

import type { Source } from '../model/source.ts';
import { disk } from '../platform/files.ts';
import { sha256OfFile } from '../platform/hash.ts';
import type { Result } from '../tables/result.ts';
import { MAIN_THREAD, type Pool } from './pool.ts';

/** Hashing reads a file again: beyond this size it is not worth the time. */
const LARGEST = 2 ** 31;
/** A file of so many bytes takes longer to be hashed than to be read, so that both begin at once. */
const LARGE = 1 << 28;
/** So many bytes together are hashed sooner than a thread is there. */
const FEW = 1 << 25;

/** Hashes of files, each computed once, and in the pool when they take long. */
export class InputHashes {
  readonly #pool: Pool;
  readonly #hashes = new Map<string, Promise<string | null>>();

  constructor(pool: Pool = MAIN_THREAD) {
    this.#pool = pool;
  }

  /** These will be read: what takes longest begins first. */
  async expect(paths: readonly string[]): Promise<void> {
    if (!this.#pool.parallel) return;
    for (const path of paths) this.begin(path, await sizeOf(path));
  }

  /** A file of so many bytes is being read: it can be hashed meanwhile. */
  begin(path: string, size: number | null): void {
    if (!this.#pool.parallel || size === null || size < LARGE) return;
    if (size <= LARGEST && !this.#hashes.has(path)) this.#inPool([path]);
  }

  /** All sources are read. What they say keeps the main thread busy: the other files can be hashed meanwhile. */
  async rest(sources: readonly Pick<Source, 'name' | 'files'>[]): Promise<void> {
    if (!this.#pool.parallel) return;
    const paths = new Set<string>();
    let bytes = 0;
    for (const { name } of sources.flatMap((s): readonly { name: string }[] => s.files ?? [s])) {
      const file = await this.#find(name);
      if (!file || this.#hashes.has(file.path) || paths.has(file.path)) continue;
      paths.add(file.path);
      bytes += file.size;
    }
    if (bytes < FEW) return;
    // nobody hands out one after the other while the main thread is busy
    const { threads } = this.#pool;
    for (let i = 0; i < threads; i++) this.#inPool([...paths].filter((_, n) => n % threads === i));
  }

  /** The result with `sha256` for every input that is a file of at most 2 GiB and can still be read. */
  async addTo(result: Result): Promise<Result> {
    const inputs = [];
    for (const input of result.inputs) {
      const files = [];
      for (const file of input.files ?? []) files.push(await this.#withHash(file));
      inputs.push(input.files ? { ...input, files } : await this.#withHash(input));
    }
    return { ...result, inputs };
  }

  async #withHash<T extends { name: string }>(file: T): Promise<T & { sha256?: string }> {
    const hash = await this.#of(file.name);
    return hash ? { ...file, sha256: hash } : file;
  }

  async #of(name: string): Promise<string | null> {
    const file = await this.#find(name);
    if (!file) return null;
    const hash = this.#hashes.get(file.path) ?? sha256OfFile(file.path);
    this.#hashes.set(file.path, hash);
    return hash;
  }

  /** The file that a source is; a part of a file is named `file#part`. */
  async #find(name: string): Promise<{ path: string; size: number } | null> {
    for (const path of [name, name.replace(/#[^#]*$/, '')]) {
      const size = await sizeOf(path);
      if (size !== null && size <= LARGEST) return { path, size };
    }
    return null;
  }

  #inPool(paths: readonly string[]): void {
    if (paths.length === 0) return;
    const hashes = this.#pool.run('sha256', paths);
    for (const [i, path] of paths.entries()) {
      const hash = hashes.then(
        (all) => all[i] ?? null,
        () => sha256OfFile(path),
      );
      this.#hashes.set(path, hash);
    }
  }
}

/** In bytes; null when it is no file. */
async function sizeOf(path: string): Promise<number | null> {
  const entry = await disk.stat(path).catch(() => null);
  return entry?.isFile ? entry.size : null;
}

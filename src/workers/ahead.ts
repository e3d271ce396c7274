/** Several captures at once: this thread takes them from the front, the others from the back, until they meet. */
import type { TrackedFile } from '../connect/capture.ts';
import type { Source } from '../model/source.ts';
import type { Expected } from '../read/evidence.ts';
import type { Ahead, ReadElsewhere } from '../read/read.ts';
import type { Pool } from './pool.ts';

/** Takes what became of a file. */
interface Taker {
  file(source: Source, file: TrackedFile): void;
}

/**
 * What was read waits for its turn, so that everything comes in the order of one thread. It needs no more memory for
 * that: connections are held until all files are read in any case. A file that a thread fails with is read again here.
 */
export class ReadingAhead implements Ahead {
  readonly #pool: Pool;
  readonly #taker: Taker;
  readonly #zeekTimers: boolean;
  readonly #begun = new Map<string, Promise<TrackedFile | null>>();
  /** In bytes, in the order in which they are asked for. */
  #sizes = new Map<string, number>();
  /** Files that nobody has begun. */
  #waiting: string[] = [];

  constructor(pool: Pool, taker: Taker, zeekTimers: boolean) {
    this.#pool = pool;
    this.#taker = taker;
    this.#zeekTimers = zeekTimers;
  }

  begin(files: readonly Expected[]): void {
    this.#sizes = new Map(files.map(({ path, size }) => [path, size]));
    const [first = 0, ...others] = this.#sizes.values();
    if (first === 0 || others.reduce((sum, size) => sum + size, 0) < this.#pool.least.bytes) return;
    this.#waiting = [...this.#sizes.keys()];
    for (let i = 0; i < this.#pool.threads; i++) this.#next();
  }

  async take(path: string): Promise<ReadElsewhere | null> {
    const at = this.#waiting.indexOf(path);
    if (at >= 0) this.#waiting.splice(at, 1);
    const file = await this.#begun.get(path);
    this.#begun.delete(path);
    if (!file) return null;
    const { source, met } = file;
    const deliver = (named: Source) => this.#taker.file(named, file);
    return { source, size: this.#sizes.get(path) ?? 0, diagnostics: met, deliver };
  }

  /** Gives the last file that waits to a thread. */
  #next(): void {
    const path = this.#waiting.pop();
    if (path === undefined) return;
    const read = this.#pool.run('track', { path, zeekTimers: this.#zeekTimers }).catch(() => null);
    this.#begun.set(path, read);
    read.then(() => this.#next());
  }
}

/** Progress of long inputs. */
import type { ReadProgress } from '../read/read.ts';

/** One line on a terminal's stderr; nothing elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #last = 0;
  #shown = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** At most ten times a second. */
  read({ name, bytes, total }: ReadProgress): void {
    const now = Date.now();
    if (now - this.#last < 100) return;
    this.#last = now;
    const amount =
      total === null
        ? `${(bytes / 1e6).toFixed(1)} MB`
        : `${((100 * bytes) / Math.max(total, 1)).toFixed(0)} %`;
    this.#show(`reading ${name.replaceAll(/[^\x20-\x7e]/g, '?')}: ${amount}`);
  }

  /** What comes after the reading: shown where that took long enough to be seen. */
  stage(name: string): void {
    if (this.#last > 0) this.#show(name);
  }

  clear(): void {
    if (this.#shown) this.#out.write('\r\x1b[K');
    this.#shown = false;
  }

  #show(text: string): void {
    if (this.#out.isTTY !== true) return;
    this.#shown = true;
    this.#out.write(`\r\x1b[K${text}`);
  }
}

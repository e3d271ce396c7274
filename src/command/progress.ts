/** Progress of long inputs. */
import type { ReadProgress } from '../read/read.ts';

/** One line on a terminal's stderr, at most ten times a second; nothing elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #last = 0;
  #shown = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show({ name, bytes, total }: ReadProgress): void {
    const now = Date.now();
    if (this.#out.isTTY !== true || now - this.#last < 100) return;
    this.#last = now;
    this.#shown = true;
    const amount =
      total === null
        ? `${(bytes / 1e6).toFixed(1)} MB`
        : `${((100 * bytes) / Math.max(total, 1)).toFixed(0)} %`;
    this.#out.write(`\r\x1b[Kreading ${name.replaceAll(/[^\x20-\x7e]/g, '?')}: ${amount}`);
  }

  clear(): void {
    if (this.#shown) this.#out.write('\r\x1b[K');
  }
}

/** A temporary folder for what has to be unpacked before it can be read; it goes with the process at the latest. */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Spool {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tcpautopsy-'));
  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
  #files = 0;

  constructor() {
    process.once('exit', this.#remove);
  }

  /** Writes blocks to a new file, and gives its path. */
  async keep(blocks: AsyncIterable<Uint8Array>): Promise<string> {
    const path = join(this.#folder, String(this.#files++));
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const block of blocks) await file.writeFile(block);
    } finally {
      await file.close();
    }
    return path;
  }

  drop(path: string): void {
    rmSync(path, { force: true });
  }

  close(): void {
    process.removeListener('exit', this.#remove);
    this.#remove();
  }
}

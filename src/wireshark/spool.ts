/**
 * Puts more blocks in order of time than memory can hold: they wait in a file, and an index of 20 bytes each is sorted.
 */
import { RandomFile } from '../platform/output.ts';
import { readAt } from '../platform/scratch.ts';

const BUFFER = 1 << 20;

/** Blocks on disk in the order they came, and where each lies. */
export class Spool {
  readonly #file: RandomFile;
  #times = new BigInt64Array(1 << 12);
  #offsets = new Float64Array(1 << 12);
  #lengths = new Uint32Array(1 << 12);
  #count = 0;
  #size = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(path: string) {
    this.#file = new RandomFile(path);
  }

  add(time: bigint, block: Buffer): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count] = time;
    this.#offsets[this.#count] = this.#size;
    this.#lengths[this.#count++] = block.length;
    this.#size += block.length;
    this.#held.push(block);
    this.#heldBytes += block.length;
    if (this.#heldBytes >= BUFFER) this.#flush();
  }

  /** A file of the first blocks as given, then those added, by time. */
  writeTo(path: string, first: readonly Buffer[]): void {
    this.#flush();
    const times = this.#times;
    const order = new Uint32Array(this.#count).map((_, i) => i);
    order.sort((a, b) => (times[a]! < times[b]! ? -1 : times[a]! > times[b]! ? 1 : a - b));
    const out = new RandomFile(path);
    try {
      let held: Buffer[] = [...first];
      let size = 0;
      for (const i of order) {
        const block = Buffer.allocUnsafe(this.#lengths[i]!);
        readAt(this.#file.descriptor, block, this.#offsets[i]!);
        held.push(block);
        size += block.length;
        if (size < BUFFER) continue;
        out.append(Buffer.concat(held));
        held = [];
        size = 0;
      }
      out.append(Buffer.concat(held));
    } finally {
      out.close();
    }
  }

  close(): void {
    this.#file.remove();
  }

  #flush(): void {
    this.#file.append(Buffer.concat(this.#held));
    this.#held = [];
    this.#heldBytes = 0;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const [times, offsets, lengths] = [
      new BigInt64Array(size),
      new Float64Array(size),
      new Uint32Array(size),
    ];
    times.set(this.#times);
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    [this.#times, this.#offsets, this.#lengths] = [times, offsets, lengths];
  }
}

/** The first and the last bytes of something that is read once from the beginning to its end. */
import type { Files } from '../platform/types.ts';
import { HEAD_BYTES } from '../read/bytes.ts';
import { TAIL_BYTES } from '../read/look.ts';

export class Edges {
  static readonly HEAD = HEAD_BYTES;
  static readonly TAIL = TAIL_BYTES;
  size = 0;
  #head = new Uint8Array(0);
  #tail: Uint8Array[] = [];
  #kept = 0;

  add(block: Uint8Array): void {
    if (this.size < HEAD_BYTES) {
      const more = block.subarray(0, HEAD_BYTES - this.size);
      const head = new Uint8Array(this.size + more.length);
      head.set(this.#head);
      head.set(more, this.size);
      this.#head = head;
    }
    this.size += block.length;
    const last = block.slice(Math.max(block.length - TAIL_BYTES, 0));
    this.#tail.push(last);
    this.#kept += last.length;
    while (this.#kept - this.#tail[0]!.length >= TAIL_BYTES) this.#kept -= this.#tail.shift()!.length;
  }

  get head(): Uint8Array {
    return this.#head;
  }

  /** A file with nothing between the edges. */
  get files(): Files {
    const tail = new Uint8Array(this.#kept);
    let filled = 0;
    for (const block of this.#tail) {
      tail.set(block, filled);
      filled += block.length;
    }
    const { head, size } = this;
    const read = async (into: Uint8Array, position: number | null) => {
      const at = position ?? 0;
      const isTail = at >= size - tail.length;
      const part = isTail ? tail.subarray(at - (size - tail.length)) : head.subarray(at);
      into.set(part.subarray(0, into.length));
      return Math.min(part.length, into.length);
    };
    return {
      open: async () => ({ size, read, close: async () => undefined }),
      stat: async () => ({ size, isFile: true, isFolder: false }),
      list: async () => [],
    };
  }
}

/** The memory of a tracker: connection records and what hangs on them. */
import type { SideIndex } from '../model/connection.ts';
import {
  BLOCK_LINK,
  BLOCK_STRIDE,
  BLOCKS,
  CONNECTION_STRIDE,
  KEY_LINK,
  KEY_STRIDE,
  KEYS,
  PREVIOUS,
  SERIAL,
  SIDE_STRIDE,
  SIDES,
  TROUBLE,
  TROUBLE_SIDE_STRIDE,
  TROUBLE_STRIDE,
} from './layout.ts';
import { Rows, type RowsState } from './rows.ts';

export class Store {
  readonly connections = new Rows(CONNECTION_STRIDE);
  readonly troubles = new Rows(TROUBLE_STRIDE);
  readonly keys = new Rows(KEY_STRIDE);
  readonly blocks = new Rows(BLOCK_STRIDE);
  /** The source that all of it is of. */
  source: number;

  constructor(source = 0) {
    this.source = source;
  }

  state(): RowsState[] {
    return this.#all.map((rows) => rows.state());
  }

  copy(): RowsState[] {
    return this.#all.map((rows) => rows.copy());
  }

  adopt(states: readonly RowsState[]): void {
    for (const [i, rows] of this.#all.entries()) rows.adopt(states[i]!);
  }

  get #all(): Rows[] {
    return [this.connections, this.troubles, this.keys, this.blocks];
  }

  /** Offset in `troubles.words` of what went wrong with a side; made when it is not there yet. */
  trouble(at: number, side: number): number {
    const words = this.connections.words;
    let trouble = words[at + TROUBLE]!;
    if (trouble === 0) {
      trouble = this.troubles.allocate();
      words[at + TROUBLE] = trouble;
    }
    return trouble + side * TROUBLE_SIDE_STRIDE;
  }

  /** A word of what went wrong with a side; 0 when nothing did. */
  troubled(at: number, side: number, word: number): number {
    const trouble = this.connections.words[at + TROUBLE]!;
    return trouble === 0 ? 0 : this.troubles.words[trouble + side * TROUBLE_SIDE_STRIDE + word]!;
  }

  /** Sets a word of what went wrong with a side. The array is asked for last: it may have grown. */
  setTrouble(at: number, side: number, word: number, value: number): void {
    const trouble = this.trouble(at, side);
    this.troubles.words[trouble + word] = value;
  }

  /** Adds one to a count of what went wrong with a side; the new count. */
  count(at: number, side: number, word: number): number {
    const trouble = this.trouble(at, side);
    return ++this.troubles.words[trouble + word]!;
  }

  /** Lets go of the packets before the last ones: a connection that both sides have closed needs them no more. */
  dropPrevious(at: number): void {
    const words = this.connections.words;
    for (let side = 0; side < 2; side++) {
      const previous = sideOf(at, side) + PREVIOUS;
      if (words[previous] !== 0) this.keys.release(words[previous]!);
      words[previous] = 0;
    }
  }

  /** Gives back a connection and all that hangs on it. */
  release(at: number): void {
    const words = this.connections.words;
    for (let key = words[at + KEYS]!; key !== 0; ) {
      const next = this.keys.words[key + KEY_LINK]!;
      this.keys.release(key);
      key = next;
    }
    this.dropPrevious(at);
    const trouble = words[at + TROUBLE]!;
    if (trouble !== 0) {
      for (const side of [0, TROUBLE_SIDE_STRIDE]) {
        for (let block = this.troubles.words[trouble + side + BLOCKS]!; block !== 0; ) {
          const next = this.blocks.words[block + BLOCK_LINK]!;
          this.blocks.release(block);
          block = next;
        }
      }
      this.troubles.release(trouble);
    }
    words[at + SERIAL] = 0;
    this.connections.release(at);
  }
}

/** Offset of a side of the connection at `at`. */
export function sideOf(at: number, side: number): number {
  return at + SIDES + side * SIDE_STRIDE;
}

/** The other side. */
export function otherSide(side: number): SideIndex {
  return side === 0 ? 1 : 0;
}

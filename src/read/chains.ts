/** Captures read so far that other files may go on with, found by when their last packet came. */
import type { Source } from '../model/source.ts';
import { NS_PER_S } from '../model/time.ts';
import type { Look } from './look.ts';

/** Times of one interface step back so far at most, as packets of several CPUs are written. */
export const STEP_BACK = NS_PER_S / 1000;
/** Files of one capture are not further apart than so many times their length, and this. */
const FARTHEST_LENGTHS = 10;
const FARTHEST = 60 * NS_PER_S;
/** A gap that is no longer than this share of what the files cover is none. */
export const SMALL = 1 / 100;

export interface Chain {
  source: Source;
  /** Of its first packet. */
  first: bigint;
  paths: string[];
  hosts: Set<string>;
  /** ns between its files. */
  gaps: number;
}

export class Chains {
  /** Ascending by their ends; of those that end together the one that came first stands last. */
  readonly #inOrder: { chain: Chain; end: bigint; number: number }[] = [];
  /** Of each, as they came. */
  readonly #numbers = new Map<Chain, number>();
  /** The one whose file is being read: only its end moves. */
  #growing: Chain | null = null;
  /** From the first packet to the last of the longest, ns. */
  #longest = 0;

  add(chain: Chain): void {
    this.#settle();
    this.#numbers.set(chain, this.#numbers.size);
    this.#growing = chain;
  }

  /** Those that the file may go on with, the nearest first, at most so many. */
  before(look: Look, most: number): Chain[] {
    this.#settle();
    const found: Chain[] = [];
    const farthest = farthestFor(this.#longest + lengthOf(look));
    for (let i = this.#placeOf(look.first + BigInt(STEP_BACK) + 1n) - 1; i >= 0; i--) {
      const { chain, end } = this.#inOrder[i]!;
      if (Number(look.first - end) > farthest) break;
      if (isNear(chain, look) && found.push(chain) === most) break;
    }
    return found;
  }

  /** The file is a part of the chain from now on. */
  goesOn(chain: Chain): void {
    this.#inOrder.splice(
      this.#inOrder.findLastIndex((c) => c.chain === chain),
      1,
    );
    this.#growing = chain;
  }

  #settle(): void {
    const chain = this.#growing;
    if (!chain) return;
    this.#growing = null;
    const end = lastOf(chain);
    this.#longest = Math.max(this.#longest, Number(end - chain.first));
    const number = this.#numbers.get(chain)!;
    this.#inOrder.splice(this.#placeOf(end, number), 0, { chain, end, number });
  }

  /** Of the first that ends later, or then and came before this number; without one, of the first that ends then or later. */
  #placeOf(end: bigint, number = Infinity): number {
    let [from, to] = [0, this.#inOrder.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const at = this.#inOrder[middle]!;
      if (at.end < end || (at.end === end && at.number > number)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Neither overlaps with the capture, but for the steps back that packets of one interface may take, nor lies far behind. */
function isNear(chain: Chain, look: Look): boolean {
  const gap = gapBefore(chain, look);
  const length = lengthWith(chain, look);
  return gap >= -Math.min(STEP_BACK, length * SMALL) && gap <= farthestFor(length);
}

export function farthestFor(length: number): number {
  return FARTHEST_LENGTHS * length + FARTHEST;
}

/** Of both together, without what lies between. */
export function lengthWith(chain: Chain, look: Look): number {
  return Number(lastOf(chain) - chain.first) - chain.gaps + lengthOf(look);
}

function lengthOf({ first, last }: Look): number {
  return Number((last ?? first) - first);
}

export function gapBefore(chain: Chain, { first }: Look): number {
  return Number(first - lastOf(chain));
}

function lastOf({ source }: Chain): bigint {
  return source.clock.base + BigInt(Math.round(source.span?.last ?? 0));
}

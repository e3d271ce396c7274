/** Encapsulation paths as small numbers. A path is put together only for packets that have one. */
import { layers } from './layers.ts';

/** Real captures have a handful of paths; a hostile one gets this many, then `…`. */
const MAX_PATHS = 256;

export class Encapsulations {
  /** Path by number. Number 0 is no encapsulation. */
  readonly texts: string[] = [''];
  readonly #numbers = new Map<string, number>([['', 0]]);
  /** Indexes of the named layers entered so far, outermost first. */
  readonly #entered = new Uint8Array(64);
  #depth = 0;
  /** How many of them lie outside the innermost IP header. */
  #outside = 0;
  /** The layers that `#lastNumber` was made for, as one number, while they are few: the path of most packets. */
  #lastKey = 0;
  #lastNumber = 0;

  clear(): void {
    this.#depth = 0;
    this.#outside = 0;
  }

  enter(layer: number, ip: boolean): void {
    if (ip) this.#outside = this.#depth;
    this.#entered[this.#depth++] = layer;
  }

  /** Number of the path that the layers entered so far make. */
  index(): number {
    if (this.#outside === 0) return 0;
    const key = this.#key();
    if (key === 0 || key !== this.#lastKey) {
      this.#lastNumber = this.#number();
      this.#lastKey = key;
    }
    return this.#lastNumber;
  }

  /** Five bytes of layer indexes + 1 fit in a safe integer; 0 for longer paths. */
  #key(): number {
    if (this.#outside > 5) return 0;
    let key = 0;
    for (let i = 0; i < this.#outside; i++) key = key * 256 + this.#entered[i] + 1;
    return key;
  }

  #number(): number {
    const outer = this.#entered.subarray(0, this.#outside);
    const text = Array.from(outer, (index) => layers[index].id).join('>');
    return this.#numbers.get(text) ?? this.#add(text);
  }

  #add(text: string): number {
    const number = this.texts.length;
    if (number > MAX_PATHS) return MAX_PATHS;
    this.texts.push(number === MAX_PATHS ? '…' : text);
    this.#numbers.set(text, number);
    return number;
  }
}

import { getOr } from '../model/get-or.ts';

/** Numbers for addresses, ends and 4-tuples, the same from either end. */
export class Tuples {
  readonly #addresses = new Map<string, number>();
  readonly #ends = new Map<number, number>();
  readonly #tuples = new Map<number, number>();

  address(text: string): number {
    return numberIn(this.#addresses, text);
  }

  end(address: number, port: number): number {
    return numberIn(this.#ends, address * 2 ** 16 + port);
  }

  of(one: number, other: number): number {
    return numberIn(this.#tuples, Math.min(one, other) * 2 ** 26 + Math.max(one, other));
  }

  named(address: string, port: number, otherAddress: string, otherPort: number): number {
    return this.of(this.end(this.address(address), port), this.end(this.address(otherAddress), otherPort));
  }
}

function numberIn<K>(map: Map<K, number>, key: K): number {
  return getOr(map, key, () => map.size);
}

import type { Facts } from './facts.ts';
import type { World } from './world.ts';

/** Some of all connections, by number: what is known of each is derived when it is met, and let go again. */
export class Connections implements Iterable<Facts> {
  readonly world: World;
  readonly numbers: Int32Array;

  constructor(world: World, numbers: Int32Array) {
    this.world = world;
    this.numbers = numbers;
  }

  get length(): number {
    return this.numbers.length;
  }

  get first(): Facts {
    return this.world.facts(this.numbers[0]!);
  }

  /** `c1`, as tables call them. */
  get ids(): string[] {
    return Array.from(this.numbers, (n) => `c${n + 1}`);
  }

  map<T>(of: (f: Facts) => T): T[] {
    return Array.from(this.numbers, (n) => of(this.world.facts(n)));
  }

  flatMap<T>(of: (f: Facts) => readonly T[]): T[] {
    const all: T[] = [];
    for (const f of this) all.push(...of(f));
    return all;
  }

  /** null counts nothing. */
  sum(of: (f: Facts) => number | null): number {
    return this.map(of).reduce<number>((sum, n) => sum + (n ?? 0), 0);
  }

  filter(holds: (f: Facts) => boolean): Connections {
    return new Connections(
      this.world,
      this.numbers.filter((n) => holds(this.world.facts(n))),
    );
  }

  *[Symbol.iterator](): Iterator<Facts> {
    for (const n of this.numbers) yield this.world.facts(n);
  }
}

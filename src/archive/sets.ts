/** Numbers from 0 that are joined to sets (union-find); a set is known by the least of its numbers. */
export class Sets {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, n) => n);
  }

  /** The set that a number is in. */
  of(n: number): number {
    const parent = this.#parent;
    let root = n;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = n; at !== root; ) {
      const next = parent[at]!;
      parent[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.of(a), this.of(b)];
    this.#parent[Math.max(one, other)] = Math.min(one, other);
  }
}

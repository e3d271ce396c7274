/** Millions of numbers in little memory. */

/** A list that grows: eight bytes a number. */
export class Numbers {
  #values = new Float64Array(256);
  #length = 0;
  #isSorted = true;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
    this.#isSorted = false;
  }

  /** Ascending. */
  get sorted(): Float64Array {
    if (!this.#isSorted) this.#values = this.#values.slice(0, this.#length).sort();
    this.#isSorted = true;
    return this.#values.subarray(0, this.#length);
  }
}

/** One of the ascending numbers lies after `after` and up to `until`. */
export function hasBetween(sorted: ArrayLike<number>, after: number, until: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low]! <= until;
}

/** Each of the numbers once, ascending. */
export function distinct(numbers: readonly number[]): number[] {
  const sorted = Float64Array.from(numbers).sort();
  const each: number[] = [];
  for (const n of sorted) if (each.length === 0 || each.at(-1) !== n) each.push(n);
  return each;
}

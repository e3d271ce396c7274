/** How often durations came, where there are too many to keep them. */
import type { Durations } from '../../model/result.ts';

/** Stands for 0 on a logarithmic scale: the FIN came with the ACK, or within the clock's step. Seconds. */
export const LEAST_SECONDS = 1e-7;

/** Six digits: versions of V8 differ in the last ones of a power. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

/** Middles of bins, by their numbers: a power and its digits take long, and there are few. */
const middles = new Map<number, number>();

/** The middle of the bin of a duration, four bins a decade. */
export function binOf(seconds: number): number {
  const bin = Math.round(4 * Math.log10(Math.max(seconds, LEAST_SECONDS)));
  let middle = middles.get(bin);
  if (middle === undefined) {
    middle = rounded(10 ** (bin / 4));
    middles.set(bin, middle);
  }
  return middle;
}

export class DurationBins {
  /** Seconds of its middle, and how many fell into it. */
  readonly bins = new Map<number, number>();
  shortest = Number.POSITIVE_INFINITY;
  longest = 0;

  add(seconds: number): void {
    const bin = binOf(seconds);
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + 1);
    this.shortest = Math.min(this.shortest, seconds);
    this.longest = Math.max(this.longest, seconds);
  }

  /** Those of other bins. */
  take({ bins, shortest, longest }: Durations): void {
    for (const { seconds, connections } of bins)
      this.bins.set(seconds, (this.bins.get(seconds) ?? 0) + connections);
    this.shortest = Math.min(this.shortest, shortest);
    this.longest = Math.max(this.longest, longest);
  }

  /** The same with others. */
  with(others: readonly number[]): DurationBins {
    const sum = new DurationBins();
    for (const [bin, n] of this.bins) sum.bins.set(bin, n);
    [sum.shortest, sum.longest] = [this.shortest, this.longest];
    for (const seconds of others) sum.add(seconds);
    return sum;
  }
}

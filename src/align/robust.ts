/** Robust statistics for offsets between clocks: a few wrong pairs must not move the answer. */
import { NS_PER_MS } from '../model/time.ts';

/** Pairs closer than this to the others are never rejected: scheduling alone scatters that much. */
const FLOOR = NS_PER_MS;

/** Median; NaN for an empty list. The list is not changed. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A pair of readings of the same moment: on the clock to be converted, and on the reference. Nanoseconds. */
export interface ClockPair {
  local: number;
  reference: number;
}

export interface OffsetFit {
  /** reference = local + offset + drift × (local - origin) */
  offset: number;
  /** Dimensionless; 1e-6 is one part per million. */
  drift: number;
  origin: number;
  /** Median absolute distance of the pairs used from the fit, and the largest. */
  residual: number;
  worst: number;
  pairs: number;
  /** Pairs too far from the others to be the same moment. */
  rejected: number;
}

/** Spans shorter than this say nothing about drift: 60 s at 10 ppm is 0.6 ms. */
const DRIFT_SPAN = 60e9;
const DRIFT_PAIRS = 12;

/**
 * Offset as the median over pairs, then pairs farther than `max(8 × MAD, FLOOR, resolution)` are rejected and the median taken
 * again; drift as the slope between the medians of the first and last third where the span allows.
 */
export function fitOffset(pairs: readonly ClockPair[], resolution = 0): OffsetFit | null {
  if (pairs.length === 0) return null;
  const first = median(pairs.map((p) => p.reference - p.local));
  const spread = median(pairs.map((p) => Math.abs(p.reference - p.local - first)));
  const limit = Math.max(8 * spread, FLOOR, resolution);
  const used = pairs
    .filter((p) => Math.abs(p.reference - p.local - first) <= limit)
    .sort((a, b) => a.local - b.local);
  const origin = used[0]!.local;
  const drift = driftOf(used, spread);
  const offset = median(used.map((p) => p.reference - p.local - drift * (p.local - origin)));
  const distances = used.map((p) => Math.abs(p.reference - p.local - offset - drift * (p.local - origin)));
  return {
    offset,
    drift,
    origin,
    residual: median(distances),
    worst: distances.reduce((a, b) => Math.max(a, b), 0),
    pairs: used.length,
    rejected: pairs.length - used.length,
  };
}

function driftOf(sorted: readonly ClockPair[], spread: number): number {
  const third = Math.floor(sorted.length / 3);
  if (sorted.length < DRIFT_PAIRS) return 0;
  const head = sorted.slice(0, third);
  const tail = sorted.slice(-third);
  const difference = (part: readonly ClockPair[]) => median(part.map((p) => p.reference - p.local));
  const span = median(tail.map((p) => p.local)) - median(head.map((p) => p.local));
  const step = difference(tail) - difference(head);
  // a step within the scatter of the pairs is noise, not drift
  return span >= DRIFT_SPAN && Math.abs(step) > 2 * spread ? step / span : 0;
}

/** How far a share that was counted may be from the one behind it: 95 % intervals of binomial proportions. */

/** 97.5th percentile of the standard normal distribution. */
const Z = 1.959964;

/** Of connections, how many. `connections` is above 0. */
export interface Share {
  hurt: number;
  connections: number;
}

export type Interval = [low: number, high: number];

/** Wilson's score interval of one share (J. Am. Stat. Assoc. 22, 1927), from 0 to 1. */
export function intervalOf({ hurt, connections: n }: Share): Interval {
  if (n === 0) return [0, 1];
  const p = hurt / n;
  const z2 = Z * Z;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return [hurt === 0 ? 0 : middle - half, hurt === n ? 1 : middle + half];
}

/** Of the difference `after` − `before` of two shares: Newcombe's method 10 (Stat. Med. 17, 1998). */
export function intervalOfChange(before: Share, after: Share): Interval {
  const [p1, p2] = [before, after].map((s) => (s.connections === 0 ? 0 : s.hurt / s.connections)) as Interval;
  const [[l1, u1], [l2, u2]] = [intervalOf(before), intervalOf(after)];
  const d = p2 - p1;
  return [d - Math.hypot(p2 - l2, u1 - p1), d + Math.hypot(u2 - p2, p1 - l1)];
}

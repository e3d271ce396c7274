/** Segments as tcpdump prints them. */

/** Seconds, `address.port` of both ends, what stands behind them. */
export type Line = readonly [at: number, from: string, to: string, what: string];

export const stamp = (s: number) => new Date(Math.round(s * 1000)).toISOString().slice(11, 23);

/** `place`: interface and direction, as `-i any` prints them. `time`: what is printed of a time and that of the line before. */
export const printed = (
  lines: readonly Line[],
  { place = '', time = stamp }: { place?: string; time?: (at: number, before: number) => string } = {},
) =>
  `${lines.map(([at, from, to, what], i) => `${time(at, lines[i - 1]?.[0] ?? at)}000${place} IP ${from} > ${to}: ${what}`).join('\n')}\n`;

/**
 * A time axis on which microseconds and minutes are both readable. Moments that lie close together form a stretch,
 * within which time is linear; the long times between stretches, when nothing changes, are cut out and drawn as a
 * break that says how much is missing. Positions run from 0 to 100.
 */
import { formatSpan } from '../align/format-time.ts';

export interface AxisTick {
  x: number;
  label: string;
}

/** A break, or a stretch, from `x` to `x2`, and how long it is. */
export interface AxisSpan {
  x: number;
  x2: number;
  label: string;
}

export interface BrokenAxis {
  /** Position of one of the times the axis was made from. */
  x(time: number): number;
  breaks: AxisSpan[];
  /** The scale of each stretch that is wide enough for a label; none when nothing is cut out. */
  stretches: AxisSpan[];
  /** Where stretches begin, since time 0; without breaks round times. */
  ticks: AxisTick[];
}

interface Stretch {
  from: number;
  to: number;
  /** Distinct moments in it. */
  moments: number;
  x: number;
  x2: number;
}

/** A gap is cut when it is longer than so many times the longer stretch beside it. */
const CUT_RATIO = 3;
const MAX_CUTS = 8;
/** Width of a break. */
const BREAK = 3.5;
/** Room that a label needs. */
export const LABEL = 10;

/** For charts of an incident: one wait may be cut out, where it is far longer than all the rest. */
export const ONE_CUT = { cuts: 1, ratio: 100 };

interface AxisOptions {
  /** Position at which it starts. */
  start?: number;
  /** Cuts at most; a gap is cut when it is longer than `ratio` times the longer stretch beside it. */
  cuts?: number;
  ratio?: number;
  /** Of a time; by default how long it is since 0. */
  label?: (time: number) => string;
}

/** `times` in nanoseconds, relative to what the labels call +0; at least one. */
export function brokenAxis(
  times: readonly number[],
  { start = 0, cuts = MAX_CUTS, ratio = CUT_RATIO, label = since }: AxisOptions = {},
): BrokenAxis {
  const stretches = place(
    cut(
      [...new Set(times)].sort((a, b) => a - b),
      cuts,
      ratio,
    ),
    start,
  );
  const breaks = stretches.slice(1).map((s, i) => {
    const before = stretches[i]!;
    return { x: before.x2, x2: s.x, label: formatSpan(s.from - before.to) };
  });
  const scales = stretches
    .filter((s) => breaks.length > 0 && s.to > s.from && s.x2 - s.x >= LABEL / 2)
    .map((s) => ({ x: s.x, x2: s.x2, label: formatSpan(s.to - s.from) }));
  const ticks = breaks.length === 0 ? roundTicks(stretches[0]!, label) : beginTicks(stretches, label);
  return { x: (time) => position(stretches, time), breaks, stretches: scales, ticks };
}

/** Single-linkage clustering of sorted moments; of too many gaps only the longest stay cut. */
function cut(moments: readonly number[], cuts: number, ratio: number): Stretch[] {
  const gaps = moments.slice(1).map((t, i) => t - moments[i]!);
  const floor = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 1;
  const stretches = merge(moments, floor, ratio);
  const gap = (i: number) => stretches[i]!.from - stretches[i - 1]!.to;
  while (stretches.length > cuts + 1) {
    let least = 1;
    for (let i = 2; i < stretches.length; i++) if (gap(i) < gap(least)) least = i;
    const [gone] = stretches.splice(least, 1);
    const into = stretches[least - 1]!;
    into.to = gone!.to;
    into.moments += gone!.moments;
  }
  return stretches;
}

function merge(moments: readonly number[], floor: number, ratio: number): Stretch[] {
  let list = moments.map((t) => ({ from: t, to: t, moments: 1, x: 0, x2: 0 }));
  for (let merged = true; merged; ) {
    merged = false;
    const next: Stretch[] = [];
    for (const s of list) {
      const last = next.at(-1);
      const reach = last ? ratio * Math.max(floor, last.to - last.from, s.to - s.from) : 0;
      if (last && s.from - last.to <= reach) {
        last.to = s.to;
        last.moments += s.moments;
        merged = true;
      } else next.push(s);
    }
    list = next;
  }
  return list;
}

/** Shares the width by how much happens in each stretch; a single moment gets little. */
function place(stretches: Stretch[], start: number): Stretch[] {
  const weights = stretches.map((s) => (s.moments === 1 ? 0.6 : 1 + Math.log2(s.moments)));
  const total = weights.reduce((a, b) => a + b, 0);
  const unit = (100 - start - BREAK * (stretches.length - 1)) / total;
  let x = start;
  for (const [i, s] of stretches.entries()) {
    s.x = x;
    s.x2 = x + weights[i]! * unit;
    x = s.x2 + BREAK;
  }
  return stretches;
}

function position(stretches: readonly Stretch[], time: number): number {
  const s = stretches.find((c) => time <= c.to) ?? stretches.at(-1)!;
  if (s.from === s.to) return (s.x + s.x2) / 2;
  return s.x + ((Math.max(time, s.from) - s.from) / (s.to - s.from)) * (s.x2 - s.x);
}

/** Where each stretch begins, as far as the labels have room. */
function beginTicks(stretches: readonly Stretch[], label: (time: number) => string): AxisTick[] {
  const ticks: AxisTick[] = [];
  for (const s of stretches) {
    const x = s.from === s.to ? (s.x + s.x2) / 2 : s.x;
    const last = ticks.at(-1);
    if (!last || x - last.x >= LABEL) ticks.push({ x, label: label(s.from) });
  }
  return ticks;
}

const MAX_ROUND_TICKS = 6;

function roundTicks(s: Stretch, label: (time: number) => string): AxisTick[] {
  if (s.from === s.to) return [{ x: (s.x + s.x2) / 2, label: label(s.from) }];
  const rough = (s.to - s.from) / MAX_ROUND_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough)!;
  const ticks: AxisTick[] = [];
  for (let time = Math.ceil(s.from / step) * step; time <= s.to; time += step) {
    ticks.push({ x: position([s], time), label: label(time) });
  }
  return ticks;
}

function since(time: number): string {
  return time === 0 ? '0' : `+${formatSpan(time)}`;
}

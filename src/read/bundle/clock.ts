/** The clocks of a bundle: events are timed by one that is never set, packets by CLOCK_REALTIME; anchors are readings of both. */
import type { ClockPeriod } from '../../model/source.ts';
import type { Sights, SteppedClock } from '../stepped.ts';
import type { EventKeys } from './event-text.ts';
import type { Manifest } from './manifest.ts';

/** Slewing moves both clocks alike: what is more than this, ns, is a step. */
const STEP = 1_000_000;

/** CLOCK_REALTIME was set after one anchor and before the next. Nanoseconds of the events' clock. */
export interface ClockStep {
  /** Nanoseconds; negative: back. */
  by: number;
  after: bigint;
  before: bigint;
}

/** How the clocks of a recording stand to each other. */
export interface BundleClock {
  /** CLOCK_REALTIME minus the events' clock as it stood at the end, and how far that may be off, ns. */
  offset: bigint;
  uncertainty: number;
  steps: ClockStep[];
  /** The first reading. */
  from: bigint;
}

/** Packets of so long before the first reading a flight recorder may still have, ns. */
const BEFORE = 600_000_000_000;

interface Anchor {
  at: bigint;
  offset: bigint;
  uncertainty: number;
  isTracer: boolean;
}

/**
 * Null without anchors. Of those that admit one offset the tracer's own counts (the sharpest there is), else the first; the
 * others are between steps.
 */
export function clockOf({ clock }: Manifest): BundleClock | null {
  const anchors = (clock?.anchors ?? [])
    .map((a): Anchor => {
      const at = BigInt(a.event_ns);
      const offset = BigInt(a.realtime_ns) - at;
      return { at, offset, uncertainty: a.uncertainty_ns, isTracer: a.method === 'tracer' };
    })
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const steps: ClockStep[] = [];
  let [best, last] = [anchors[0], anchors[0]];
  if (!best || !last) return null;
  for (const a of anchors) {
    const by = Number(a.offset - best.offset);
    if (Math.abs(by) > best.uncertainty + a.uncertainty + STEP) {
      steps.push({ by, after: last.at, before: a.at });
      best = a;
    } else if (a.isTracer && !best.isTracer) best = a;
    last = a;
  }
  const { offset, uncertainty } = best;
  return { offset, uncertainty, steps, from: anchors[0]!.at };
}

/** `real` is seconds with microseconds, CLOCK_REALTIME at the same moment. */
export function clockOfBegin(begin: EventKeys): BundleClock | null {
  const match = /^(\d+)\.(\d{6})$/.exec(begin.text('real') ?? '');
  if (!match) return null;
  const real = BigInt(match[1]!) * 1_000_000_000n + BigInt(match[2]!) * 1000n;
  const t = BigInt(begin.number('t'));
  return { offset: real - t, uncertainty: 1000, steps: [], from: t };
}

/** For the reader of the packets, with what the events tell; null where the clock was not set. */
export function steppedClock(clock: BundleClock, sights: Sights): SteppedClock | null {
  const [first] = clock.steps;
  if (!first) return null;
  return { origin: first.after + clock.offset, periods: periodsOf(clock, first.after), sights };
}

/** The times between steps; `origin`: ns of the events' clock that they count from. */
function periodsOf({ steps, uncertainty, from }: BundleClock, origin: bigint): ClockPeriod[] {
  const at = (reading: bigint) => Number(reading - origin);
  return [...steps, null].map((_, k) => ({
    ahead: -steps.slice(k).reduce((sum, { by }) => sum + by, 0),
    from: k === 0 ? at(from) - BEFORE : at(steps[k - 1]!.after) - uncertainty,
    // tcpdump may outlive the recorder
    until: k === steps.length ? Infinity : at(steps[k]!.before) + uncertainty,
  }));
}

/**
 * From when to when tcpdump was listening and missed nothing, ns of CLOCK_REALTIME as it stood at the end: anchors of the manifest other than
 * the tracer's are taken after it has said so and before it is told to end. null where it lost packets, filled its file, or nobody says.
 */
export function packetWindow(manifest: Manifest, now: BundleClock): { from: bigint; to: bigint } | null {
  const { ended, packets, clock } = manifest;
  if (!ended || ended.how === 'failed' || ended.by === 'max-size' || packets?.dropped_by_kernel !== 0)
    return null;
  const at = (when: string) => clock?.anchors.find((a) => a.when === when && a.method !== 'tracer');
  const [from, to] = [at('start'), at('stop')];
  if (!from || !to) return null;
  // `date` is read between its exec and its exit; other clocks are only as good as they say
  const slack = ({ method, uncertainty_ns }: typeof from) =>
    method === 'date' ? 0n : BigInt(Math.ceil(uncertainty_ns));
  const realtime = ({ event_ns, realtime_ns }: typeof from) =>
    now.steps.length > 0 ? BigInt(event_ns) + now.offset : BigInt(realtime_ns);
  return { from: realtime(from) + slack(from), to: realtime(to) - slack(to) };
}

/** Steps that are told one by one. */
const LISTED = 5;

/** What the user is told of them. */
export function stepsIn({ steps, offset }: BundleClock): string {
  const time = (at: bigint) => new Date(Number((at + offset) / 1_000_000n)).toISOString();
  const told = steps.slice(0, LISTED).map(({ by, after, before }) => {
    const size = `${by > 0 ? 'forward' : 'back'} by ${(Math.abs(by) / 1e9).toFixed(3)} s`;
    return `${size} between ${time(after)} and ${time(before)}`;
  });
  if (steps.length > LISTED) told.push(`${steps.length - LISTED} times more`);
  return `CLOCK_REALTIME was set while this was recorded, ${told.join(', ')}; all times, also of packets, are told by the clock as it stood at the end`;
}

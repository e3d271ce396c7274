/**
 * Packets of a bundle whose wall clock was set while they were taken. Their file has them in the order in which they came, so each step of
 * the clock is one place in it. Where that is shows in their times: each lies between two readings of the clock, and
 * none before the one that it follows; and in the kernel's events of the same ports, whose clock is never set.
 */
import type { Diagnostics } from '../model/diagnostic.ts';
import type { StateEvent } from '../model/event.ts';
import { getOr } from '../model/get-or.ts';
import type { ClockPeriod, FrameRange, Source, SteppedTimes } from '../model/source.ts';
import type { CaptureFormat, Sink } from './importer.ts';

/** What a bundle says of a clock that was set. Times are ns since `origin` on the clock as it stood at the end. */
export interface SteppedClock {
  /** Nanoseconds of the Unix epoch. */
  origin: bigint;
  periods: readonly ClockPeriod[];
  sights: Sights;
}

/** By ports (portsKey), when the kernel told of their connections. */
export type Sights = Map<number, number[]>;

/** One more; `at` as the times of a SteppedClock. */
export function see(
  sights: Sights,
  { local, remote }: Pick<StateEvent, 'local' | 'remote'>,
  at: number,
): void {
  getOr(sights, portsKey(local.port, remote.port), (): number[] => []).push(at);
}

/** What a bundle says of its packets. */
export interface RecordedPackets extends Pick<Source, 'window' | 'netns' | 'incomplete'> {
  /** The clock that times them was set. */
  clock?: SteppedClock;
}

/** Two ports, whichever way. */
export function portsKey(a: number, b: number): number {
  return a < b ? a * 65_536 + b : b * 65_536 + a;
}

/** What speaks against a packet being of a period, ns: its time is out of it, */
const OUTSIDE = 10_000_000_000;
/** (so many in a row may be, and the period go on) */
const OUT_IN_A_ROW = 10_000;
/** it would have come before the one in front of it: so much before, at most this; */
const BACKWARDS = 1_000_000_000;
/** it opens or ends a connection of which the kernel told at the time that it has in another period; */
const UNSEEN = 10_000_000;
/** or the clock was set back, and shows the packet in front of it right before all the same. */
const BURST = 5_000_000;
/** What lies closer together than packets may be filed out of order, ns, is no difference. */
const DISORDER = 2_000_000;
/** A packet and what the kernel makes of it lie this close, ns. */
const TOGETHER = 5_000_000;

/** Reads packets ahead of their reading proper: where in the file the clock was set. */
export async function placeSteps(
  name: string,
  format: CaptureFormat,
  blocks: AsyncIterable<Uint8Array>,
  clock: SteppedClock,
  sink: Sink,
  quiet: Diagnostics,
): Promise<SteppedTimes> {
  const paths = new Paths(clock);
  const reader = format.open(name, {
    diagnostics: quiet,
    source: (init) => ({ ...init, id: -1, records: 0 }),
    sink: {
      frame: (source: Source, frame) =>
        paths.add(frame.time + Number(source.clock.base - clock.origin), () => sink.portsOf?.(frame) ?? 0),
      packet: () => undefined,
      event: () => undefined,
    },
    progress: () => undefined,
  });
  for await (const block of blocks) reader.push(block);
  reader.end();
  return paths.best();
}

/** A period that a packet may be of: what speaks against it, of itself and of the best way there. */
interface Choice {
  period: number;
  own: number;
  until: number;
}

/**
 * The ways through the periods that packets can have taken, never back to an earlier one, and what speaks against each
 * (Viterbi's algorithm). A packet that can be of two periods on ways that are equally good is of neither for sure.
 */
class Paths {
  readonly #clock: SteppedClock;
  /** Times of the clock as it was, ns since the origin, */
  readonly #times: number[] = [];
  /** and choices of each packet. */
  readonly #choices: (readonly Choice[])[] = [];

  constructor(clock: SteppedClock) {
    this.#clock = clock;
  }

  add(time: number, portsOf: () => number): void {
    const before = this.#choices.at(-1) ?? [];
    const last = this.#times.at(-1) ?? time;
    const choices = this.#choicesAt(time, before, portsOf);
    for (const choice of choices) {
      const ways = before.filter((b) => b.period <= choice.period);
      const costs = ways.map((b) => b.until + this.#following(b.period, last, choice.period, time));
      choice.until = choice.own + (costs.length > 0 ? Math.min(...costs) : 0);
    }
    this.#times.push(time);
    // most packets have one choice, like those before them, which are not kept again
    this.#choices.push(areSame(choices, before) ? before : choices);
  }

  #choicesAt(time: number, before: readonly Choice[], portsOf: () => number): Choice[] {
    const { periods } = this.#clock;
    const choices: Choice[] = [];
    for (let period = before[0]?.period ?? 0; period < periods.length; period++) {
      const { ahead, from, until } = periods[period]!;
      const at = time - ahead;
      if (at >= from - DISORDER && at <= until + DISORDER) choices.push({ period, own: 0, until: 0 });
    }
    if (choices.length > 1) this.#ask(choices, time, portsOf());
    // times that are of no period must not end the one that goes on
    const least = before.reduce((n, { until }) => Math.min(n, until), Infinity);
    for (const { period, until } of before)
      if (until <= least + OUT_IN_A_ROW * OUTSIDE && !choices.some((c) => c.period === period))
        choices.push({ period, own: OUTSIDE, until: 0 });
    if (choices.length === 0) choices.push({ period: 0, own: OUTSIDE, until: 0 });
    return choices.sort((a, b) => a.period - b.period);
  }

  /** Events of its ports stand beside a packet in one period, and not in another. */
  #ask(choices: readonly Choice[], time: number, ports: number): void {
    const seen = this.#clock.sights.get(ports);
    if (!seen) return;
    const times = choices.map(({ period }) => time - this.#clock.periods[period]!.ahead);
    const isSeen = times.map((at) => {
      const near = times.reduce((n, t) => (t === at ? n : Math.min(n, Math.abs(t - at) / 4)), TOGETHER);
      return seen.some((t) => Math.abs(t - at) <= near);
    });
    if (isSeen.includes(true)) for (const [i, c] of choices.entries()) if (!isSeen[i]) c.own += UNSEEN;
  }

  /** Against one packet following another. */
  #following(from: number, earlier: number, to: number, later: number): number {
    const { periods } = this.#clock;
    const [gap, step] = [later - earlier, periods[to]!.ahead - periods[from]!.ahead];
    if (gap >= 0 && gap < BURST && step < -10 * BURST) return BURST;
    return Math.min(Math.max(step - gap, 0), BACKWARDS);
  }

  best(): SteppedTimes {
    const { periods } = this.#clock;
    const least = (this.#choices.at(-1) ?? []).reduce((n, { until }) => Math.min(n, until), Infinity);
    // from the last packet to the first: what speaks against the way that is left
    let left = new Map<number, number>();
    const possible: number[][] = [];
    for (let i = this.#choices.length - 1; i >= 0; i--) {
      const here = new Map<number, number>();
      for (const { period } of this.#choices[i]!) {
        const costs = (this.#choices[i + 1] ?? [])
          .filter((next) => next.period >= period)
          .map(
            (next) =>
              next.own +
              left.get(next.period)! +
              this.#following(period, this.#times[i]!, next.period, this.#times[i + 1]!),
          );
        here.set(period, i === this.#choices.length - 1 ? 0 : Math.min(Infinity, ...costs));
      }
      left = here;
      const good = this.#choices[i]!.filter((c) => c.until + here.get(c.period)! <= least + DISORDER);
      possible[i] = good.map((c) => c.period);
    }
    const parts: SteppedTimes['parts'] = [];
    const [unsure, strange]: FrameRange[][] = [[], []];
    let period = 0;
    for (const [i, of] of possible.entries()) {
      const next = of.find((k) => k >= period) ?? period;
      if (parts.length === 0 || next !== period) parts.push({ from: i, ahead: periods[next]!.ahead });
      period = next;
      if (this.#choices[i]!.some((c) => c.period === next && c.own >= OUTSIDE)) addTo(strange!, i);
      else if (of.length > 1) addTo(unsure!, i);
    }
    return { parts, unsure: unsure!, strange: strange! };
  }
}

function areSame([a, ...others]: readonly Choice[], [b]: readonly Choice[]): boolean {
  const isOne = a !== undefined && b !== undefined && others.length === 0;
  return isOne && a.period === b.period && a.own === b.own && a.until === b.until;
}

function addTo(ranges: FrameRange[], frame: number): void {
  const last = ranges.at(-1);
  if (last?.to === frame) last.to++;
  else ranges.push({ from: frame, to: frame + 1 });
}

/** What the user is told of packets that no period is known for. */
export function reportUnordered(
  name: string,
  { unsure, strange }: SteppedTimes,
  diagnostics: Diagnostics,
): void {
  const tell = (ranges: readonly FrameRange[], code: string, message: string) => {
    const count = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    const locator = `frame ${(ranges[0]?.from ?? 0) + 1}`;
    if (count > 0)
      diagnostics.add({ code, severity: 'data-loss', upstream: true, source: name, locator, count, message });
  };
  tell(
    unsure,
    'packets-at-clock-step',
    'packets came when the clock was set, and nothing shows whether before or after: they have no time that other evidence can be compared with',
  );
  tell(
    strange,
    'packets-off-the-clock',
    'packets have times that no reading of the clock explains: it was set, and set again, between two of them; they get that of the packet before, and have none that other evidence can be compared with',
  );
}

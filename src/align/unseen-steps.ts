/**
 * Bundles whose packets and events contradict each other: the clock of the packets was set, and no reading of it shows that (the
 * readings around the step are lost, or it came after the last one). Both saw handshakes and FINs: how far apart they lie is the
 * same all along, and is something else from one moment on where the clock was set.
 */
import type { Transition } from '../model/connection.ts';
import { CAPTURES, type Source } from '../model/source.ts';
import { NS_PER_MS } from '../model/time.ts';
import type { Match } from './match.ts';
import { packetMoments } from './moments.ts';
import { type ClockPair, median } from './robust.ts';

/** Less than this is what a busy machine makes of one moment, ns. */
const STEP = 100 * NS_PER_MS;
/** Moments on one side of a step lie this close together, ns, or within a tenth of the step. */
const ALIKE = 10 * NS_PER_MS;
/** Moments at either end that are compared, and how many of them must be alike. */
const COMPARED = 8;
const FEWEST = 2;

/** Captures of a bundle that cannot be compared with its events, and how far apart their clock is at both ends, ns. */
export function unseenSteps(sources: readonly Source[], matches: readonly Match[]): Map<number, number> {
  const steps = new Map<number, number>();
  for (const events of sources) {
    if (events.format !== 'bundle-events') continue;
    for (const packets of sources) {
      const isOfIt = CAPTURES.has(packets.format) && folderOf(packets) === folderOf(events);
      const step = isOfIt ? stepBetween(events, packets, matches) : null;
      if (step !== null) steps.set(packets.id, step);
    }
  }
  return steps;
}

function folderOf({ name }: Source): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

function stepBetween(events: Source, packets: Source, matches: readonly Match[]): number | null {
  const own = ({ to, time }: Transition) => (to === 'CLOSE' ? null : time);
  const pairs = matches.flatMap(({ lives, wires }) =>
    wires
      .filter((w) => w.source === packets.id)
      .flatMap((w) => lives.filter((l) => l.source === events.id).flatMap((l) => packetMoments(l, w, own))),
  );
  const sorted = pairs.sort((a, b) => a.local - b.local);
  const n = Math.min(COMPARED, sorted.length >> 1);
  const [first, last] = [sorted.slice(0, n), sorted.slice(sorted.length - n)].map(apartOf);
  const step = median(last!) - median(first!);
  return Math.abs(step) >= STEP && areAlike(first!, step) && areAlike(last!, step) ? step : null;
}

/** How far the packets are ahead of the events at each moment. */
function apartOf(pairs: readonly ClockPair[]): number[] {
  return pairs.map((p) => p.reference - p.local);
}

/** Most of them, beside a step of so much. */
function areAlike(all: readonly number[], step: number): boolean {
  const level = median(all);
  const limit = Math.max(ALIKE, Math.abs(step) / 10);
  const alike = all.filter((d) => Math.abs(d - level) <= limit).length;
  return alike >= FEWEST && alike * 3 >= all.length * 2;
}

/** What a result holds of connections that are not listed, and the lines of the CSV files about each of them. */
import { DurationBins } from '../explain/facts/durations.ts';
import { distinct } from '../explain/facts/numbers.ts';
import type { Durations, PlainGroup, PlainPart, Result } from '../model/result.ts';
import type { Lines } from './line-store.ts';
import type { Told } from './told.ts';

/** Where the rows of a part come from: what is not in the files that are written from the result alone. */
const sources = new WeakMap<PlainPart, () => Iterable<Lines>>();

export function plainPart(told: Told): PlainPart {
  const inKernel = durationsOf(new DurationBins().with(told.kernelWaits));
  const part = {
    connections: told.count,
    groups: groupsOf(told.alike),
    finWait2: durationsOf(new DurationBins().with(told.waits)),
    ...(inKernel && { finWait2Kernel: inKernel }),
  };
  const { lines } = told;
  sources.set(part, () => lines.each());
  return part;
}

/** Lines about all connections of a result that does not list all, in the order of their numbers; null when it does. */
export function linesOf({ plain }: Result): Iterable<Lines> | null {
  if (!plain) return null;
  const open = sources.get(plain);
  if (!open) throw new Error('the rows of its other connections are not in this copy of the result');
  return open();
}

/** Connections that are alike, with a number for the address of each client. */
export type Alike = Omit<PlainGroup, 'clients'> & { clients: number[] };

/** The largest first. */
function groupsOf(all: readonly Alike[]): PlainGroup[] {
  const counted = all.map((g) => ({ ...g, clients: distinct(g.clients).length }));
  return counted.sort((a, b) => b.connections - a.connections);
}

function durationsOf({ bins, shortest, longest }: DurationBins): Durations | null {
  if (bins.size === 0) return null;
  const ascending = [...bins].sort((a, b) => a[0] - b[0]);
  return {
    bins: ascending.map(([seconds, connections]) => ({ seconds, connections })),
    shortest,
    longest,
  };
}

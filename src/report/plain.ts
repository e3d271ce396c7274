/** What a result holds of connections that are not listed, and the lines of the CSV files about each of them. */
import { DurationBins } from '../explain/facts/durations.ts';
import { distinct } from '../explain/facts/numbers.ts';
import type { PlainFacts } from '../explain/facts/plain.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Context } from '../model/case.ts';
import { REFUSED } from '../model/plain.ts';
import type { Durations, PlainGroup, PlainPart, Result } from '../model/result.ts';
import type { Lines } from './line-store.ts';
import { CLOSE_KIND_OF, PlainLines } from './plain-lines.ts';
import type { Told } from './told.ts';

/** Where the rows of a part come from: what is not in the files that are written from the result alone. */
const sources = new WeakMap<PlainPart, () => Iterable<Lines>>();

/** `told`: the cases beside the plain connections (null for none), which the CSV files are written from as well. */
export function plainPart(facts: PlainFacts | null, told: Told, context: Context): PlainPart {
  const none = new DurationBins();
  const inKernel = durationsOf((facts?.kernelWaits ?? none).with(told.kernelWaits));
  const part = {
    connections: (facts?.connections.count ?? 0) + told.count,
    groups: groupsOf([...(facts ? plainAlike(facts) : []), ...told.alike]),
    finWait2: durationsOf((facts?.waits ?? none).with(told.waits)),
    ...(inKernel && { finWait2Kernel: inKernel }),
  };
  sources.set(part, linesFrom(facts, told, context));
  return part;
}

/** What is written last must not keep in memory what the rest was made of. */
function linesFrom(facts: PlainFacts | null, { lines }: Told, context: Context): () => Iterable<Lines> {
  const around = { ...context, cases: [] };
  const plain = facts && { connections: facts.connections, until: facts.until };
  return () => byNumber(lines.each(), plain ? new PlainLines(plain, around).each() : []);
}

/** Lines about all connections of a result that does not list all, in the order of their numbers; null when it does. */
export function linesOf({ plain }: Result): Iterable<Lines> | null {
  if (!plain) return null;
  const open = sources.get(plain);
  if (!open) throw new Error('the rows of its plain connections are not in this copy of the result');
  return open();
}

/** Lines of two kinds in one order. */
function* byNumber(some: Iterable<Lines>, others: Iterable<Lines>): Iterable<Lines> {
  const first = some[Symbol.iterator]();
  let next = first.next();
  for (const line of others) {
    while (!next.done && next.value.number < line.number) {
      yield next.value;
      next = first.next();
    }
    yield line;
  }
  for (; !next.done; next = first.next()) yield next.value;
}

/** Connections that are alike, with a number for the address of each client. */
export type Alike = Omit<PlainGroup, 'clients'> & { clients: number[] };

/** The largest first; plain connections and cases can be alike. */
function groupsOf(all: readonly Alike[]): PlainGroup[] {
  const groups = new Map<string, Alike>();
  for (const own of all) {
    const { server, closeKind, closedBy, resetBy, rules } = own;
    const key = [formatEndpoint(server), closeKind, closedBy, resetBy, ...rules].join(' ');
    const known = groups.get(key);
    const connections = own.connections + (known?.connections ?? 0);
    groups.set(key, {
      ...own,
      connections,
      clients: known ? [...known.clients, ...own.clients] : own.clients,
    });
  }
  const counted = [...groups.values()].map((g) => ({ ...g, clients: distinct(g.clients).length }));
  return counted.sort((a, b) => b.connections - a.connections);
}

function plainAlike({ servers }: PlainFacts): Alike[] {
  return [...servers.values()].flatMap(({ server, alike }) =>
    alike.map(({ kind, rule, finWait2, closedBy, connections, clients }) => ({
      server,
      closeKind: CLOSE_KIND_OF[kind],
      closedBy,
      resetBy: kind === REFUSED ? ('server' as const) : ('' as const),
      rules: [rule, finWait2].filter((r) => r !== ''),
      connections,
      clients,
    })),
  );
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

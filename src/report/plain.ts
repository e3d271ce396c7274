/** What a result holds of plain connections, and the lines of the CSV files about each of them. */
import { distinct, type PlainFacts } from '../explain/facts/plain.ts';
import type { Context } from '../model/case.ts';
import type { ConnectionRow, Durations, PlainGroup, PlainPart, Result } from '../model/result.ts';
import { CLOSE_KIND_OF, PlainLines } from './plain-lines.ts';

/** Where the rows of a part come from: what is not in the files that are written from the result alone. */
const sources = new WeakMap<PlainPart, () => PlainLines>();

export function plainPart(facts: PlainFacts, context: Context): PlainPart {
  const inKernel = durationsOf(facts.kernelWaits);
  const part = {
    connections: facts.connections.count,
    groups: groupsOf(facts),
    finWait2: durationsOf(facts.waits),
    ...(inKernel && { finWait2Kernel: inKernel }),
  };
  // what is written last must not keep in memory what the rest was made of
  const { connections, until } = facts;
  const around = { ...context, cases: [] };
  sources.set(part, () => new PlainLines({ connections, until }, around));
  return part;
}

/** Lines of the two tables about the plain connections of a result; null when it has none. */
export function plainLines({ plain }: Result): PlainLines | null {
  if (!plain) return null;
  const open = sources.get(plain);
  if (!open) throw new Error('the rows of its plain connections are not in this copy of the result');
  return open();
}

/** Rows, or lines about plain connections, in the order of their numbers. */
export function* merged<Row>(
  rows: readonly Row[],
  idOf: (row: Row) => string,
  lines: Iterable<{ number: number; text: string }>,
): Iterable<Row | string> {
  let next = 0;
  let until = rows.length > 0 ? numberOf(idOf(rows[0]!)) : Number.POSITIVE_INFINITY;
  for (const { number, text } of lines) {
    while (until < number) {
      yield rows[next++]!;
      until = next < rows.length ? numberOf(idOf(rows[next]!)) : Number.POSITIVE_INFINITY;
    }
    if (text !== '') yield text;
  }
  for (; next < rows.length; next++) yield rows[next]!;
}

/** n of `cn`. */
function numberOf(id: string): number {
  return Number(id.slice(1));
}

function groupsOf({ servers }: PlainFacts): PlainGroup[] {
  const groups = [...servers.values()].flatMap(({ server, alike }) =>
    alike.map(({ kind, rule, finWait2, closedBy, connections, clients }) => ({
      server,
      closeKind: CLOSE_KIND_OF[kind],
      closedBy,
      rule,
      ...(finWait2 !== '' && { finWait2Rule: finWait2 }),
      connections,
      clients: distinct(clients),
    })),
  );
  return groups.sort((a, b) => b.connections - a.connections);
}

/** Stands for 0 on a logarithmic scale: the FIN came with the ACK, or within the clock's step. */
export const LEAST_SECONDS = 1e-7;

/** The middle of the bin of a duration, four bins a decade. */
export function binOf(seconds: number): number {
  return 10 ** (Math.round(4 * Math.log10(Math.max(seconds, LEAST_SECONDS))) / 4);
}

function durationsOf(waits: readonly number[]): Durations | null {
  if (waits.length === 0) return null;
  const bins = new Map<number, number>();
  let [shortest, longest] = [Number.POSITIVE_INFINITY, 0];
  for (const wait of waits) {
    const seconds = wait / 1e9;
    const bin = binOf(seconds);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
    if (seconds < shortest) shortest = seconds;
    if (seconds > longest) longest = seconds;
  }
  return {
    bins: [...bins].sort((a, b) => a[0] - b[0]).map(([seconds, connections]) => ({ seconds, connections })),
    shortest,
    longest,
  };
}

/** What a group has in common with rows of connections, for words about endings. */
export function asRow(group: PlainGroup): Pick<ConnectionRow, 'closeKind' | 'closedBy' | 'resetBy'> {
  return {
    closeKind: group.closeKind,
    closedBy: group.closedBy,
    resetBy: group.closeKind === 'refused' ? 'server' : '',
  };
}

import { CONFIDENCE_ORDER, type Confidence } from '../model/finding.ts';
import { Connections } from './facts/connections.ts';
import type { Facts } from './facts/facts.ts';
import type { World } from './facts/world.ts';
import { memoised } from './memo.ts';
import type { Explained, Rule } from './rule.ts';
import { count, endpoints, hedged, list, MAYBE, number, period, predicate, serversCounted } from './words.ts';

/** The connections themselves: one may have a finding on each side. */
export const connectionsOf = memoised((all: readonly Explained[]): Connections => {
  const numbers = Int32Array.from(all, (e) => e.n);
  // in the order of the connections, but for what several groups are joined to
  const distinct = numbers.every((n, i) => i === 0 || n > numbers[i - 1]!) ? numbers : new Set(numbers);
  // of none nobody asks
  return new Connections(all[0]?.facts.world as World, Int32Array.from(distinct));
});

/** `3 connections`. */
export function howMany(all: readonly Explained[], noun = 'connection'): string {
  return count(connectionsOf(all).length, noun);
}

/** `2 connections were refused`, `1 connection was refused`. */
export function happened(
  all: readonly Explained[],
  { happened: text, factual }: Pick<Rule, 'happened' | 'factual'>,
): string {
  const n = connectionsOf(all).length;
  return `${count(n, 'connection')} ${predicate(n, text, factual ? '' : MAYBE)}`;
}

export function weakest(all: readonly Explained[]): Confidence {
  return CONFIDENCE_ORDER.findLast((c) => all.some((e) => e.finding.confidence === c)) ?? 'possible';
}

/** What all findings of a rule say together, as sure as the weakest of them. */
export function tellTogether(all: readonly Explained[]): string {
  const { rule, finding } = all[0]!;
  if (connectionsOf(all).length === 1)
    return [...new Set(all.map((e) => e.finding.summary))].filter((s) => s !== '').join(' ');
  const text =
    rule.together?.(all) ??
    `${happened(all, rule)}: ${clients(all)}${toServers(all)}. Example: ${finding.summary}`;
  return hedged(text, weakest(all)) + mixture(all);
}

const WORDS: Readonly<Record<Confidence, string>> = {
  proved: 'proved',
  inferred: 'likely',
  possible: 'possible',
};

/** ` 98 are proved, 3 possible.`, where they are not all alike. */
export function mixture(all: readonly Explained[]): string {
  return mixed((c) => connectionsOf(all.filter((e) => e.finding.confidence === c)).length);
}

/** The same by how many there are of each. */
export function mixed(of: (confidence: Confidence) => number): string {
  const counts = CONFIDENCE_ORDER.flatMap((c) => {
    const n = of(c);
    return n === 0 ? [] : [`${number(n)} ${WORDS[c]}`];
  });
  return counts.length < 2 ? '' : ` Confidence: ${list(counts)}.`;
}

/** ` between 12:00:03 and 12:00:41`, when the findings have times of one clock. */
export function between(all: readonly Explained[]): string {
  const times = timesOf(all);
  return times.length < all.length ? '' : period(times[0]!, times.at(-1)!);
}

/** Their times in order; none where they are not of one clock. */
export function timesOf(all: readonly Explained[]): string[] {
  const clocks = new Set(all.map((e) => e.finding.clock));
  if (clocks.size !== 1 || clocks.has('order')) return [];
  const times = all.map((e) => e.finding.time).filter((t) => t !== '');
  return times.sort((a, b) => (clocks.has('relative') ? Number(a) - Number(b) : a < b ? -1 : 1));
}

export function clients(all: readonly Explained[]): string {
  return endpoints(connectionsOf(all).map((f) => f.case.client));
}

/** ` to 10.0.0.1:80` where it is the only one, else ` to 116 servers (40 to 10.0.0.1:80)`, ` to 17 ports of 10.0.0.1`. */
export function toServers(all: readonly Explained[]): string {
  const { world, numbers } = connectionsOf(all);
  return ` to ${serversOf(world, numbers)}`;
}

/** `10.0.0.1:80`, or how many servers or ports of one, with the one that is busier than the others and its own number of connections. */
export function serversOf(world: World, connections: Iterable<number>): string {
  const counts = new Map<number, number>();
  for (const n of connections) {
    const server = world.context.cases.server(n);
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  const numbers = [...counts].map(([server, n]) => [world.serverName(server), n] as const);
  const [busiest, next] = [...numbers].sort((a, b) => b[1] - a[1]);
  if (!next) return busiest![0];
  const most =
    busiest![1] > next[1] ? ` (${number(busiest![1])} to ${busiest![0].replace(/ \((.*)\)$/, ', $1')})` : '';
  return `${serversCounted(numbers.map(([name]) => name))}${most}`;
}

/** A number of each connection that has it, and who has: `` where all have, else `4 of them `. */
export function measured(
  all: readonly Explained[],
  of: (f: Facts) => number | null,
): { values: number[]; who: string } {
  const own = connectionsOf(all);
  const values = own.map(of).filter((n) => n !== null);
  return { values, who: values.length === own.length ? '' : `${number(values.length)} of them ` };
}

/** Which socket lives and captured connections are one connection, before any clock is known. */
import type { Endpoint } from '../model/address.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { Source } from '../model/source.ts';
import { groupBy, isTuple, tupleKey } from './tuple.ts';

export interface Evidence {
  sources: readonly Source[];
  wires: readonly WireConnection[];
  lives: readonly SocketLife[];
  /** How many lives there are, where those given are a share of them. */
  of?: number;
  /** Where it is known already. */
  matches?: Match[];
}

/** Ends of lives and packets of one tuple that are taken to be one connection. */
export interface Match {
  wires: WireConnection[];
  lives: SocketLife[];
}

/** Lives that tell as much of a clock as ten times as many would. */
const ENOUGH = 20_000;

/**
 * One match per connection; a reused tuple counts only when every source saw it equally often. Of very many connections
 * a share, by their port numbers, because the clocks need no more; not where a log has no times, of which each life is
 * placed by itself.
 */
export function matchByTuple(evidence: Evidence): Match[] {
  const { sources, lives, matches } = evidence;
  if (matches) return matches;
  const share = shareOf(evidence.of ?? lives.length);
  if (share > 1 && !lives.some((l) => sources[l.source]!.clock.kind === 'order')) {
    const some = matchesAmong(evidence, (a, b) => isOfShare(share, a.port, b.port));
    if (some.length >= ENOUGH / 10) return some;
  }
  return matchesAmong(evidence, () => true);
}

/** The clocks need one in so many. */
export function shareOf(lives: number): number {
  return Math.max(1, Math.floor(lives / ENOUGH));
}

function isOfShare(share: number, port: number, otherPort: number): boolean {
  return (port + otherPort) % share === 0;
}

function matchesAmong({ wires, lives }: Evidence, isWanted: (a: Endpoint, b: Endpoint) => boolean): Match[] {
  if (lives.length === 0) return [];
  const key = (a: Endpoint, b: Endpoint) => (isTuple(a, b) && isWanted(a, b) ? tupleKey(a, b, null) : null);
  const wireGroups = groupBy(wires, (w) => key(w.client, w.server));
  const lifeGroups = groupBy(
    lives.filter((l) => l.role !== 'listener'),
    (l) => key(l.local, l.remote),
  );
  const matches: Match[] = [];
  for (const [tuple, group] of lifeGroups) {
    const ends = [...groupBy(group, (l) => `${l.source} ${l.local.address} ${l.local.port}`).values()];
    const seen = [...groupBy(wireGroups.get(tuple) ?? [], (w) => w.source).values()];
    const times = ends[0]!.length;
    if (![...ends, ...seen].every((list) => list.length === times)) continue;
    for (let i = 0; i < times; i++) {
      matches.push({ lives: ends.map((list) => list[i]!), wires: seen.map((list) => list[i]!) });
    }
  }
  return matches;
}

/** Which socket lives and captured connections are one connection, before any clock is known. */
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { Source } from '../model/source.ts';
import { groupBy, isTuple, tupleKey } from './tuple.ts';

export interface Evidence {
  sources: readonly Source[];
  wires: readonly WireConnection[];
  lives: readonly SocketLife[];
}

/** Ends of lives and packets of one tuple that are taken to be one connection. */
export interface Match {
  wires: WireConnection[];
  lives: SocketLife[];
}

/** One match per connection; a reused tuple counts only when every source saw it equally often. */
export function matchByTuple({ wires, lives }: Evidence): Match[] {
  if (lives.length === 0) return [];
  const key = (a: SocketLife['local'], b: SocketLife['local']) =>
    isTuple(a, b) ? tupleKey(a, b, null) : null;
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

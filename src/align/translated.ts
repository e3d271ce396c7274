/** Connections behind a NAT, seen by two captures with different addresses. */
import type { WireConnection } from '../model/connection.ts';
import { groupBy, tupleKey } from './tuple.ts';
import { numbersOf } from './two-captures.ts';

/**
 * For a connection that another capture has under other addresses: the tuple key under which both are joined, that of
 * the capture read first. Only where both initial sequence numbers agree, and nothing else has them.
 */
export function translated(wires: readonly WireConnection[]): Map<WireConnection, string> {
  const found = new Map<WireConnection, string>();
  const first = wires[0]?.source;
  if (wires.every((w) => w.source === first)) return found;
  for (const group of groupBy(wires, numbersOf).values()) {
    const [a, b] = group;
    if (!a || !b || group.length !== 2 || a.source === b.source) continue;
    const [one, two] = a.source < b.source ? [a, b] : [b, a];
    const key = tupleKey(one.client, one.server, null);
    if (key !== tupleKey(two.client, two.server, null)) found.set(two, key);
  }
  return found;
}

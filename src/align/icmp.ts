/** ICMP errors of one capture and the connections they quote. */
import type { Records } from '../connect/records.ts';
import type { IcmpEvent } from '../model/event.ts';
import { groupBy, tupleKey } from './tuple.ts';

/** The errors about each connection of a capture, by its number; null when one is about a connection it does not show. */
export function errorsByRecord(
  records: Records,
  errors: readonly IcmpEvent[],
): Map<number, IcmpEvent[]> | null {
  const found = new Map<number, IcmpEvent[]>();
  if (errors.length === 0) return found;
  const lives = livesOf(records, errors);
  for (const e of errors) {
    // the last one that had begun
    const own = lives.get(tupleKey(e.from, e.to, null));
    if (!own) return null;
    const life = own.findLast(({ start }) => start <= (e.time ?? 0)) ?? own[0]!;
    const known = found.get(life.n);
    if (known) known.push(e);
    else found.set(life.n, [e]);
  }
  return found;
}

/** Connections of the tuples that are quoted, in the order of their beginning. */
function livesOf(
  records: Records,
  errors: readonly IcmpEvent[],
): Map<string, { n: number; start: number }[]> {
  const keys = new Set(errors.map((e) => tupleKey(e.from, e.to, null)));
  const ports = new Set(errors.map((e) => pairOf(e.from.port, e.to.port)));
  const lives: { n: number; key: string; start: number }[] = [];
  for (let n = 0; n < records.count; n++) {
    if (!ports.has(pairOf(...records.ports(n)))) continue;
    const { client, server, start } = records.view(n);
    const key = tupleKey(client, server, null);
    if (keys.has(key)) lives.push({ n, key, start });
  }
  lives.sort((a, b) => a.start - b.start);
  return groupBy(lives, (l) => l.key);
}

function pairOf(a: number, b: number): number {
  return Math.min(a, b) * 65_536 + Math.max(a, b);
}

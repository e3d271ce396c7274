/** Connections behind a NAT, seen by two captures with different addresses. */
import { CLIENT, SERVER, type WireConnection } from '../model/connection.ts';
import { OPT_TIMESTAMP } from '../model/packet.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { groupBy, tupleKey } from './tuple.ts';
import { numbersOf } from './two-captures.ts';

/**
 * For a connection that another capture has under other addresses: the tuple key under which both are joined, that of
 * the capture read first. Only where both initial sequence numbers agree, and nothing else has them; where a capture
 * lacks the answer, where a SYN's number and timestamp do.
 */
export function translated(wires: readonly WireConnection[]): Map<WireConnection, string> {
  const found = new Map<WireConnection, string>();
  const first = wires[0]?.source;
  if (wires.every((w) => w.source === first)) return found;
  const join = (
    group: readonly WireConnection[],
    alike: (a: WireConnection, b: WireConnection) => boolean,
  ) => {
    const [a, b] = group;
    if (!a || !b || group.length !== 2 || a.source === b.source || !alike(a, b)) return;
    const [one, two] = a.source < b.source ? [a, b] : [b, a];
    const key = tupleKey(one.client, one.server, null);
    if (key !== tupleKey(two.client, two.server, null)) found.set(two, key);
  };
  for (const group of groupBy(wires, numbersOf).values()) join(group, () => true);
  const lacking = new Set(wires.filter((w) => w.isn[SERVER] === null).map((w) => w.isn[CLIENT]));
  lacking.delete(null);
  if (lacking.size === 0) return found;
  const maybe = wires.filter((w) => lacking.has(w.isn[CLIENT]));
  for (const group of groupBy(maybe, (w) => String(w.isn[CLIENT])).values()) join(group, sameSyn);
  return found;
}

/** One SYN is in both: 64 bits of it that a NAT leaves alone. Two answers with numbers of their own are two connections. */
function sameSyn(a: WireConnection, b: WireConnection): boolean {
  if (a.isn[SERVER] !== null && b.isn[SERVER] !== null) return false;
  const stamps = new Set(synStamps(a));
  return synStamps(b).some((stamp) => stamps.has(stamp));
}

function synStamps({ keyPackets }: WireConnection): number[] {
  return keyPackets
    .filter((p) => p.side === CLIENT && (p.flags & (SYN | ACK)) === SYN && p.options & OPT_TIMESTAMP)
    .map((p) => p.tsVal);
}

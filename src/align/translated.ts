/** Connections behind a NAT, seen with different addresses: by two captures, or by one that sees both of its sides. */
import { CLIENT, SERVER, type WireConnection } from '../model/connection.ts';
import { OPT_TIMESTAMP } from '../model/packet.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { NS_PER_S } from '../model/time.ts';
import { groupBy, tupleKey } from './tuple.ts';
import { numbersOf } from './two-captures.ts';

/** A router forwards a SYN at once. */
const FORWARDED = NS_PER_S;

/**
 * For a connection that was seen under other addresses before: the tuple key under which both are joined, that of the
 * first sight. Only where both initial sequence numbers agree, and nothing else has them; where a capture lacks the
 * answer, where a SYN's number and timestamp do.
 */
export function translated(wires: readonly WireConnection[]): Map<WireConnection, string> {
  const found = new Map<WireConnection, string>();
  const join = (group: readonly WireConnection[], alike: typeof sameSyn) => {
    const [one, ...others] = [...group].sort((a, b) => a.source - b.source || a.startFrame - b.startFrame);
    if (!one || others.length === 0) return;
    const isTwo = others.length === 1 && others[0]!.source !== one.source;
    if (!others.every((o) => alike(one, o) && (isTwo || isForwarded(one, o)))) return;
    const key = keyOf(one);
    for (const other of others) if (keyOf(other) !== key) found.set(other, key);
  };
  for (const [numbers, group] of groupBy(wires, numbersOf)) {
    if (numbers !== null) join(group, () => true);
  }
  const lacking = new Set(wires.filter((w) => w.isn[SERVER] === null).map((w) => w.isn[CLIENT]));
  lacking.delete(null);
  if (lacking.size === 0) return found;
  const maybe = wires.filter((w) => lacking.has(w.isn[CLIENT]));
  for (const group of groupBy(maybe, (w) => String(w.isn[CLIENT])).values()) join(group, sameSyn);
  return found;
}

export function keyOf({ client, server }: WireConnection): string {
  return tupleKey(client, server, null);
}

/** Both sides of the NAT are in one capture: the same SYN, with its timestamp, went in and out. */
function isForwarded(a: WireConnection, b: WireConnection): boolean {
  if (a.source !== b.source || Math.abs(a.start - b.start) > FORWARDED) return false;
  const [stamps, others] = [synStamps(a), synStamps(b)];
  return stamps.length === 0 ? others.length === 0 : others.includes(stamps[0]!);
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

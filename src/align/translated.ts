/** Connections behind a NAT, seen with different addresses: by two captures, or by one that sees both of its sides. */
import { CLIENT, type KeyPacket, SERVER, type WireConnection } from '../model/connection.ts';
import { OPT_TIMESTAMP } from '../model/packet.ts';
import { ACK, SYN } from '../model/tcp.ts';
import { NS_PER_S } from '../model/time.ts';
import { groupBy, tupleKey } from './tuple.ts';
import { numbersOf } from './two-captures.ts';

/** Translations of one connection in a row, as of a service that is balanced and then masqueraded. */
const MOST = 2;
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
    if (!one || others.length === 0 || others.length > MOST) return;
    const isTwo = others.length === 1 && others[0]!.source !== one.source;
    if (!others.every((o) => alike(one, o) && (isTwo || isForwarded(one, o)))) return;
    const key = keyOf(one);
    for (const other of others) if (keyOf(other) !== key) found.set(other, key);
  };
  const wiresOf = ([, group]: [unknown, { wire: WireConnection }[]]) => group.map((g) => g.wire);
  // asked once: of many connections each is unpacked for it
  const all = wires.map((wire) => ({ wire, isn: wire.isn }));
  for (const group of groupBy(all, numbersOf)) join(wiresOf(group), () => true);
  const lacking = new Set(all.filter(({ isn }) => isn[SERVER] === null).map(({ isn }) => isn[CLIENT]));
  lacking.delete(null);
  if (lacking.size === 0) return found;
  const maybe = all.filter(({ isn }) => lacking.has(isn[CLIENT]));
  for (const group of groupBy(maybe, ({ isn }) => isn[CLIENT])) join(wiresOf(group), sameSyn);
  return found;
}

export function keyOf({ client, server }: WireConnection): string {
  return tupleKey(client, server, null);
}

/**
 * Both sides of the NAT are in one capture: the same SYN, by IP identification and timestamp, went in and out with another
 * address. Programs that make packets give many connections the same numbers.
 */
function isForwarded(a: WireConnection, b: WireConnection): boolean {
  if (a.source !== b.source || Math.abs(a.start - b.start) > FORWARDED) return false;
  if (a.client.address === b.client.address && a.server.address === b.server.address) return false;
  const [one] = synsOf(a);
  if (!one || (one.ipId === 0 && !(one.options & OPT_TIMESTAMP))) return false;
  return synsOf(b).some((p) => p.ipId === one.ipId && p.options === one.options && p.tsVal === one.tsVal);
}

/** One SYN is in both: 64 bits of it that a NAT leaves alone. Two answers with numbers of their own are two connections. */
function sameSyn(a: WireConnection, b: WireConnection): boolean {
  if (a.isn[SERVER] !== null && b.isn[SERVER] !== null) return false;
  const stamps = new Set(synStamps(a));
  return synStamps(b).some((stamp) => stamps.has(stamp));
}

function synStamps(wire: WireConnection): number[] {
  return synsOf(wire)
    .filter((p) => p.options & OPT_TIMESTAMP)
    .map((p) => p.tsVal);
}

function synsOf({ keyPackets }: WireConnection): KeyPacket[] {
  return keyPackets.filter((p) => p.side === CLIENT && (p.flags & (SYN | ACK)) === SYN);
}

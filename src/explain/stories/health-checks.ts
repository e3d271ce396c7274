/**
 * Half-open health checks: one host tries one port again and again at an even pace, and answers each SYN-ACK with a RST. A load
 * balancer or monitor that makes its SYNs past its TCP does so, and so may one whose firewall or NAT loses the socket: that one
 * would send the SYN again, and at the pace of those who use it.
 */
import { formatEndpoint } from '../../model/address.ts';
import type { Case } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { NS_PER_MS } from '../../model/time.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, span } from '../words.ts';
import { cite, covered } from './cite.ts';
import type { StoryTeller } from './index.ts';

/** Fewer have no pace. */
const ENOUGH = 4;
/** Checks are not made more often, */
const SHORTEST_PACE = 500 * NS_PER_MS;
/** and begin so evenly, as a part of their pace. */
const UNEVEN = 0.15;
/** No program waits less for connect(): its socket was not gone because of that. */
const SHORTEST_TIMEOUT = 100 * NS_PER_MS;
const RULE = 'no-socket-reset';

interface Checks {
  client: string;
  server: string;
  members: Set<number>;
  starts: number[];
  source: number;
}

export const healthChecks: StoryTeller = (world, explained) => {
  const byPair = new Map<string, Checks>();
  for (const e of explained) if (e.rule.id === RULE) add(byPair, e);
  const all = [...byPair.values()]
    .flatMap((checks) => {
      const pace = paceOf(checks.starts);
      return pace === null ? [] : [{ checks, pace }];
    })
    .sort((a, b) => b.checks.members.size - a.checks.members.size);
  const [largest] = all;
  if (!largest) return null;
  const { client, server, members } = largest.checks;
  const action = `If ${client} is a load balancer or monitor of your own, no action is needed; else find out who probes this port.`;
  const more = all.length > 1 ? [`${count(all.length - 1, 'other pair')} of hosts show the same.`] : [];
  const rules = covered(explained, [RULE], (e) => all.some((a) => a.checks.members.has(e.n)));
  if (rules.length === 0) return null;
  return {
    sentences: [
      `${client} most likely checks ${server} every ${span(largest.pace)} with half-open handshakes: ${count(members.size, 'time')} it answered the SYN-ACK with a RST${cite([sourceName(world, largest.checks)])}.`,
      action,
      ...more,
    ],
    title: 'Half-open health checks',
    action,
    confidence: 'inferred',
    who: client,
    rules,
  };
};

function sourceName(world: World, { source }: Checks): string {
  return world.source(source).name;
}

function add(byPair: Map<string, Checks>, { n, facts: { case: c } }: Explained): void {
  if (!isLeft(c)) return;
  const [w] = c.wires;
  const [client, server] = [c.client.address, formatEndpoint(c.server)];
  const checks = getOr(byPair, `${w!.source} ${client} ${server}`, () => ({
    ...{ client, server, source: w!.source },
    members: new Set<number>(),
    starts: [],
  }));
  checks.members.add(n);
  checks.starts.push(w!.start);
}

/** One SYN, its SYN-ACK, and bare RSTs of the client. */
function isLeft({ wires, lives, client }: Case): boolean {
  const [w] = wires;
  if (!w || wires.length > 1 || lives[CLIENT] || w.client.address !== client.address) return false;
  if (w.syns[CLIENT] !== 1 || w.synAcks[SERVER] === 0 || w.rsts[SERVER] > 0) return false;
  if (w.rsts[CLIENT] === 0 || w.packets[CLIENT] !== 1 + w.rsts[CLIENT]) return false;
  const [syn, synAck] = [0, ACK].map((flag) =>
    w.keyPackets.find((p) => (p.flags & (SYN | ACK)) === (SYN | flag)),
  );
  return syn !== undefined && synAck !== undefined && synAck.time - syn.time < SHORTEST_TIMEOUT;
}

/** Time from one to the next, ns, where that is nearly the same for all; null else. */
function paceOf(starts: readonly number[]): number | null {
  if (starts.length < ENOUGH) return null;
  const sorted = [...starts].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, i) => at - sorted[i]!);
  const pace = (sorted.at(-1)! - sorted[0]!) / gaps.length;
  return pace >= SHORTEST_PACE && gaps.every((gap) => Math.abs(gap - pace) <= UNEVEN * pace) ? pace : null;
}

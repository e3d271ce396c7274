/**
 * A client that opens and closes so often that its source ports come around while they are still in TIME_WAIT (the side that
 * closes first keeps a port for 60 s; tcp_tw_reuse lets it connect again after 1 s). With none free, connect() fails before
 * anything is sent: captures show the reuse only.
 */
import { CLIENT } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { type CommonTime, NS_PER_MS, type SourceTime } from '../../model/time.ts';
import { TIME_WAIT } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { World } from '../facts/world.ts';
import { count, span } from '../words.ts';
import { cite, during } from './cite.ts';
import type { StoryTeller } from './index.ts';

/** Fewer ports are chosen by the program. */
const MANY_PORTS = 8;
const MANY_REUSES = 20;
/** SYNs wait in queues, ms. */
const CLOCK_SLACK = 1000;

interface Reused {
  client: string;
  n: number;
  reuses: number;
  shortest: number;
  /** All SYNs carry the timestamps of one clock: one host sent them, and no NAT on behalf of several. */
  isOneHost: boolean;
  last: { time: SourceTime; tsVal: number } | null;
  ports: Set<number>;
  source: number;
  from: CommonTime | null;
  to: CommonTime | null;
}

export const portReuse: StoryTeller = (world) => {
  const byPair = new Map<string, Reused>();
  const { cases } = world.context;
  for (let n = 0; n < cases.count; n++) {
    if (cases.outcome(n) === 0 && world.isReuse(n)) add(world, byPair, n);
  }
  const [most, ...others] = [...byPair.values()]
    .filter((r) => r.reuses >= MANY_REUSES && r.ports.size >= MANY_PORTS)
    .sort((a, b) => b.reuses - a.reuses);
  if (!most) return null;
  const held = most.isOneHost ? ' and still in TIME_WAIT' : '';
  const who = most.isOneHost
    ? `${most.client} is`
    : `${most.client}, or a host behind it if it is a NAT or proxy, is`;
  const sentences = [
    `${most.client} reused source ports to ${world.serverOf(most.n)} ${count(most.reuses, 'time')}${during(world, most.source, most.from, most.to)}: ${count(most.ports.size, 'port')}, each closed by the client less than 60 s before${held}, the soonest after ${span(most.shortest)}${cite([world.source(most.source).name])}.`,
    `${who} short of ports; with none free, connect() fails with EADDRNOTAVAIL. Keep connections open (pool, keep-alive), let the server close first, or widen net.ipv4.ip_local_port_range.`,
  ];
  if (others.length > 0)
    sentences.push(`${count(others.length, 'other pair')} of client and server did the same.`);
  return { sentences, rules: [] };
};

function add(world: World, byPair: Map<string, Reused>, n: number): void {
  const facts = world.facts(n);
  const before = world.earlierLives(facts).at(-1);
  const { wire } = facts;
  const earlier = before?.wires.find((w) => w.wire.source === wire?.wire.source);
  // of its two FINs the client's was first, and no RST took the place of the other: its host keeps the port
  if (!wire || !earlier || earlier.firstFin !== CLIENT || earlier.wire.finAckedTime.includes(null)) return;
  if (earlier.wire.rsts[0] + earlier.wire.rsts[1] > 0) return;
  const gap = wire.wire.start - earlier.wire.end;
  if (gap < 0 || gap >= TIME_WAIT || wire.of(wire.wire.syns, CLIENT) === 0) return;
  const { client } = facts.case;
  const { source, start } = wire.wire;
  const pair = getOr(byPair, `${client.address} ${world.context.cases.server(n)} ${source}`, () => ({
    client: client.address,
    n,
    reuses: 0,
    shortest: gap,
    isOneHost: true,
    last: null as Reused['last'],
    ports: new Set<number>(),
    source,
    from: world.context.timeline.at(source, start),
    to: null as CommonTime | null,
  }));
  const stamp = stampOf(wire);
  pair.isOneHost &&= stamp !== null && (pair.last === null || isOneClock(pair.last, stamp));
  pair.last = stamp;
  pair.reuses++;
  pair.shortest = Math.min(pair.shortest, gap);
  pair.ports.add(client.port);
  pair.to = world.context.timeline.at(source, start);
}

function stampOf({ packets }: WireFacts): Reused['last'] {
  const syn = packets.find((p) => (p.flags & (SYN | ACK)) === SYN);
  return syn && syn.options & OPT_TIMESTAMP ? { time: syn.time, tsVal: syn.tsVal } : null;
}

/** Linux has one clock and one offset for all connections to a host (secure_tcp_ts_off), a tick at most a millisecond. */
function isOneClock(a: NonNullable<Reused['last']>, b: NonNullable<Reused['last']>): boolean {
  const [ticks, passed] = [(b.tsVal - a.tsVal) | 0, (b.time - a.time) / NS_PER_MS];
  return ticks >= -CLOCK_SLACK && ticks <= passed * 1.01 + CLOCK_SLACK;
}

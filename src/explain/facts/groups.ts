/** Cases put together by what they share: ends, captures, socket tables. */
import { formatEndpoint, sameEndpoint } from '../../model/address.ts';
import type { Case, Cases, Timeline } from '../../model/case.ts';
import { CLIENT, SERVER, type SocketLife } from '../../model/connection.ts';
import type { Facts } from './facts.ts';

export function capturesByEnds(cases: Cases): Map<string, number[]> {
  const captures = new Map<string, number[]>();
  for (const { client, server, wires } of cases) {
    const ends = `${client.address} ${formatEndpoint(server)}`;
    const known = captures.get(ends) ?? [];
    for (const { source, packets, client: caller } of wires) {
      // a capture of the other direction alone could show no SYN
      const sent = packets[sameEndpoint(caller, client) ? CLIENT : SERVER];
      if (sent > 0 && !known.includes(source)) known.push(source);
    }
    captures.set(ends, known);
  }
  return captures;
}

export function snapshotKey(e: { source: number; snapshot: number }): string {
  return `${e.source}/${e.snapshot}`;
}

export function tupleOf({ client, server }: Case): string {
  return `${client.address} ${client.port} ${server.address} ${server.port}`;
}

/** All connections of one 4-tuple, in the order of time where all have one, and which of them one is. */
export interface Reuse {
  lives: readonly number[];
  index: number;
}

/** Connections whose tuple was used more than once. */
export function groupReused(cases: Cases, timeline: Timeline): Map<number, Reuse> {
  // most tuples are used once: those are known by a map alone, without a list for each
  const first = new Map<string, number>();
  const groups = new Map<string, number[]>();
  for (let n = 0; n < cases.count; n++) {
    if (cases.outcome(n) !== 0) continue;
    const tuple = tupleOf(cases.at(n));
    const before = first.get(tuple);
    if (before === undefined) first.set(tuple, n);
    else if (!groups.has(tuple)) groups.set(tuple, [before, n]);
    else append(groups, tuple, n);
  }
  const reuses = new Map<number, Reuse>();
  for (const lives of groups.values()) {
    sortByStart(lives, cases, timeline);
    for (const [index, n] of lives.entries()) reuses.set(n, { lives, index });
  }
  return reuses;
}

function append<T>(groups: Map<string, T[]>, key: string, member: T): void {
  const group = groups.get(key);
  if (group) group.push(member);
  else groups.set(key, [member]);
}

/** A socket table without times may have been seen first, and be of the last life. */
function sortByStart(group: number[], cases: Cases, timeline: Timeline): void {
  const starts = new Map<number, number>();
  for (const n of group) {
    const { wires, lives } = cases.at(n);
    const life = lives.find((l) => l !== null);
    const at = wires[0]
      ? timeline.at(wires[0].source, wires[0].start)
      : life
        ? timeline.ofTransition(life, 0)
        : null;
    if (at === null) return;
    starts.set(n, at);
  }
  group.sort((a, b) => starts.get(a)! - starts.get(b)!);
}

/** By number of the server, those of it in the order of first sight. */
export function byServer(cases: Cases): Int32Array[] {
  const counts = new Int32Array(cases.servers.length);
  for (let n = 0; n < cases.count; n++) counts[cases.server(n)]!++;
  const groups = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let n = 0; n < cases.count; n++) {
    const server = cases.server(n);
    groups[server]![counts[server]!++] = n;
  }
  return groups;
}

/** The life that came after each at its kernel address: the address of a socket serves others after it (G11). */
export function nextAtAddresses(all: Iterable<Facts>): Map<SocketLife, SocketLife> {
  const sources = new Map<number, Map<string, SocketLife[]>>();
  for (const facts of all) {
    for (const life of facts.case.lives) {
      if (!life) continue;
      let groups = sources.get(life.source);
      if (!groups) {
        groups = new Map();
        sources.set(life.source, groups);
      }
      append(groups, life.socket, life);
    }
  }
  const next = new Map<SocketLife, SocketLife>();
  for (const group of [...sources.values()].flatMap((groups) => [...groups.values()])) {
    if (group.length === 1) continue;
    group.sort((a, b) => a.transitions[0]!.line - b.transitions[0]!.line);
    for (let i = 1; i < group.length; i++) next.set(group[i - 1]!, group[i]!);
  }
  return next;
}

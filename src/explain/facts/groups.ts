/** Cases put together by what they share: ends, captures, socket tables. */
import { formatEndpoint } from '../../model/address.ts';
import type { Case, Timeline } from '../../model/case.ts';
import type { SocketLife } from '../../model/connection.ts';
import type { SourceTime } from '../../model/time.ts';

export function capturesByEnds(cases: readonly Case[]): Map<string, number[]> {
  const captures = new Map<string, number[]>();
  for (const { client, server, wires } of cases) {
    const ends = `${client.address} ${formatEndpoint(server)}`;
    const known = captures.get(ends) ?? [];
    for (const { source } of wires) if (!known.includes(source)) known.push(source);
    captures.set(ends, known);
  }
  return captures;
}

export function spansOf(cases: readonly Case[]): Map<number, [SourceTime, SourceTime]> {
  const spans = new Map<number, [SourceTime, SourceTime]>();
  for (const c of cases) {
    for (const { source, start, end } of c.wires) {
      const span = spans.get(source);
      if (!span) spans.set(source, [start, end]);
      else {
        if (start < span[0]) span[0] = start;
        if (end > span[1]) span[1] = end;
      }
    }
  }
  return spans;
}

export function snapshotKey(e: { source: number; snapshot: number }): string {
  return `${e.source}/${e.snapshot}`;
}

export function tupleOf({ client, server }: Case): string {
  return `${client.address} ${client.port} ${server.address} ${server.port}`;
}

/** All cases of one 4-tuple, in the order of time where all have one, and which of them a case is. */
export interface Reuse {
  lives: readonly Case[];
  index: number;
}

/** Cases whose tuple was used more than once. */
export function groupReused(cases: readonly Case[], timeline: Timeline): Map<Case, Reuse> {
  // most tuples are used once: those are told by a map alone, without a list for each
  const first = new Map<string, Case>();
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    const tuple = tupleOf(c);
    const before = first.get(tuple);
    if (!before) first.set(tuple, c);
    else if (!groups.has(tuple)) groups.set(tuple, [before, c]);
    else append(groups, tuple, c);
  }
  const reuses = new Map<Case, Reuse>();
  for (const lives of groups.values()) {
    sortByStart(lives, timeline);
    for (const [index, c] of lives.entries()) reuses.set(c, { lives, index });
  }
  return reuses;
}

function append<T>(groups: Map<string, T[]>, key: string, member: T): void {
  const group = groups.get(key);
  if (group) group.push(member);
  else groups.set(key, [member]);
}

/** A socket table without times may have been seen first, and be of the last life. */
function sortByStart(group: Case[], timeline: Timeline): void {
  const starts = new Map<Case, number>();
  for (const c of group) {
    const life = c.lives.find((l) => l !== null);
    const at = c.wires[0]
      ? timeline.at(c.wires[0].source, c.wires[0].start)
      : life
        ? timeline.ofTransition(life, 0)
        : null;
    if (at === null) return;
    starts.set(c, at);
  }
  group.sort((a, b) => starts.get(a)! - starts.get(b)!);
}

export function groupByServer(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const c of cases) append(groups, formatEndpoint(c.server), c);
  return groups;
}

/** The life that came after each at its kernel address: the address of a socket serves others after it (G11). */
export function nextAtAddresses(cases: readonly Case[]): Map<SocketLife, SocketLife> {
  const sources = new Map<number, Map<string, SocketLife[]>>();
  for (const { lives } of cases) {
    for (const life of lives) {
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

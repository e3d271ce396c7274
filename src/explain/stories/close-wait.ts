/** A process that does not close what its peers have closed: connections that stay in CLOSE_WAIT from one socket table to the next. */

import { getOr } from '../../model/get-or.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { snapshotKey } from '../facts/groups.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { connectionsOf } from '../together.ts';
import { count, list, number, processName } from '../words.ts';
import { cite, clockTime, covered } from './cite.ts';
import type { StoryTeller } from './index.ts';

const RULES = ['close-wait-leak'];
const MANY = 3;
/** So many tables are told one by one. */
const TABLES = 4;

interface Leak {
  who: string;
  own: Explained[];
  rows: SocketEvent[];
}

export const closeWait: StoryTeller = (world, explained) => {
  const leaks = new Map<string, Leak>();
  for (const e of explained.filter(({ rule }) => RULES.includes(rule.id))) {
    const rows = e.facts.case.rows.filter((r) => r.state === 'CLOSE_WAIT');
    const named = rows.find((r) => r.owner === 'known');
    const who = named ? `Process ${processName(named)}` : `The process at ${world.serverOf(e.facts.n)}`;
    const host = rows[0] ? world.hostName(rows[0].source) : '';
    const leak = getOr(leaks, `${host} ${who}`, () => ({ who, own: [], rows: [] }));
    leak.own.push(e);
    leak.rows.push(...rows);
  }
  const told = [...leaks.values()]
    .map(inOneSource)
    .filter((l) => connectionsOf(l.own).length >= MANY && tablesOf(l).length > 1)
    .sort((a, b) => b.own.length - a.own.length);
  const [largest, ...others] = told;
  if (!largest) return null;
  const sentences = tell(world, largest);
  if (others.length > 0)
    sentences.push(`${count(others.length, 'other process', 'other processes')} did the same.`);
  const parts = new Set(told.flatMap((l) => l.own));
  return { sentences, rules: covered(explained, RULES, (e) => parts.has(e)) };
};

/** Several files may hold the same tables: of those the one is told that has most, and what it shows. */
function inOneSource({ who, own, rows }: Leak): Leak {
  const tables = new Map<number, Set<number>>();
  for (const r of rows) getOr(tables, r.source, () => new Set<number>()).add(r.snapshot);
  const [most] = [...tables].sort(([a, s], [b, t]) => t.size - s.size || a - b);
  const isThere = (r: SocketEvent) => r.source === most?.[0];
  return {
    who,
    own: own.filter((e) => e.facts.case.rows.some((r) => isThere(r) && r.state === 'CLOSE_WAIT')),
    rows: rows.filter(isThere),
  };
}

/** How many were in CLOSE_WAIT in each table of its source, in order. */
function tablesOf({ rows }: Leak): { row: SocketEvent; n: number }[] {
  const tables = new Map<string, { row: SocketEvent; n: number }>();
  for (const row of rows) getOr(tables, snapshotKey(row), () => ({ row, n: 0 })).n++;
  return [...tables.values()].sort((a, b) => a.row.snapshot - b.row.snapshot);
}

function tell(world: World, leak: Leak): string[] {
  const tables = tablesOf(leak);
  const shown = tables.length <= TABLES ? tables : [...tables.slice(0, TABLES - 1), tables.at(-1)!];
  const when = ({ row, n }: (typeof tables)[number]) => {
    const { at } = world.momentOf(row);
    return at === null ? number(n) : `${number(n)} at ${clockTime(world, row.source, at)}`;
  };
  const own = connectionsOf(leak.own);
  const latest = tables.at(-1)!;
  const gone = own.length - latest.n;
  const left = gone > 0 ? `${number(gone)} of them ended later` : 'none of them was closed in between';
  const source = world.source(latest.row.source).name;
  const peers = [...new Set(own.map((f) => f.case.client.address))];
  const from = peers.length > TABLES ? count(peers.length, 'address', 'addresses') : list(peers);
  return [
    `${leak.who} left ${count(own.length, 'connection')} in CLOSE_WAIT, over ${count(tables.length, 'socket table')}: ${list(shown.map(when))}; ${left}${cite([source])}.`,
    `Their peers (${from}) have closed. A restart frees them; the fix is to close() the socket when read() returns 0.`,
  ];
}

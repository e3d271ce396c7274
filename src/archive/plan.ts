/** The plan of a batch: which members there are, how they are grouped, and the key of each group. */
import type { GroupHead } from '../model/batch.ts';
import { sha256 } from '../platform/hash.ts';
import { VERSION } from '../platform/package.ts';
import { grouped, type Reason } from './grouping.ts';
import { type Member, type Problem, placeOf } from './member.ts';

/** What changes the output of a group. */
export interface GroupOptions {
  html: 'never' | 'errors' | 'all';
  /** `problems`: healthy connections are counted by listener and minute in the tables. */
  connections: 'problems' | 'all';
}

export interface Group {
  /** Of its content, the version and the options: where its output lies. */
  key: string;
  /** What its members have in common: the path of its folder, or of the one file. */
  place: string;
  reason: Reason;
  why: string;
  bytes: number;
  members: Member[];
  /** Places that hold the same. */
  copies: string[];
}

export interface Plan {
  groups: Group[];
  problems: Problem[];
}

/** Only groups with packets in this time, as far as their captures say; ns of the Unix epoch. */
export interface Period {
  since: bigint | null;
  until: bigint | null;
}

/** Groups in the order of their places; the same whatever the order of members. */
export function planOf(
  members: readonly Member[],
  problems: readonly Problem[],
  options: GroupOptions,
  { since, until }: Period,
): Plan {
  const groups = new Map<string, Group>();
  const found = grouped(members)
    .filter((g) => isWithin(g.members, since, until))
    .map((g) => ({ ...g, place: commonPlace(g.members) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : compareFirst(a.members, b.members)));
  for (const { place, reason, why, members: own } of found) {
    const key = keyOf(own, options);
    const known = groups.get(key);
    if (known) {
      known.copies.push(place);
      continue;
    }
    const bytes = own.reduce((sum, m) => sum + m.size, 0);
    groups.set(key, { key, place, reason, why, bytes, members: own, copies: [] });
  }
  const read = new Set(found.flatMap((g) => g.members));
  const unknown = members
    .filter((m) => !read.has(m) && m.kind === 'other' && CAPTURE_NAME.test(placeOf(m)))
    .map((m) => ({
      place: placeOf(m),
      at: 'byte 0',
      reason: 'is called a capture, and begins as none that is known does',
    }));
  const sorted = [...problems, ...unknown].sort((a, b) =>
    `${a.place}\0${a.reason}` < `${b.place}\0${b.reason}` ? -1 : 1,
  );
  return { groups: [...groups.values()], problems: sorted };
}

/** Whatever else is not known is not evidence. */
const CAPTURE_NAME = /\.(?:pcap(?:ng)?|cap|dmp)\d*(?:\.(?:gz|zst|xz))?$/i;

function compareFirst([a]: readonly Member[], [b]: readonly Member[]): number {
  return placeOf(a!) < placeOf(b!) ? -1 : 1;
}

function isWithin(members: readonly Member[], since: bigint | null, until: bigint | null): boolean {
  const looks = members.flatMap((m) => (m.look ? [m.look] : []));
  if (looks.length === 0) return true;
  return looks.some(
    ({ first, last }) =>
      (since === null || BigInt(last) >= since) && (until === null || BigInt(first) <= until),
  );
}

function keyOf(members: readonly Member[], options: GroupOptions): string {
  const hash = sha256();
  hash.add(JSON.stringify(['tcpautopsy-batch/1', VERSION, options.html, options.connections]));
  for (const own of members.map((m) => m.hash).sort()) hash.add(`\n${own}`);
  return hash.hex();
}

function commonPlace(members: readonly Member[]): string {
  const [first, ...others] = members.map(placeOf);
  if (others.length === 0) return first!;
  const parts = first!.split('/').slice(0, -1);
  while (parts.length > 0 && !others.every((place) => place.startsWith(`${parts.join('/')}/`))) parts.pop();
  return parts.join('/') || first!;
}

export function headOf({ key, place, reason, members, bytes }: Group): GroupHead {
  return { key, place, reason, version: VERSION, members: members.map(placeOf), bytes };
}

/** Where its part of a table lies in OUT. */
export function partOf(table: string, day: string, name: string): string {
  return `tables/v1/${table}/day=${day}/${name}.parquet`;
}

/** 0 to count - 1: whose part a group is. */
export function shardOf(key: string, count: number): number {
  return Number.parseInt(key.slice(-8), 16) % count;
}

/** `plan.jsonl`: a line a group, then a line for each that could not be read. */
export function* planLines({ groups, problems }: Plan): Generator<string> {
  for (const { key, place, reason, why, bytes, members, copies } of groups) {
    const files = members.map((m) => ({ place: placeOf(m), size: m.size, hash: m.hash }));
    yield `${JSON.stringify({ key, place, reason, why, bytes, ...(copies.length > 0 && { copies }), members: files })}\n`;
  }
  for (const { place, at, reason } of problems) yield `${JSON.stringify({ place, at, problem: reason })}\n`;
}

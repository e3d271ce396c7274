/** The plan of a batch: which members there are, how they are grouped, and the key of each group. */
import type { GroupHead } from '../model/batch.ts';
import { getOr } from '../model/get-or.ts';
import { sha256 } from '../platform/hash.ts';
import { VERSION } from '../platform/package.ts';
import { grouped, type Members, type Reason } from './grouping.ts';
import { type Member, type Problem, placeOf } from './member.ts';
import { Spooled } from './spooled.ts';

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

/** Groups in an order, each read anew when it is asked for. */
export interface Groups extends Iterable<Group> {
  readonly length: number;
}

/** In the order of their places. Memory holds their keys and sizes. */
export class PlannedGroups implements Groups {
  readonly #groups: Spooled<Group>;
  /** By key: where it lies. */
  readonly #at: ReadonlyMap<string, number>;
  readonly #copies: ReadonlyMap<string, string[]>;

  constructor(
    groups: Spooled<Group>,
    at: ReadonlyMap<string, number>,
    copies: ReadonlyMap<string, string[]>,
  ) {
    this.#groups = groups;
    this.#at = at;
    this.#copies = copies;
  }

  get length(): number {
    return this.#at.size;
  }

  has(key: string): boolean {
    return this.#at.has(key);
  }

  keys(): Iterable<string> {
    return this.#at.keys();
  }

  /** Of a key that is there. */
  of(key: string): Group {
    return { ...this.#groups.at(this.#at.get(key)!), copies: this.#copies.get(key) ?? [] };
  }

  *[Symbol.iterator](): Generator<Group> {
    for (const key of this.keys()) yield this.of(key);
  }

  /** Those of some keys. */
  only(keys: readonly string[]): Groups {
    const of = this.of.bind(this);
    return {
      length: keys.length,
      *[Symbol.iterator]() {
        for (const key of keys) yield of(key);
      },
    };
  }
}

export interface Plan {
  groups: PlannedGroups;
  problems: Problem[];
}

/** Only groups with packets in this time, as far as their captures say; ns of the Unix epoch. */
export interface Period {
  since: bigint | null;
  until: bigint | null;
}

/** The same whatever the order of members. */
export function planOf(
  members: Members,
  problems: readonly Problem[],
  options: GroupOptions,
  { since, until }: Period,
): Plan {
  const groups = new Spooled<Group>();
  const heads: { key: string; place: string; first: string }[] = [];
  const read = new Set<string>();
  for (const { reason, why, members: own } of grouped(members)) {
    for (const m of own) if (m.kind === 'other') read.add(placeOf(m));
    if (!isWithin(own, since, until)) continue;
    const place = commonPlace(own);
    const bytes = own.reduce((sum, m) => sum + m.size, 0);
    const key = keyOf(own, options);
    heads.push({ key, place, first: own.length > 1 ? placeOf(own[0]!) : place });
    // what was seen of its edges has done its service
    const planned = own.map(({ look: _, ...member }) => member);
    groups.add({ key, place, reason, why, bytes, members: planned, copies: [] });
  }
  const at = new Map<string, number>();
  const copies = new Map<string, string[]>();
  for (const n of [...heads.keys()].sort((a, b) => byPlace(heads[a]!, heads[b]!))) {
    const { key, place } = heads[n]!;
    if (at.has(key)) getOr(copies, key, () => []).push(place);
    else at.set(key, n);
  }
  const sorted = [...problems, ...unknownIn(members, read)].sort((a, b) =>
    `${a.place}\0${a.reason}` < `${b.place}\0${b.reason}` ? -1 : 1,
  );
  return { groups: new PlannedGroups(groups, at, copies), problems: sorted };
}

type Head = Record<'place' | 'first', string>;

function byPlace(a: Head, b: Head): number {
  if (a.place !== b.place) return a.place < b.place ? -1 : 1;
  return a.first < b.first ? -1 : Number(a.first > b.first);
}

/** Whatever else is not known is not evidence. */
const CAPTURE_NAME = /\.(?:pcap(?:ng)?|cap|dmp)\d*(?:\.(?:gz|zst|xz))?$/i;

function* unknownIn(members: Members, read: ReadonlySet<string>): Generator<Problem> {
  for (const member of members) {
    const place = placeOf(member);
    if (member.kind === 'other' && CAPTURE_NAME.test(place) && !read.has(place))
      yield { place, at: 'byte 0', reason: 'is called a capture, and begins as none that is known does' };
  }
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
  const content = contentOf(members);
  return { key, place, reason, version: VERSION, content, members: members.map(placeOf), bytes };
}

export function contentOf(members: readonly Member[]): string {
  const hash = sha256();
  for (const own of members.map((m) => m.hash).sort()) hash.add(`${own}\n`);
  return hash.hex();
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

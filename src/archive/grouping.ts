/** Which members are read together, and why. Every member that is evidence belongs to one group. */
import { getOr } from '../model/get-or.ts';
import { NS_PER_S } from '../model/time.ts';
import { folderOf, type Glance, type Member, nameOf, placeOf } from './member.ts';
import { Sets } from './sets.ts';

export type Reason = 'bundle' | 'retina' | 'rotation' | 'same-connections' | 'folder' | 'alone';

interface Together {
  reason: Reason;
  /** One sentence. */
  why: string;
  /** In the order of their places. */
  members: Member[];
}

/** Members by number, in the order of their files; each is read anew when it is asked for. */
export interface Members extends Iterable<Member> {
  readonly length: number;
  at(n: number): Member;
}

/** A text beside so many files is one of a collection, not evidence of the same incident. */
const MOST_BESIDE = 32;
/** As read/rotation.ts has it: packets may step back so far, and files of one capture be so far apart. */
const STEP_BACK = NS_PER_S / 1000;
const FARTHEST = 60 * NS_PER_S;
const FARTHEST_LENGTHS = 10;
const SMALL = 1 / 100;
const SMALL_IF_COUNTED = 1 / 10;
/** Series of a folder that a capture may go on with. */
const ASKED = 8;
/** Not in a folder that is read as a whole. */
const LOOSE = -1;
const NOT_EVIDENCE = -2;

/** Memory holds some numbers for each member, not the members. */
export function* grouped(members: Members): Generator<Together> {
  const units = unitsOf(members);
  const sets = new Sets(members.length);
  const reasons = new Map<number, Reason>();
  const join = (list: readonly number[], reason: Reason) => {
    for (const n of list) sets.join(list[0]!, n);
    reasons.set(sets.of(list[0]!), reason);
  };
  const ofUnits = new Map<number, number>();
  const loose = new Map<string, number[]>();
  for (let n = 0; n < members.length; n++) {
    const unit = units.of[n]!;
    if (unit >= 0) join([getOr(ofUnits, unit, () => n), n], units.reasons[unit]!);
  }
  let n = 0;
  for (const member of members) {
    if (units.of[n] === LOOSE) getOr(loose, folderOf(placeOf(member)), () => []).push(n);
    n++;
  }
  for (const list of loose.values()) joinFolder(members, list, join);
  const unitOf = Int32Array.from({ length: members.length }, (_, m) => sets.of(m));
  const all = numbersWhere(members.length, (m) => units.of[m] !== NOT_EVIDENCE);
  joinSharing(inTime(members, all), (a, b) => sets.join(a, b));
  const rootOf = (m: number) => sets.of(m);
  const order = all.sort((a, b) => rootOf(a) - rootOf(b) || a - b);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && rootOf(order[to]!) === rootOf(order[from]!)) to++;
    yield together(members, order.subarray(from, to), unitOf, reasons);
    from = to;
  }
}

function numbersWhere(count: number, is: (n: number) => boolean): Int32Array {
  const found = new Int32Array(count);
  let length = 0;
  for (let n = 0; n < count; n++) if (is(n)) found[length++] = n;
  return found.subarray(0, length);
}

function together(
  all: Members,
  numbers: Int32Array,
  unitOf: Int32Array,
  reasons: ReadonlyMap<number, Reason>,
): Together {
  const units = new Set(Array.from(numbers, (n) => unitOf[n]!)).size;
  const members = Array.from(numbers, (n) => all.at(n)).sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const reason = units > 1 ? 'same-connections' : (reasons.get(unitOf[numbers[0]!]!) ?? 'alone');
  return { reason, why: whyOf(reason, members, units), members };
}

function whyOf(reason: Reason, members: readonly Member[], units: number): string {
  switch (reason) {
    case 'bundle':
      return 'a bundle of tcpautopsy capture';
    case 'retina':
      return 'a capture of Retina with what it collected of the node';
    case 'rotation':
      return `${members.length} files of one capture that was rotated: same link type and snap length, each begins where another ends`;
    case 'folder':
      return members.some((m) => m.kind === 'capture')
        ? 'logs of one folder, beside what was captured at the same time'
        : 'logs of one folder';
    case 'same-connections':
      return `${units} captures that overlap in time and show the same connections`;
    case 'alone':
      return 'nothing found that goes with it';
  }
}

const RETINA = ['ip-resources.txt', 'iptables-rules.txt', 'socket-stats.txt'];

/** Bundles and what Retina collects: all that lies in such a folder, or below it. By member: its unit, or what it is else. */
function unitsOf(members: Members): { of: Int32Array; reasons: Reason[] } {
  const marks = new Map<string, Set<string>>();
  for (const member of members) {
    const place = placeOf(member);
    const name = nameOf(place);
    if (member.bundle || RETINA.includes(name))
      getOr(marks, folderOf(place), () => new Set<string>()).add(member.bundle ? 'bundle' : name);
  }
  const units = new Map<string, number>();
  const reasons: Reason[] = [];
  for (const [folder, found] of marks) {
    if (!found.has('bundle') && found.size < 2) continue;
    units.set(folder, reasons.push(found.has('bundle') ? 'bundle' : 'retina') - 1);
  }
  const of = new Int32Array(members.length);
  let n = 0;
  for (const member of members)
    of[n++] = aboveWith(placeOf(member), units) ?? (member.kind === 'other' ? NOT_EVIDENCE : LOOSE);
  return { of, reasons };
}

/** What the map has of the outermost folder above a place that is in it. */
function aboveWith(place: string, folders: ReadonlyMap<string, number>): number | null {
  if (folders.size === 0) return null;
  let found: number | null = null;
  for (let folder = folderOf(place); folder !== ''; folder = folderOf(folder))
    found = folders.get(folder) ?? found;
  return found;
}

/** Rotations of a folder, and its texts. */
function joinFolder(
  members: Members,
  list: readonly number[],
  join: (list: readonly number[], reason: Reason) => void,
): void {
  if (list.length > 1 && list.length <= MOST_BESIDE && areTogether(list.map((n) => members.at(n))))
    join(list, 'folder');
  else joinRotations(inTime(members, Int32Array.from(list)), (a, b) => join([a, b], 'rotation'));
}

/** Texts, beside captures that are one: they are of the same time. */
function areTogether(list: readonly Member[]): boolean {
  if (!list.some((m) => m.kind === 'text')) return false;
  const captures = list.filter((m) => m.kind === 'capture');
  const sets = new Sets(captures.length);
  const all = Int32Array.from(captures.keys());
  joinRotations(inTime(captures, all), (a, b) => sets.join(a, b));
  joinSharing(inTime(captures, all), (a, b) => sets.join(a, b));
  return new Set(all.map((n) => sets.of(n))).size <= 1;
}

/** A capture with times, and its number. */
interface Timed {
  n: number;
  member: Member;
  look: Glance;
}

/** Those that have times, by their first packets. */
function* inTime(members: { at(n: number): Member | undefined }, numbers: Int32Array): Generator<Timed> {
  const first = new Map<number, bigint>();
  for (const n of numbers) {
    const look = members.at(n)?.look;
    if (look) first.set(n, BigInt(look.first));
  }
  const sorted = [...first.keys()].sort((a, b) => Number(first.get(a)! - first.get(b)!) || a - b);
  first.clear();
  for (const n of sorted) {
    const member = members.at(n)!;
    yield { n, member, look: member.look! };
  }
}

interface Series {
  last: Timed;
  /** ns that its files cover. */
  length: number;
}

/** `join` is called with members of one series. */
function joinRotations(captures: Iterable<Timed>, join: (a: number, b: number) => void): void {
  const open = new Map<string, Series[]>();
  for (const next of captures) {
    // the one that was gone on with last is the last
    const series = getOr(open, next.look.kind, () => []);
    const length = lengthOf(next.look);
    const at = series.findIndex((s) => follows(s, next));
    const [before] = at < 0 ? [] : series.splice(at, 1);
    if (before) join(before.last.n, next.n);
    series.push({ last: next, length: (before?.length ?? 0) + length });
    if (series.length > ASKED) series.shift();
  }
}

function lengthOf({ first, last }: Glance): number {
  return Number(BigInt(last) - BigInt(first));
}

/** Whether a capture goes on where a series ends: by a connection of both, else by a host of both and next to no gap. */
function follows({ last, length }: Series, next: Timed): boolean {
  const [a, b] = [last.look, next.look];
  const gap = Number(BigInt(b.first) - BigInt(a.last));
  const together = length + lengthOf(b);
  if (gap < -STEP_BACK || gap > FARTHEST_LENGTHS * together + FARTHEST) return false;
  if (haveCommon(a.tail, b.head)) return true;
  const isCounted = stemOf(last.member) === stemOf(next.member);
  const small = together * (isCounted ? SMALL_IF_COUNTED : SMALL);
  return gap <= Math.max(small, STEP_BACK) && haveCommon(a.addresses, b.addresses);
}

function stemOf(member: Member): string {
  return nameOf(placeOf(member)).replace(/\d+/g, '');
}

function haveCommon(a: readonly string[], b: readonly string[]): boolean {
  return a.some((x) => b.includes(x));
}

/**
 * `join` is called with captures that overlap in time and show the same connection: what several hosts captured of it. Of
 * those that are open at one moment and show it, all are together already, so that one is asked: the one that ends last.
 */
function joinSharing(captures: Iterable<Timed>, join: (a: number, b: number) => void): void {
  const open = new Map<string, { n: number; last: bigint }>();
  let most = 1 << 12;
  for (const { n, look } of captures) {
    const [first, last] = [BigInt(look.first), BigInt(look.last)];
    const own = { n, last };
    for (const connection of new Set([...look.head, ...look.tail])) {
      const other = open.get(connection);
      const overlaps = other !== undefined && other.last >= first;
      if (overlaps) join(other.n, n);
      if (!overlaps || other.last < last) open.set(connection, own);
    }
    if (open.size < most) continue;
    for (const [connection, { last }] of open) if (last < first) open.delete(connection);
    most = Math.max(most, 2 * open.size);
  }
}

/** Which members are read together, and why. Every member belongs to one group. */
import { getOr } from '../model/get-or.ts';
import { NS_PER_S } from '../model/time.ts';
import { folderOf, type Glance, type Member, nameOf, placeOf } from './member.ts';

export type Reason = 'bundle' | 'retina' | 'rotation' | 'same-connections' | 'folder' | 'alone';

export interface Together {
  reason: Reason;
  /** One sentence. */
  why: string;
  members: Member[];
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

export function grouped(members: readonly Member[]): Together[] {
  const folders = new Map<string, Member[]>();
  const inUnits = unitsOf(members);
  const units: Together[] = [...inUnits.units];
  for (const member of inUnits.rest) getOr(folders, folderOf(placeOf(member)), () => []).push(member);
  for (const list of folders.values()) units.push(...ofFolder(list));
  return sharing(units).map(inOrder);
}

function inOrder(group: Together): Together {
  return { ...group, members: group.members.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)) };
}

const RETINA = ['ip-resources.txt', 'iptables-rules.txt', 'socket-stats.txt'];

/** Bundles and what Retina collects: all that lies in such a folder, or below it. */
function unitsOf(members: readonly Member[]): { units: Together[]; rest: Member[] } {
  const marks = new Map<string, Set<string>>();
  for (const member of members) {
    const place = placeOf(member);
    const name = nameOf(place);
    if (member.bundle || RETINA.includes(name))
      getOr(marks, folderOf(place), () => new Set<string>()).add(member.bundle ? 'bundle' : name);
  }
  const reasons = new Map<string, Reason>();
  for (const [folder, found] of marks) {
    if (found.has('bundle')) reasons.set(folder, 'bundle');
    else if (found.size >= 2) reasons.set(folder, 'retina');
  }
  const units = new Map<string, Together>();
  const rest = members.filter((member) => {
    const folder = aboveWith(placeOf(member), reasons);
    if (folder === null) return true;
    const reason = reasons.get(folder)!;
    const why =
      reason === 'bundle'
        ? 'a bundle of tcpautopsy capture'
        : 'a capture of Retina with what it collected of the node';
    getOr(units, folder, () => ({ reason, why, members: [] })).members.push(member);
    return false;
  });
  return { units: [...units.values()], rest: rest.filter((m) => m.kind !== 'other') };
}

/** The outermost folder above a place that is in the map. */
function aboveWith(place: string, folders: ReadonlyMap<string, unknown>): string | null {
  if (folders.size === 0) return null;
  let found: string | null = null;
  for (let folder = folderOf(place); folder !== ''; folder = folderOf(folder))
    if (folders.has(folder)) found = folder;
  return found;
}

/** Rotations of a folder, and its texts. */
function ofFolder(members: readonly Member[]): Together[] {
  const captures = members.filter((m) => m.kind === 'capture');
  const texts = members.filter((m) => m.kind === 'text');
  const series = rotations(captures);
  if (
    texts.length > 0 &&
    sharing(series).length <= 1 &&
    members.length > 1 &&
    members.length <= MOST_BESIDE
  ) {
    const why =
      series.length === 0
        ? 'logs of one folder'
        : 'logs of one folder, beside what was captured at the same time';
    return [{ reason: 'folder', why, members: [...members] }];
  }
  return [...series, ...texts.map(alone)];
}

function alone(member: Member): Together {
  return { reason: 'alone', why: 'nothing found that goes with it', members: [member] };
}

interface Series {
  last: Member;
  /** ns that its files cover. */
  length: number;
  members: Member[];
}

function rotations(captures: readonly Member[]): Together[] {
  const open = new Map<string, Series[]>();
  const all: Series[] = [];
  const timed = captures.filter((m) => m.look).sort(byTime);
  for (const member of timed) {
    const chains = getOr(open, member.look!.kind, () => []);
    const chain = chains.slice(-ASKED).find((c) => follows(c, member));
    const length = lengthOf(member.look!);
    if (chain) {
      chain.members.push(member);
      chain.last = member;
      chain.length += length;
      chains.splice(chains.indexOf(chain), 1);
      chains.push(chain);
    } else {
      const begun = { last: member, length, members: [member] };
      chains.push(begun);
      all.push(begun);
    }
  }
  const untimed = captures.filter((m) => !m.look).map(alone);
  const series = all.map(({ members }): Together => {
    if (members.length === 1) return alone(members[0]!);
    const why = `${members.length} files of one capture that was rotated: same link type and snap length, each begins where another ends`;
    return { reason: 'rotation', why, members };
  });
  return [...series, ...untimed];
}

function byTime(a: Member, b: Member): number {
  const gap = Number(BigInt(a.look!.first) - BigInt(b.look!.first));
  return gap !== 0 ? gap : placeOf(a) < placeOf(b) ? -1 : 1;
}

function lengthOf({ first, last }: Glance): number {
  return Number(BigInt(last) - BigInt(first));
}

/** Whether a capture goes on where a series ends: by a connection of both, else by a host of both and next to no gap. */
function follows({ last, length }: Series, next: Member): boolean {
  const [a, b] = [last.look!, next.look!];
  const gap = Number(BigInt(b.first) - BigInt(a.last));
  const together = length + lengthOf(b);
  if (gap < -STEP_BACK || gap > FARTHEST_LENGTHS * together + FARTHEST) return false;
  if (haveCommon(a.tail, b.head)) return true;
  const isCounted = stemOf(last) === stemOf(next);
  const small = together * (isCounted ? SMALL_IF_COUNTED : SMALL);
  return gap <= Math.max(small, STEP_BACK) && haveCommon(a.addresses, b.addresses);
}

function stemOf(member: Member): string {
  return nameOf(placeOf(member)).replace(/\d+/g, '');
}

function haveCommon(a: readonly string[], b: readonly string[]): boolean {
  return a.some((x) => b.includes(x));
}

/** Puts units together that overlap in time and show the same connections: what several hosts captured of them. */
function sharing(units: readonly Together[]): Together[] {
  const spans = units.flatMap((unit, i) => spansOf(unit, i)).sort((a, b) => Number(a.first - b.first));
  const parent = units.map((_, i) => i);
  const rootOf = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root]!;
    parent[i] = root;
    return root;
  };
  /** Of the spans that have not ended, by connection. */
  const active = new Map<string, Overlapping[]>();
  for (const span of spans) {
    for (const connection of span.connections) {
      const others = (active.get(connection) ?? []).filter((o) => o.last >= span.first);
      for (const other of others) parent[rootOf(span.unit)] = rootOf(other.unit);
      others.push(span);
      active.set(connection, others);
    }
    if (active.size > MOST_ACTIVE) forget(active, span.first);
  }
  const joined = new Map<number, Together[]>();
  for (const [i, unit] of units.entries()) getOr(joined, rootOf(i), () => []).push(unit);
  return [...joined.values()].map((list) => {
    if (list.length === 1) return list[0]!;
    const why = `${list.length} captures that overlap in time and show the same connections`;
    return { reason: 'same-connections', why, members: list.flatMap((u) => u.members) };
  });
}

const MOST_ACTIVE = 1 << 16;

function forget(active: Map<string, Overlapping[]>, before: bigint): void {
  for (const [connection, spans] of active) {
    const still = spans.filter((s) => s.last >= before);
    if (still.length === 0) active.delete(connection);
    else active.set(connection, still);
  }
}

interface Overlapping {
  unit: number;
  first: bigint;
  last: bigint;
  connections: ReadonlySet<string>;
}

function spansOf({ members }: Together, unit: number): Overlapping[] {
  return members.flatMap(({ look }) =>
    look
      ? [
          {
            unit,
            first: BigInt(look.first),
            last: BigInt(look.last),
            connections: new Set([...look.head, ...look.tail]),
          },
        ]
      : [],
  );
}

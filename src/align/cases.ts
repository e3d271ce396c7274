/** Cases: everything known of one connection, joined by 4-tuple, numbers and time; their ids, sides and namespaces. */
import { type Endpoint, isLoopback, sameEndpoint } from '../model/address.ts';
import type { Case, Host, Listener } from '../model/case.ts';
import { CLIENT, type Pair, SERVER, type SocketLife, type WireConnection } from '../model/connection.ts';
import type { CallEvent, DropEvent, IcmpEvent, KernelEvent, ProbedEvent } from '../model/event.ts';
import type { SocketEvent } from '../model/table-event.ts';
import { Directions } from './direction.ts';
import { connectionsOf } from './divide.ts';
import { findListener, type KernelRecord, orient } from './orient.ts';
import { endsOf, type Piece, type Pieces, type PointEvent, piecesByTuple } from './pieces.ts';

export type { Pieces } from './pieces.ts';

/** What is numbered from 0, and made when it is asked for. */
export interface Numbered<T> {
  readonly count: number;
  at(n: number): T;
}

/** Cases as numbers: which connections of captures, lives and events tell of each. The case itself is made when it is asked for. */
export class JoinedEvidence implements Numbered<Case> {
  readonly #wires: Numbered<WireConnection>;
  readonly #lives: readonly SocketLife[];
  readonly #events: readonly KernelEvent[];
  readonly #hostOf: Pieces['hostOf'];
  readonly #known: Known;
  /** Numbers as in Piece, of one case after the other; where those of each begin. */
  readonly #members: Int32Array;
  readonly #first: Int32Array;

  /** `wires`: those of the pieces, made anew when they are asked for: all of them at once take half a kilobyte each. */
  constructor(pieces: Pieces, wires: Numbered<WireConnection>, listeners: readonly Listener[]) {
    const directions = new Directions(pieces.events);
    const drafts = new Drafts(pieces);
    for (const group of piecesByTuple(pieces)) {
      const [a, b] = endsOf(group[0]!);
      directions.count(a.port, b.port);
      for (const part of connectionsOf(group, pieces)) drafts.add(part);
    }
    this.#wires = wires;
    this.#lives = pieces.lives;
    this.#events = pieces.events;
    this.#hostOf = pieces.hostOf;
    this.#known = { listeners, directions };
    [this.#members, this.#first] = drafts.sorted();
  }

  get count(): number {
    return this.#first.length - 1;
  }

  at(n: number): Case {
    const wires: WireConnection[] = [];
    const lives: SocketLife[] = [];
    const points: PointEvent[] = [];
    for (let i = this.#first[n]!; i < this.#first[n + 1]!; i++) {
      const member = this.#members[i]!;
      const life = member - this.#wires.count;
      const event = life - this.#lives.length;
      if (life < 0) wires.push(this.#wires.at(member));
      else if (event < 0) lives.push(this.#lives[life]!);
      else points.push(this.#events[event] as PointEvent);
    }
    return makeCase(`c${n + 1}`, wires, lives, points, this.#known, this.#hostOf);
  }
}

/** Connections in the order of their tuples, to be put into that of first sight. */
class Drafts {
  readonly #domains: readonly number[];
  readonly #members: number[] = [];
  /** Where the members of each end. */
  readonly #ends: number[] = [];
  /** Source and place of the first piece. */
  readonly #sources: number[] = [];
  readonly #places: number[] = [];
  /** When it was first seen, and on which clock: the first source that shares it. */
  readonly #at: number[] = [];
  readonly #domain: number[] = [];

  constructor(pieces: Pieces) {
    this.#domains = domainsOf(pieces);
  }

  add(part: Piece[]): void {
    const { order } = part.reduce((one, other) => (before(other.order, one.order) ? other : one));
    const { at, domain } = firstSight(part, this.#domains);
    for (const { number } of part) this.#members.push(number);
    this.#ends.push(this.#members.length);
    this.#sources.push(order[0]);
    this.#places.push(order[1]);
    this.#at.push(at);
    this.#domain.push(domain);
  }

  /** Members of one after the other, and where those of each begin. */
  sorted(): [members: Int32Array, first: Int32Array] {
    const [domain, at, source, place] = [this.#domain, this.#at, this.#sources, this.#places];
    const order = Array.from(this.#ends, (_, n) => n).sort(
      (a, b) =>
        domain[a]! - domain[b]! || at[a]! - at[b]! || source[a]! - source[b]! || place[a]! - place[b]!,
    );
    const members = new Int32Array(this.#members.length);
    const first = new Int32Array(order.length + 1);
    let end = 0;
    for (const [i, n] of order.entries()) {
      for (let m = this.#ends[n - 1] ?? 0; m < this.#ends[n]!; m++) members[end++] = this.#members[m]!;
      first[i + 1] = end;
    }
    return [members, first];
  }
}

/** The first source that shares the clock of each. */
function domainsOf({ sources, timeline }: Pieces): number[] {
  return sources.map(({ id }) => sources.findIndex((s) => s.id === id || timeline.comparable(s.id, id)));
}

/** Ids follow time where there is one; connections of clocks that nothing brings together, and those without, the files. */
function firstSight(part: Piece[], domains: readonly number[]): { at: number; domain: number } {
  const domain = Math.min(...part.map((p) => domains[p.order[0]]!));
  const times = part.flatMap((p) => (p.from !== null && domains[p.order[0]] === domain ? [p.from] : []));
  return { at: times.length > 0 ? Math.min(...times) : 0, domain };
}

function before(a: [number, number], b: [number, number]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

/** What tells the server from the client where the connection itself does not. */
export interface Known {
  listeners: readonly Listener[];
  directions: Directions;
}

function makeCase(
  id: string,
  wires: WireConnection[],
  lives: SocketLife[],
  points: PointEvent[],
  known: Known,
  hostOf: Pieces['hostOf'],
): Case {
  const rows = points.filter((e): e is SocketEvent => e.kind === 'socket');
  const drops = points.filter((e): e is DropEvent => e.kind === 'drop');
  const calls = points.filter((e): e is CallEvent => e.kind === 'call');
  const icmp = points.filter((e): e is IcmpEvent => e.kind === 'icmp');
  const kernel = points.filter((e): e is ProbedEvent => !BARE.has(e.kind));
  const host = lives.map((l) => hostOf.get(l.source)).find((h) => h !== undefined);
  wires.sort((a, b) => packets(b) - packets(a));
  return caseOf(id, wires, { lives, rows, drops, calls, icmp, kernel }, known, host);
}

/** Events that other tools give as well. */
const BARE: ReadonlySet<KernelEvent['kind']> = new Set(['socket', 'drop', 'call', 'icmp']);

export const NOTHING: KernelRecord = { lives: [], rows: [], drops: [], calls: [], icmp: [], kernel: [] };

export function caseOf(
  id: string,
  wires: WireConnection[],
  record: KernelRecord,
  { listeners, directions }: Known,
  host: Host | undefined,
): Case {
  const { lives, rows, drops, calls, icmp, kernel } = record;
  const { client, server, sure } = orient(wires, record, listeners, directions);
  // behind a NAT the other capture has other addresses, but the same sides
  const oriented = wires.map((w) => (sameEndpoint(w.server, client) ? w.flipped() : w));
  const pair: Pair<SocketLife | null> = [null, null];
  for (const life of lives) {
    const side = sameEndpoint(life.local, client) ? CLIENT : SERVER;
    pair[side] ??= life;
  }
  const listener = findListener(server, listeners, pair[SERVER] ? host : undefined);
  return {
    id,
    client,
    server,
    sided: sure,
    netns: netnsOf(client, record),
    wires: oriented,
    lives: pair,
    drops,
    icmp,
    calls,
    rows,
    kernel,
    listener,
  };
}

/** Namespaces of the client's end and of the server's, as the kernel named them. */
function netnsOf(client: Endpoint, { lives, rows, kernel, drops }: KernelRecord): Pair<string | null> {
  const names: Pair<string | null> = [null, null];
  if (lives.length + rows.length + kernel.length + drops.length === 0) return names;
  for (const list of [lives, kernel, rows])
    for (const e of list) names[sameEndpoint(e.local, client) ? CLIENT : SERVER] ??= e.netns ?? null;
  for (const d of drops)
    if (isOfEnd(d)) names[sameEndpoint(d.to, client) ? CLIENT : SERVER] ??= d.netns ?? null;
  return isLoopback(client.address) ? [names[0] ?? names[1], names[1] ?? names[0]] : names;
}

/** Below TCP the packet may be one that is forwarded, or overheard in promiscuous mode: only TCP drops at the end itself. */
function isOfEnd({ state, stack }: DropEvent): boolean {
  return state !== null || /^_*(tcp|inet)_/.test(stack[0] ?? '');
}

function packets(w: WireConnection): number {
  return w.packets[CLIENT] + w.packets[SERVER];
}

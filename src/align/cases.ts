/** Cases: everything known of one connection, joined by 4-tuple, numbers and time; their ids, sides and namespaces. */
import { type Endpoint, isLoopback, sameEndpoint } from '../model/address.ts';
import type { Case, Host, Listener } from '../model/case.ts';
import { CLIENT, type Pair, SERVER, type SocketLife, type WireConnection } from '../model/connection.ts';
import type {
  CallEvent,
  DropEvent,
  IcmpEvent,
  KernelEvent,
  ProbedEvent,
  SocketEvent,
} from '../model/event.ts';
import { Directions } from './direction.ts';
import { connectionsOf } from './divide.ts';
import { findListener, type KernelRecord, orient } from './orient.ts';
import { endsOf, type Piece, type Pieces, type PointEvent, piecesByTuple } from './pieces.ts';

export type { Pieces } from './pieces.ts';

export function buildCases(pieces: Pieces, listeners: readonly Listener[]): Case[] {
  const groups = piecesByTuple(pieces);
  const directions = new Directions(pieces.events);
  for (const [first] of groups) {
    const [a, b] = endsOf(first!);
    directions.count(a.port, b.port);
  }
  const known: Known = { listeners, directions };
  const drafts: Draft[] = [];
  const domains = domainsOf(pieces);
  for (const group of groups) {
    for (const part of connectionsOf(group, pieces)) {
      const first = part.reduce((a, b) => (before(b.order, a.order) ? b : a));
      drafts.push({ pieces: part, order: first.order, ...firstSight(part, domains) });
    }
  }
  drafts.sort((a, b) => a.domain - b.domain || a.at - b.at || (before(a.order, b.order) ? -1 : 1));
  return drafts.map((draft, i) => makeCase(`c${i + 1}`, draft.pieces, known, pieces));
}

interface Draft {
  pieces: Piece[];
  /** Of its first piece. */
  order: [number, number];
  /** When it was first seen, and on which clock: the first source that shares it. */
  at: number;
  domain: number;
}

/** The first source that shares the clock of each. */
function domainsOf({ sources, timeline }: Pieces): number[] {
  return sources.map(({ id }) => sources.findIndex((s) => s.id === id || timeline.comparable(s.id, id)));
}

/** Ids follow time where there is one; connections of clocks that nothing brings together, and those without, the files. */
function firstSight(part: Piece[], domains: readonly number[]): Pick<Draft, 'at' | 'domain'> {
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

function makeCase(id: string, parts: Piece[], known: Known, { hostOf }: Pieces): Case {
  const wires = parts.filter((p) => p.kind === 'wire').map((p) => p.value as WireConnection);
  const lives = parts.filter((p) => p.kind === 'life').map((p) => p.value as SocketLife);
  const points = parts.filter((p) => p.kind === 'point').map((p) => p.value as PointEvent);
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

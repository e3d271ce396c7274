/** What the evidence says of each 4-tuple, in pieces: captures' connections, lives of sockets, events of one moment. */
import { type Endpoint, isLoopback, isWildcard } from '../model/address.ts';
import type { Host, Timeline } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type {
  CallEvent,
  DropEvent,
  IcmpEvent,
  KernelEvent,
  ProbedEvent,
  SocketEvent,
} from '../model/event.ts';
import type { Source } from '../model/source.ts';
import { NS_PER_S } from '../model/time.ts';
import { type Opening, openingOfLife, openingOfWire } from './opening.ts';
import { keyOf, translated } from './translated.ts';
import { groupBy, isTuple, tupleKey } from './tuple.ts';

export interface Pieces {
  sources: readonly Source[];
  wires: readonly WireConnection[];
  lives: readonly SocketLife[];
  events: readonly KernelEvent[];
  hostOf: ReadonlyMap<number, Host>;
  timeline: Timeline;
  diagnostics: Diagnostics;
}

/** Events of one moment that name a connection. */
export type PointEvent = SocketEvent | DropEvent | IcmpEvent | CallEvent | ProbedEvent;
const POINTS: ReadonlySet<KernelEvent['kind']> = new Set([
  'socket',
  'drop',
  'icmp',
  'call',
  'reset-sent',
  'reset-received',
  'probe',
  'life',
]);

export function isPoint(e: KernelEvent): e is PointEvent {
  return POINTS.has(e.kind);
}

/** One piece of evidence about a tuple, with the stretch of common time it covers (null when unknown). */
export interface Piece {
  value: WireConnection | SocketLife | PointEvent;
  kind: 'wire' | 'life' | 'point';
  /** Pieces of one track are consecutive lives of the tuple: one capture, or one end in one log. */
  track: string;
  from: number | null;
  to: number | null;
  /** Source and place, for the order of first sight. */
  order: [number, number];
  opening: Opening | null;
  netns: string | null;
}

/** The pieces of each tuple. */
export function piecesByTuple(pieces: Pieces): Piece[][] {
  return byNamespace(groupBy(collect(pieces), (p) => p.tuple));
}

/** The namespace of each piece; a probe that names none says what an event right before it brought about. */
function namespaces(all: readonly Piece[]): (p: Piece) => string {
  const found = new Map<Piece, string>();
  let last = '';
  for (const p of [...all].sort((a, b) => (a.to ?? 0) - (b.to ?? 0) || a.order[1] - b.order[1])) {
    if (p.netns !== null) last = p.netns;
    else if (p.kind === 'point') found.set(p, last);
  }
  return (p) => p.netns ?? found.get(p) ?? '';
}

/** Pods use the same tuples of 127.0.0.1: both ends of such a one are in one namespace, where the kernel names it. */
function byNamespace(groups: ReadonlyMap<string, { piece: Piece }[]>): Piece[][] {
  return [...groups.values()].flatMap((group) => {
    const all = group.map((g) => g.piece);
    const names = new Set(all.map((p) => p.netns).filter((n) => n !== null));
    if (names.size < 2 || !isLoopback(endsOf(all[0]!)[0].address)) return [all];
    return [...groupBy(all, namespaces(all)).values()];
  });
}

export function endsOf({ value }: Piece): readonly [Endpoint, Endpoint] {
  if ('client' in value) return [value.client, value.server];
  return 'from' in value ? [value.from, value.to] : [value.local, value.remote];
}

/** The tuples that a NAT made of others in one capture, where each stands for one: sockets behind it are of those as well. */
function keysOutside(nat: ReadonlyMap<WireConnection, string>): Map<string, string> {
  const outside = new Map<string, string>();
  for (const [wire, key] of nat) {
    const own = keyOf(wire);
    outside.set(own, (outside.get(own) ?? key) === key ? key : own);
  }
  return outside;
}

function collect(pieces: Pieces): { tuple: string; piece: Piece }[] {
  const { timeline, hostOf } = pieces;
  const nat = translated(pieces.wires);
  const outside = keysOutside(nat);
  const netnsOf = (source: number) => pieces.sources[source]!.netns ?? null;
  const out: { tuple: string; piece: Piece }[] = [];
  const add = (a: Endpoint, b: Endpoint, piece: Piece, source: number) => {
    // a port of 0 is one that a log does not know; on the wire it is a port, and tools of calls leave out the local one
    const isCall = 'call' in piece.value && b.port !== 0;
    if (piece.kind !== 'wire' && !isCall && !isTuple(a, b)) return;
    const key = tupleKey(a, b, hostOf.get(source)?.name ?? null);
    const same = piece.kind === 'wire' ? nat.get(piece.value as WireConnection) : outside.get(key);
    out.push({ tuple: same ?? key, piece });
  };
  for (const w of pieces.wires) {
    const from = timeline.at(w.source, w.start);
    const to = timeline.at(w.source, w.end);
    const track = nat.has(w) ? `wire ${w.source} ${keyOf(w)}` : `wire ${w.source}`;
    add(
      w.client,
      w.server,
      {
        ...{ value: w, kind: 'wire', track, from, to },
        order: [w.source, w.startFrame],
        ...{ opening: openingOfWire(w), netns: netnsOf(w.source) },
      },
      w.source,
    );
  }
  for (const l of pieces.lives) {
    if (l.role === 'listener') continue;
    const from = timeline.ofTransition(l, 0);
    const to = timeline.ofTransition(l, l.transitions.length - 1);
    const netns = l.netns ?? null;
    const track = `life ${l.source} ${l.local.address} ${l.local.port} ${netns}`;
    const order: [number, number] = [l.source, l.transitions[0]!.line];
    const opening = openingOfLife(l);
    add(l.local, l.remote, { value: l, kind: 'life', track, from, to, order, opening, netns }, l.source);
  }
  for (const e of pieces.events) {
    if (!isPoint(e)) continue;
    if (e.kind === 'socket' && (e.state === 'LISTEN' || isWildcard(e.remote.address))) continue;
    const [a, b] = 'from' in e ? [e.from, e.to] : [e.local, e.remote];
    // a table whose command was typed some time after a clock may be of any connection of then or later
    const isVague = (pieces.sources[e.source]!.clock.uncertainty ?? 0) > NS_PER_S;
    const at = isVague ? null : timeline.at(e.source, e.time);
    const track = `${e.kind} ${e.source}`;
    const order: [number, number] = [e.source, e.line];
    const netns = e.netns ?? netnsOf(e.source);
    add(a, b, { value: e, kind: 'point', track, from: at, to: at, order, opening: null, netns }, e.source);
  }
  return out;
}

/** What the evidence says of each 4-tuple, in pieces: captures' connections, lives of sockets, events of one moment. */
import { type Endpoint, isLoopback, isWildcard } from '../model/address.ts';
import type { Host, Timeline } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { CallEvent, DropEvent, IcmpEvent, KernelEvent, ProbedEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';
import type { SocketEvent } from '../model/table-event.ts';
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
  /** Connections of captures first, then lives, then events, each as they are in Pieces. */
  number: number;
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

/** The pieces of each tuple, made when its turn comes: those of all together would take more than what they are made of. */
export function* piecesByTuple(pieces: Pieces): Iterable<Piece[]> {
  const makers = makersOf(pieces);
  const { first, next } = tuplesOf(makers);
  for (const head of first) {
    const group: Piece[] = [];
    for (let n = head; n >= 0; n = next[n]!) group.push(makers.piece(n));
    yield* byNamespace(group);
  }
}

/** Lists of numbers: the first of each tuple, in the order of first sight, and the one behind each; -1 for none. */
function tuplesOf({ count, tuple }: Makers): { first: number[]; next: Int32Array } {
  const numbers = new Map<string, number>();
  const first: number[] = [];
  const last: number[] = [];
  const next = new Int32Array(count).fill(-1);
  for (let n = 0; n < count; n++) {
    const key = tuple(n);
    if (key === null) continue;
    const known = numbers.get(key);
    if (known === undefined) {
      numbers.set(key, first.push(n) - 1);
      last.push(n);
    } else {
      next[last[known]!] = n;
      last[known] = n;
    }
  }
  return { first, next };
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
function byNamespace(all: Piece[]): Piece[][] {
  const names = new Set(all.map((p) => p.netns).filter((n) => n !== null));
  if (names.size < 2 || !isLoopback(endsOf(all[0]!)[0].address)) return [all];
  return [...groupBy(all, namespaces(all)).values()];
}

export function endsOf({ value }: Piece): readonly [Endpoint, Endpoint] {
  return 'client' in value ? [value.client, value.server] : endsOfEvent(value);
}

function endsOfEvent(value: PointEvent | SocketLife): readonly [Endpoint, Endpoint] {
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

/** What there is, numbered: connections of captures, then lives, then events. */
interface Makers {
  count: number;
  /** What its tuple is known by; null where it is of none. */
  tuple(n: number): string | null;
  piece(n: number): Piece;
}

function makersOf(pieces: Pieces): Makers {
  const { timeline, hostOf, wires, lives, events } = pieces;
  const nat = translated(wires);
  const outside = keysOutside(nat);
  const netnsOf = (source: number) => pieces.sources[source]!.netns ?? null;
  const key = (a: Endpoint, b: Endpoint, source: number) => tupleKey(a, b, hostOf.get(source)?.name ?? null);
  const inside = (a: Endpoint, b: Endpoint, source: number) => {
    const own = key(a, b, source);
    return outside.get(own) ?? own;
  };
  const ofWire: Kind<WireConnection> = {
    tuple: (w) => nat.get(w) ?? key(w.client, w.server, w.source),
    piece: (w, number) => ({
      number,
      value: w,
      kind: 'wire',
      track: nat.has(w) ? `wire ${w.source} ${keyOf(w)}` : `wire ${w.source}`,
      from: timeline.at(w.source, w.start),
      to: timeline.at(w.source, w.end),
      order: [w.source, w.startFrame],
      opening: openingOfWire(w),
      netns: netnsOf(w.source),
    }),
  };
  const ofLife: Kind<SocketLife> = {
    tuple: (l) => {
      if (l.role === 'listener') return null;
      const { local, remote } = l;
      return isTuple(local, remote) ? inside(local, remote, l.source) : null;
    },
    piece: (l, number) => {
      const { local, transitions } = l;
      const netns = l.netns ?? null;
      return {
        number,
        value: l,
        kind: 'life',
        track: `life ${l.source} ${local.address} ${local.port} ${netns}`,
        from: timeline.ofTransition(l, 0),
        to: timeline.ofTransition(l, transitions.length - 1),
        order: [l.source, transitions[0]!.line],
        opening: openingOfLife(l),
        netns,
      };
    },
  };
  const ofEvent: Kind<KernelEvent> = {
    tuple: (e) => {
      if (!isPoint(e)) return null;
      if (e.kind === 'socket' && (e.state === 'LISTEN' || isWildcard(e.remote.address))) return null;
      const [a, b] = endsOfEvent(e);
      // a port of 0 is one that a log does not know; on the wire it is a port, and tools of calls leave out the local one
      const isCall = 'call' in e && b.port !== 0;
      return isCall || isTuple(a, b) ? inside(a, b, e.source) : null;
    },
    piece: (e, number) => {
      // a table whose command was typed some time after a clock may be of any connection of then or later
      const isVague = (pieces.sources[e.source]!.clock.uncertainty ?? 0) > NS_PER_S;
      const at = isVague ? null : timeline.at(e.source, e.time);
      return {
        number,
        value: e as PointEvent,
        kind: 'point',
        track: `${e.kind} ${e.source}`,
        from: at,
        to: at,
        order: [e.source, e.line],
        opening: null,
        netns: e.netns ?? netnsOf(e.source),
      };
    },
  };
  const [behindWires, behindLives] = [wires.length, wires.length + lives.length];
  return {
    count: behindLives + events.length,
    tuple: (n) => {
      if (n < behindWires) return ofWire.tuple(wires[n]!);
      return n < behindLives
        ? ofLife.tuple(lives[n - behindWires]!)
        : ofEvent.tuple(events[n - behindLives]!);
    },
    piece: (n) => {
      if (n < behindWires) return ofWire.piece(wires[n]!, n);
      return n < behindLives
        ? ofLife.piece(lives[n - behindWires]!, n)
        : ofEvent.piece(events[n - behindLives]!, n);
    },
  };
}

interface Kind<T> {
  tuple(value: T): string | null;
  piece(value: T, number: number): Piece;
}

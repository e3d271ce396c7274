/**
 * Cases: everything known of one connection, joined by 4-tuple and time. A tuple that was used once in every source
 * is one case; a reused one is split by time where the clocks allow it, by order where every source saw it equally
 * often, and is otherwise left apart and named as ambiguous.
 */
import { type Endpoint, isWildcard, sameEndpoint } from '../model/address.ts';
import type { Case, Host, Listener, Timeline } from '../model/case.ts';
import { CLIENT, type Pair, SERVER, type SocketLife, type WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { CallEvent, DropEvent, KernelEvent, ProbedEvent, SocketEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';
import type { SourceTime } from '../model/time.ts';
import { differ, type Opening, openingOfLife, openingOfWire } from './opening.ts';
import { findListener, type KernelRecord, orient } from './orient.ts';
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
type PointEvent = SocketEvent | DropEvent | CallEvent | ProbedEvent;
const POINTS: ReadonlySet<KernelEvent['kind']> = new Set([
  'socket',
  'drop',
  'call',
  'reset-sent',
  'reset-received',
  'probe',
]);

export function isPoint(e: KernelEvent): e is PointEvent {
  return POINTS.has(e.kind);
}

/** One piece of evidence about a tuple, with the stretch of common time it covers (null when unknown). */
interface Piece {
  value: WireConnection | SocketLife | PointEvent;
  kind: 'wire' | 'life' | 'point';
  /** Pieces of one track are consecutive lives of the tuple: one capture, or one end in one log. */
  track: string;
  from: number | null;
  to: number | null;
  /** Source and place, for the order of first sight. */
  order: [number, number];
  opening: Opening | null;
}

/** Evidence of one life may miss the other's ends by this much: clocks are fitted, final ACKs come late. Ns. */
const SLACK = 1e9;

export function buildCases(pieces: Pieces, listeners: readonly Listener[]): Case[] {
  const groups = groupBy(collect(pieces), (p) => p.tuple);
  const drafts: Draft[] = [];
  const domains = domainsOf(pieces);
  for (const group of groups.values()) {
    for (const part of splitLives(
      group.map((g) => g.piece),
      pieces,
    )) {
      const first = part.reduce((a, b) => (before(b.order, a.order) ? b : a));
      drafts.push({ pieces: part, order: first.order, ...firstSight(part, domains) });
    }
  }
  drafts.sort((a, b) => a.domain - b.domain || a.at - b.at || (before(a.order, b.order) ? -1 : 1));
  return drafts.map((draft, i) => makeCase(`c${i + 1}`, draft.pieces, listeners, pieces));
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
  const out: { tuple: string; piece: Piece }[] = [];
  const add = (a: Endpoint, b: Endpoint, piece: Piece, source: number) => {
    // a port of 0 is one that a log does not know; on the wire it is a port
    if (piece.kind !== 'wire' && !isTuple(a, b)) return;
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
        opening: openingOfWire(w),
      },
      w.source,
    );
  }
  for (const l of pieces.lives) {
    if (l.role === 'listener') continue;
    const from = timeline.ofTransition(l, 0);
    const to = timeline.ofTransition(l, l.transitions.length - 1);
    const track = `life ${l.source} ${l.local.address} ${l.local.port}`;
    const order: [number, number] = [l.source, l.transitions[0]!.line];
    const opening = openingOfLife(l);
    add(l.local, l.remote, { value: l, kind: 'life', track, from, to, order, opening }, l.source);
  }
  for (const e of pieces.events) {
    if (!isPoint(e)) continue;
    if (e.kind === 'socket' && (e.state === 'LISTEN' || isWildcard(e.remote.address))) continue;
    const [a, b] = e.kind === 'drop' ? [e.from, e.to] : [e.local, e.remote];
    const at = timeline.at(e.source, e.time);
    const track = `${e.kind} ${e.source}`;
    const order: [number, number] = [e.source, e.line];
    add(a, b, { value: e, kind: 'point', track, from: at, to: at, order, opening: null }, e.source);
  }
  return out;
}

/** Splits the evidence about one tuple into lives of it. */
function splitLives(group: Piece[], pieces: Pieces): Piece[][] {
  const tracks = groupBy(group, (p) => (p.kind === 'point' ? null : p.track));
  const most = [...tracks.values()].reduce((n, t) => Math.max(n, t.length), 0);
  if (most <= 1) return inClusters(group, pieces.timeline);
  const longest = [...tracks.values()].filter((t) => t.length === most);
  // a socket lives on after its last packet: what its probes say then belongs to it, and not to the next connection
  const backbone = longest.find((t) => t[0]!.kind === 'life') ?? longest[0]!;
  const parts: Piece[][] = backbone.map((p) => [p]);
  const numbered = new Map(parts.map((part) => [numbersOf(part[0]!), part]));
  numbered.delete(null);
  const strays: Piece[] = [];
  for (const [track, members] of groupBy(group, (p) => p.track)) {
    if (track === backbone[0]!.track) continue;
    for (const [i, piece] of members.entries()) {
      const counted = piece.kind !== 'point' && members.length === most && fits(piece, parts[i]);
      const target =
        numbered.get(numbersOf(piece)) ??
        byTime(piece, parts, pieces.timeline, isFragment(piece, group, pieces) ? Infinity : SLACK) ??
        (counted ? parts[i] : undefined);
      if (target) target.push(piece);
      else strays.push(piece);
    }
  }
  if (strays.length > 0) {
    reportAmbiguous(strays, parts.length, pieces);
    // lives and captures stand for themselves; table rows and drops go to the last life they may belong to
    for (const s of strays) {
      if (s.kind === 'point') parts.at(-1)!.push(s);
      else parts.push([s]);
    }
  }
  return parts;
}

/** Both numbers with which it began, the same from either end; null when one is not known. */
function numbersOf({ opening }: Piece): string | null {
  if (opening === null || opening.sent === null || opening.received === null) return null;
  const [one, two] = [opening.sent >>> 0, opening.received >>> 0];
  return one < two ? `${one} ${two}` : `${two} ${one}`;
}

function fits(piece: Piece, part: Piece[] | undefined): boolean {
  return part !== undefined && !part.some((p) => differ(p.opening, piece.opening));
}

/** Part of a socket's life without its birth, while a capture that missed nothing ran: it adds no connection to those. */
function isFragment({ kind, value, from, order }: Piece, group: Piece[], pieces: Pieces): boolean {
  if (kind !== 'life' || (value as SocketLife).role !== null || from === null) return false;
  return group.some(({ kind, order: [capture] }) => {
    const { window, clock } = pieces.sources[capture]!;
    if (kind !== 'wire' || !window || !pieces.timeline.comparable(capture, order[0])) return false;
    const at = (t: bigint) => pieces.timeline.at(capture, Number(t - clock.base) as SourceTime);
    const [opened, closed] = [at(window.from), at(window.to)];
    return opened !== null && closed !== null && opened <= from && from <= closed;
  });
}

/**
 * Every source saw the tuple once, but perhaps not the same life of it: a piece that begins a connection (a SYN, the
 * birth of a socket) after all others have ended opens a new one. Late segments without a SYN belong to the old one.
 */
function inClusters(group: Piece[], timeline: Timeline): Piece[][] {
  const timed = group.filter(isTimed).sort((a, b) => a.from! - b.from!);
  if (timed.length < 2 || !timed.every((p) => comparable(p, timed[0]!, timeline))) return [group];
  const clusters: Piece[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const piece of timed) {
    const open = clusters.at(-1);
    const other = open?.some((p) => differ(p.opening, piece.opening)) ?? true;
    if (other || (begins(piece) && piece.from! > end + SLACK)) clusters.push([]);
    clusters.at(-1)!.push(piece);
    end = Math.max(end, piece.to!);
  }
  for (const piece of group) if (!isTimed(piece)) clusters.at(-1)!.push(piece);
  return clusters;
}

function isTimed({ from, to }: Piece): boolean {
  return from !== null && to !== null;
}

function begins({ kind, value }: Piece): boolean {
  if (kind === 'wire') return (value as WireConnection).orientation !== 'guess';
  return kind === 'life' && (value as SocketLife).role !== null;
}

function comparable(a: Piece, b: Piece, timeline: Timeline): boolean {
  return timeline.comparable(a.order[0], b.order[0]);
}

/**
 * The part nearest in time whose numbers do not differ, when it lies within `slack`; undefined when times do not tell. Parts are in the order of
 * time, so that a tuple used 65,535 times costs a binary search, not a scan.
 */
function byTime(piece: Piece, parts: Piece[][], timeline: Timeline, slack: number): Piece[] | undefined {
  if (piece.from === null || piece.to === null) return undefined;
  if (!comparable(piece, parts[0]![0]!, timeline)) return undefined;
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle]![0]!.from ?? 0) <= piece.from) low = middle + 1;
    else high = middle;
  }
  const distance = (part: Piece[] | undefined) => {
    const { from, to } = part?.[0] ?? {};
    if (from == null || to == null || !fits(piece, part)) return Number.POSITIVE_INFINITY;
    return Math.max(0, from - piece.to!, piece.from! - to);
  };
  const [earlier, later] = [parts[low - 1], parts[low]];
  const best = distance(earlier) <= distance(later) ? earlier : later;
  const nearest = distance(best);
  return nearest <= slack && nearest < Number.POSITIVE_INFINITY ? best : undefined;
}

function reportAmbiguous(strays: Piece[], lives: number, { sources, diagnostics }: Pieces): void {
  const first = strays[0]!;
  const [source, place] = first.order;
  diagnostics.add({
    code: 'ambiguous-join',
    severity: 'info',
    source: sources[source]!.name,
    locator: `${first.kind === 'wire' ? 'frame' : 'line'} ${place}`,
    count: strays.length,
    message: `The 4-tuple was used ${lives} times and nothing says which life this belongs to; it was not joined with a capture or another log.`,
  });
}

function makeCase(id: string, parts: Piece[], listeners: readonly Listener[], { hostOf }: Pieces): Case {
  const wires = parts.filter((p) => p.kind === 'wire').map((p) => p.value as WireConnection);
  const lives = parts.filter((p) => p.kind === 'life').map((p) => p.value as SocketLife);
  const points = parts.filter((p) => p.kind === 'point').map((p) => p.value as PointEvent);
  const rows = points.filter((e): e is SocketEvent => e.kind === 'socket');
  const drops = points.filter((e): e is DropEvent => e.kind === 'drop');
  const calls = points.filter((e): e is CallEvent => e.kind === 'call');
  const kernel = points.filter((e): e is ProbedEvent => !BARE.has(e.kind));
  const host = lives.map((l) => hostOf.get(l.source)).find((h) => h !== undefined);
  wires.sort((a, b) => packets(b) - packets(a));
  return caseOf(id, wires, { lives, rows, drops, calls, kernel }, listeners, host);
}

/** Events that other tools give as well. */
const BARE: ReadonlySet<KernelEvent['kind']> = new Set(['socket', 'drop', 'call']);

export const NOTHING: KernelRecord = { lives: [], rows: [], drops: [], calls: [], kernel: [] };

export function caseOf(
  id: string,
  wires: WireConnection[],
  record: KernelRecord,
  listeners: readonly Listener[],
  host: Host | undefined,
): Case {
  const { lives, rows, drops, calls, kernel } = record;
  const [client, server] = orient(wires, record, listeners);
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
    netns: null,
    wires: oriented,
    lives: pair,
    drops,
    calls,
    rows,
    kernel,
    listener,
  };
}

function packets(w: WireConnection): number {
  return w.packets[CLIENT] + w.packets[SERVER];
}

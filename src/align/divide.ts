/**
 * The pieces of one 4-tuple divided into its connections: by the numbers they began with, by time where the clocks allow
 * it, by order where every source saw it equally often. What is left is left apart and named as ambiguous.
 */
import { sameEndpoint } from '../model/address.ts';
import type { Timeline } from '../model/case.ts';
import type { SocketLife, WireConnection } from '../model/connection.ts';
import type { SourceTime } from '../model/time.ts';
import { differ } from './opening.ts';
import type { Piece, Pieces } from './pieces.ts';
import { groupBy } from './tuple.ts';

/** Evidence of one life may miss the other's ends by this much: clocks are fitted, final ACKs come late. Ns. */
const SLACK = 1e9;
/** A table has one time, and a busy host takes seconds to list it: a handshake that it shows may begin so much later. Ns. */
const LISTING = 5e9;

/** Each with the pieces that tell of it. */
export function connectionsOf(group: Piece[], pieces: Pieces): Piece[][] {
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
    const apart = strays.filter((s) => s.kind !== 'point');
    parts.push(...(apart.every(isTimed) ? inClusters(apart, pieces.timeline) : apart.map((s) => [s])));
    parts[backbone.length - 1]!.push(...strays.filter((s) => s.kind === 'point'));
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
  return part !== undefined && !part.some((p) => differ(p.opening, piece.opening) || areElsewhere(p, piece));
}

/** Lives of one track come one after the other. */
function follows(a: Piece, b: Piece): boolean {
  return a.kind !== 'point' && a.track === b.track;
}

/** One end in two namespaces: two networks that use the same addresses. */
function areElsewhere(a: Piece, b: Piece): boolean {
  if (a.kind !== 'life' || b.kind !== 'life' || a.netns === null || b.netns === null || a.netns === b.netns)
    return false;
  return sameEndpoint((a.value as SocketLife).local, (b.value as SocketLife).local);
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
  if (group.length === 0) return [];
  const timed = group.filter(isTimed).sort((a, b) => a.from! - b.from!);
  if (timed.length < 2 || !timed.every((p) => comparable(p, timed[0]!, timeline))) return [group];
  const clusters: Piece[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const piece of timed) {
    const later = begins(piece) && piece.from! > end + SLACK;
    const open = later
      ? undefined
      : clusters.findLast((cluster) => fits(piece, cluster) && !cluster.some((p) => follows(piece, p)));
    if (open) open.push(piece);
    else clusters.push([piece]);
    end = Math.max(end, piece.to! + (isHandshakeInTable(piece) ? LISTING - SLACK : 0));
  }
  for (const piece of group) if (!isTimed(piece)) clusters.at(-1)!.push(piece);
  return clusters;
}

function isHandshakeInTable({ value }: Piece): boolean {
  return (
    'state' in value && (value.state === 'SYN_RECV' || value.state === 'SYN_SENT') && !('flags' in value)
  );
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

/**
 * Clocks of two captures that saw the same packets. A packet is seen at the nearer place first, so each direction
 * bounds the offset from one side (as in NTP), and which direction bounds it from above tells which capture stands
 * nearer to the client. Packets are matched by numbers and timestamps, which a NAT leaves alone.
 */
import type { ClockFit } from '../model/case.ts';
import { CLIENT, type KeyPacket, type WireConnection } from '../model/connection.ts';
import { OPT_TIMESTAMP } from '../model/packet.ts';
import type { Source } from '../model/source.ts';
import { RST } from '../model/tcp.ts';
import { NO_FIT } from './fits.ts';
import { formatSpan } from './format-time.ts';
import { tupleKey } from './tuple.ts';

/** Connections that are compared for one pair of captures; more do not make the bounds much narrower. */
const ENOUGH = 1000;

export interface Bounds {
  /** What the second clock is ahead of the first, ns: between these two. */
  least: number;
  most: number;
  packets: number;
  /** The first capture stands nearer to the clients; null when both ends were clients of the other. */
  firstNearClient: boolean | null;
}

/** Bounds of the offset of `b`'s clock against `a`'s; null when they share too little. Times in ns from each base. */
export function boundOffset(a: readonly WireConnection[], b: readonly WireConnection[]): Bounds | null {
  const there: number[] = [];
  const back: number[] = [];
  for (const [one, two] of sharedBy(a, b)) {
    const seen = momentsOf(two);
    for (const [key, p] of momentsOf(one)) {
      const other = p && seen.get(key);
      if (other) (p.side === CLIENT ? there : back).push(other.time - p.time);
    }
  }
  if (there.length === 0 || back.length === 0) return null;
  const [low, high] = [least(there), least(back)];
  const firstNearClient = low > high;
  const [later, earlier] = firstNearClient ? [there, back] : [back, there];
  const [from, to] = [-least(earlier.map((n) => -n)), least(later)];
  const packets = there.length + back.length;
  // bounds that cross: the middle is as good as can be had
  if (from > to) return { least: to, most: from, packets, firstNearClient: null };
  return { least: from, most: to, packets, firstNearClient };
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => (b < a ? b : a), Number.POSITIVE_INFINITY);
}

/** Connections that stand once in each of the two, by 4-tuple, else by both initial sequence numbers. */
function sharedBy(
  a: readonly WireConnection[],
  b: readonly WireConnection[],
): [WireConnection, WireConnection][] {
  const known = new Map<string, WireConnection | null>();
  for (const w of a) for (const key of keysOf(w)) known.set(key, known.has(key) ? null : w);
  const pairs = new Map<WireConnection, WireConnection | null>();
  for (const w of b) {
    const found = keysOf(w)
      .map((key) => known.get(key))
      .find((o) => o != null);
    if (found) pairs.set(found, pairs.has(found) ? null : w);
    if (pairs.size >= ENOUGH) break;
  }
  return [...pairs].filter((pair): pair is [WireConnection, WireConnection] => pair[1] !== null);
}

function keysOf(w: WireConnection): string[] {
  const tuple = tupleKey(w.client, w.server, null);
  const isns = numbersOf(w);
  return isns === null ? [tuple] : [`${tuple} ${isns}`, isns];
}

/** Both initial sequence numbers: 64 bits that no address translation changes. null when one was not seen. */
export function numbersOf({ isn: [client, server] }: Pick<WireConnection, 'isn'>): string | null {
  return client === null || server === null ? null : `isn ${client} ${server}`;
}

/** Segments that tell a moment; null: seen again alike, as every FIN that an orphan repeats gets the same RST. */
function momentsOf({ keyPackets }: WireConnection): Map<string, KeyPacket | null> {
  const moments = new Map<string, KeyPacket | null>();
  for (const p of keyPackets) {
    // a RST that no socket sent has neither: of several not all may have been kept
    if (p.flags & RST && p.ipId === 0 && !(p.options & OPT_TIMESTAMP)) continue;
    const key = identity(p);
    moments.set(key, moments.has(key) ? null : p);
  }
  return moments;
}

function identity(p: KeyPacket): string {
  const stamp = p.options & OPT_TIMESTAMP ? `${p.tsVal} ${p.tsEcr}` : `id ${p.ipId}`;
  return `${p.side} ${p.flags} ${p.seq} ${p.ack} ${p.payload} ${stamp}`;
}

/** What the user is told of the two clocks; `shifted`: the second was corrected. */
export function compared(a: Source, b: Source, bounds: Bounds, base: number, shifted: boolean): ClockFit {
  const ahead = (bounds.least + bounds.most) / 2 + base;
  const error = (bounds.most - bounds.least) / 2;
  const verdict = shifted
    ? `the clock of ${b.name} is ${formatSpan(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} that of ${a.name}, and was corrected`
    : `the clocks of ${a.name} and ${b.name} agree as far as that tells`;
  return {
    ...NO_FIT,
    source: b.name,
    reference: a.name,
    method: 'estimated',
    offset: shifted ? -Math.round(ahead) : 0,
    residual: error,
    worst: error,
    pairs: bounds.packets,
    message: `${bounds.packets} packets are in both captures: ${verdict}, within ${formatSpan(error)}.${places(a, b, bounds)}`,
  };
}

function places(a: Source, b: Source, { firstNearClient }: Bounds): string {
  if (firstNearClient === null) return '';
  const [near, far] = firstNearClient ? [a, b] : [b, a];
  return ` ${near.name} was taken nearer to the clients, ${far.name} nearer to the servers.`;
}

/** What is said about which packet, and which events stand alone. */
import { rules } from '../explain/rules/index.ts';
import { formatEndpoint, parseWords } from '../model/address.ts';
import {
  CONFIDENCE_ORDER,
  type Confidence,
  type Evidence,
  type Finding,
  type Group,
} from '../model/finding.ts';
import { visible } from '../model/visible.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import type { Result, TimelineItem } from '../tables/result.ts';
import { type Focus, focusOf } from '../view/focus.ts';
import { placeOf } from '../view/ladder.ts';
import type { EventEnd } from './event.ts';

interface LoneEvent {
  /** Nanoseconds of the Unix epoch. */
  time: bigint;
  text: string;
  /** From where it happened to the other end. */
  ends: [EventEnd, EventEnd] | null;
}

export interface Annotations {
  /** Comments by `frameKey`. */
  frames: Map<string, string[]>;
  events: LoneEvent[];
}

/** An event is next to a packet of its connection when it is no farther from it than this, in nanoseconds. */
const NEXT_TO = 1_000_000n;

export function frameKey(source: string, locator: string): string {
  return `${source}\0${locator}`;
}

/** Of findings above info, and of the events around them. */
export function annotationsOf(result: Result): Annotations {
  const focus = focusOf(result);
  const annotations: Annotations = { frames: new Map(), events: [] };
  const packets = packetsOf(result);
  for (const f of result.findings)
    if (f.connection !== '' && f.severity !== 'info') addFinding(f, focus, packets, annotations);
  addEvents(focus, packets, annotations);
  return annotations;
}

/** Of what a packet said before, what stays: all but what something surer is said about now. */
export function stays(before: string, now: readonly string[]): boolean {
  const old = claimOf(before);
  return !old || !now.map(claimOf).some((claim) => claim?.group === old.group && claim.rank < old.rank);
}

/** Of what is found now, what is said: not what the packet says already, as surely or surer. */
export function isNew(comment: string, before: readonly string[]): boolean {
  if (before.includes(comment)) return false;
  const claim = claimOf(comment);
  return !before.map(claimOf).some((old) => {
    if (!claim || old?.group !== claim.group) return false;
    return old.rank < claim.rank || (old.rank === claim.rank && old.rule === claim.rule);
  });
}

interface Claim {
  rule: string;
  group: Group;
  /** 0: the surest. */
  rank: number;
}

const GROUPS = new Map<string, Group>(rules.map(({ id, group }) => [id, group]));

/** Of a comment of ours on a finding: its words differ with the inputs. */
function claimOf(text: string): Claim | null {
  const [, rule = '', confidence] =
    /^tcpautopsy: (?:error|warning) c\d+ .*? \(([\w-]+), (\w+)\): /.exec(text) ?? [];
  const group = GROUPS.get(rule);
  return group ? { rule, group, rank: CONFIDENCE_ORDER.indexOf(confidence as Confidence) } : null;
}

interface PacketAt {
  time: bigint | null;
  key: string;
}

function packetsOf({ timeline }: Result): Map<string, PacketAt[]> {
  const packets = new Map<string, PacketAt[]>();
  for (const item of timeline) {
    if (item.kind !== 'packet') continue;
    const packet = { time: nanoseconds(item), key: frameKey(item.source, item.locator) };
    const list = packets.get(item.connection);
    if (list) list.push(packet);
    else packets.set(item.connection, [packet]);
  }
  return packets;
}

/** Time of the Unix epoch; for a local time of day, that of the first day of 1970; null without a time. */
function nanoseconds({ time, clock, at }: TimelineItem): bigint | null {
  if (at === null || (clock !== 'utc' && clock !== 'wall')) return null;
  const match = /^(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?/.exec(time);
  if (!match) return null;
  const [, date = '1970-01-01', clockTime, fraction = ''] = match;
  return BigInt(Date.parse(`${date}T${clockTime}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function add({ frames }: Annotations, key: string, comment: string): void {
  const list = frames.get(key);
  if (!list) frames.set(key, [comment]);
  else if (!list.includes(comment)) list.push(comment);
}

/** On every packet that is evidence for it; for want of one on the last packet of its connection. */
function addFinding(
  f: Finding,
  { title, result }: Focus,
  packets: ReadonlyMap<string, PacketAt[]>,
  annotations: Annotations,
): void {
  const head = `${f.severity} ${f.connection} ${title(f.rule)} (${f.rule}, ${f.confidence}): ${f.summary}`;
  const own = packets.get(f.connection) ?? [];
  const keys = new Set(own.map((p) => p.key));
  const cited = f.evidence.flatMap((e) => {
    const key = frameKey(nameOf(result, e), e.at);
    return keys.has(key) ? [{ key, fact: e.fact }] : [];
  });
  for (const { key, fact } of cited) {
    add(annotations, key, visible(`tcpautopsy: ${head} Evidence: ${fact}${remedy(f)}`));
  }
  const last = own.at(-1);
  if (cited.length > 0 || !last) return;
  const elsewhere = f.evidence.map((e) => `${e.fact} [${placeOf(e, result)}]`).join('; ');
  add(annotations, last.key, visible(`tcpautopsy: ${head} Evidence: ${elsewhere}${remedy(f)}`));
}

function nameOf({ inputs }: Result, { source }: Evidence): string {
  return source === null ? '' : inputs[source - 1]!.name;
}

function remedy(f: Finding): string {
  return f.remedy ? ` Fix: ${f.remedy}` : '';
}

/** In the order of the timeline; an event without a time stands at that of what precedes it, and says so. */
function addEvents(
  { result, rows }: Focus,
  packets: ReadonlyMap<string, PacketAt[]>,
  annotations: Annotations,
): void {
  let last = result.timeline.map(nanoseconds).find((t) => t !== null) ?? 0n;
  for (const item of result.timeline) {
    const known = nanoseconds(item);
    const time = known ?? last;
    last = time;
    if (item.kind === 'packet') continue;
    const row = rows.get(item.connection);
    const text = visible(
      `tcpautopsy: ${eventText(item, row)}${known === null ? ' (its time is not known)' : ''}`,
    );
    const near = known === null ? null : nearest(packets.get(item.connection) ?? [], known);
    if (near) add(annotations, near, text);
    else annotations.events.push({ time, text, ends: row ? endsOf(row, item.side) : null });
  }
}

function nearest(packets: readonly PacketAt[], time: bigint): string | null {
  let best: PacketAt | null = null;
  let least = NEXT_TO + 1n;
  for (const packet of packets) {
    if (packet.time === null) continue;
    const apart = packet.time > time ? packet.time - time : time - packet.time;
    if (apart < least) [best, least] = [packet, apart];
  }
  return best?.key ?? null;
}

function eventText(item: TimelineItem, row: ConnectionRow | undefined): string {
  const end = row && item.side !== '' ? ` ${item.side} ${formatEndpoint(row[item.side])}` : '';
  const process = item.comm === '' ? '' : `, ${item.comm}${item.pid === null ? '' : `[${item.pid}]`}`;
  const place = [item.source, item.locator].filter(Boolean).join(', ');
  const kind = item.what.startsWith(item.kind) ? '' : `${item.kind}: `;
  return `${item.connection}${end} ${kind}${item.what}${process} [${place}]`.trimStart();
}

function endsOf(row: ConnectionRow, side: TimelineItem['side']): [EventEnd, EventEnd] {
  const end = ({ address, port }: ConnectionRow['client']) => ({ words: parseWords(address), port });
  const [client, server] = [end(row.client), end(row.server)];
  return side === 'server' ? [server, client] : [client, server];
}

/** What connections.csv says, from cases and their verdicts. */

import { ruleById } from '../explain/rules/index.ts';
import { sawReset } from '../explain/story.ts';
import type { Verdicts } from '../explain/verdicts.ts';
import type { Case, Context, Timeline } from '../model/case.ts';
import { processOf } from '../model/case-process.ts';
import {
  CLIENT,
  type Pair,
  SERVER,
  SIDES,
  type Side,
  type SocketLife,
  type WireConnection,
} from '../model/connection.ts';
import { placeOf } from '../model/container.ts';
import type { Confidence, Finding, Group } from '../model/finding.ts';
import type { CloseKind, Ending } from '../model/result.ts';
import type { ClockLabel } from '../model/time.ts';
import { eventMomentsOf, momentsOf } from './moments.ts';

type Named = Record<Group, string>;
type Close = Pick<Finding, 'rule' | 'side'>;

interface EndingFacts extends Ending {
  /** '' without a FIN, and where both sent theirs at once. */
  firstFinBy: Side | '';
}

export function endingOf(c: Case, verdicts: Named, close: Close | undefined): EndingFacts {
  const resetBy = resetByOf(c, close);
  const firstFinBy = firstFinByOf(c);
  return {
    closeKind: closeKind(c, verdicts),
    closedBy: closedBy(c, firstFinBy, resetBy, close),
    firstFinBy,
    resetBy,
  };
}

/** The finding that is the verdict of its end. */
export function closeOf(n: number, all: Verdicts): Finding | undefined {
  const { close } = all.of(n);
  return close === '' ? undefined : all.all(n).find((e) => e.rule.id === close)?.finding;
}

/** What is known of a connection, by its place among all: from it the columns of connections.csv are derived. */
export class ConnectionFacts {
  readonly of: Case;
  readonly context: Context;
  readonly verdicts: Named;
  readonly wire: WireConnection | undefined;
  /** Of each side; null without packets. */
  readonly packets: Pair<number | null>;
  readonly bytes: Pair<number | null>;
  readonly retransmits: Pair<number | null>;
  readonly ending: EndingFacts;
  /** '' where it is not closed. */
  readonly closeConfidence: Confidence | '';
  /** Numbers of the sources that show it, each once, ascending. */
  readonly sources: readonly number[];
  /** Names of the hosts of these, space separated. */
  readonly host: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly clock: ClockLabel;
  /** Nanoseconds since 1970, all digits; '' without UTC. */
  readonly startEpochNs: string;
  readonly durationS: number | null;
  readonly handshakeS: number | null;
  readonly client: ReturnType<typeof processOf>;
  readonly server: ReturnType<typeof processOf>;
  readonly clientPlace: ReturnType<typeof placeOf>;
  readonly serverPlace: ReturnType<typeof placeOf>;

  constructor(n: number, all: Verdicts, context: Context) {
    const c = context.cases.at(n);
    const close = closeOf(n, all);
    const span = spanOf(c, context);
    this.of = c;
    this.context = context;
    this.verdicts = all.of(n);
    const [wire] = c.wires;
    this.wire = wire;
    // a view reads its record each time it is asked
    this.packets = wire?.packets ?? NO_COUNTS;
    this.bytes = wire?.bytes ?? NO_COUNTS;
    this.retransmits = wire?.retransmits ?? NO_COUNTS;
    this.ending = endingOf(c, this.verdicts, close);
    this.closeConfidence = close?.confidence ?? all.normal(n) ?? '';
    this.sources = sourcesOf(c);
    this.host = hostOf(this.sources, context);
    this.startTime = span.start;
    this.endTime = span.end;
    this.clock = span.clock;
    this.startEpochNs = context.timeline.epochNs(span.first, span.clock);
    this.durationS = span.duration;
    this.handshakeS = seconds(handshake(c));
    this.client = processOf(c, CLIENT);
    this.server = processOf(c, SERVER);
    this.clientPlace = placeOf(c, CLIENT, context.sources);
    this.serverPlace = placeOf(c, SERVER, context.sources);
  }
}

const NO_COUNTS: Pair<null> = [null, null];

/** From the first SYN to the ACK that completes the handshake, as one capture saw them; else as the client's socket did. */
function handshake({ wires, lives }: Case): number | null {
  for (const wire of wires) {
    if (wire.syns[CLIENT] === 0 || wire.synAcks[SERVER] === 0) continue;
    const took = wire.handshake[CLIENT];
    if (took !== null && took >= 0) return took;
  }
  const opened = lives[CLIENT]?.transitions.find((t) => t.from === 'SYN_SENT' && t.to === 'ESTABLISHED');
  return opened?.duration ?? null;
}

/** sk_rst_reason of the first RST that the kernel sent for it, by its name. */
export function kernelResetReason({ kernel }: Case): string {
  for (const e of kernel) if (e.kind === 'reset-sent' && e.reason !== null) return e.reason;
  return '';
}

export function seconds(ns: number | null): number | null {
  return ns === null ? null : ns / 1e9;
}

function sourcesOf({ wires, lives, drops, calls, rows, kernel }: Case): number[] {
  const ids: number[] = [];
  for (const life of lives) if (life && !ids.includes(life.source)) ids.push(life.source);
  addSources(wires, ids);
  if (drops.length + calls.length + rows.length + kernel.length > 0)
    for (const list of [drops, calls, rows, kernel]) addSources(list, ids);
  return ids.length < 2 ? ids : ids.sort((a, b) => a - b);
}

function addSources(list: readonly { source: number }[], ids: number[]): void {
  for (const { source } of list) if (!ids.includes(source)) ids.push(source);
}

let latestHosts = { sources: '', context: null as Context | null, names: '' };

/** Names of the hosts of some sources: the same ones again and again. */
function hostOf(sources: readonly number[], context: Context): string {
  const key = sources.join();
  if (latestHosts.sources !== key || latestHosts.context !== context)
    latestHosts = { sources: key, context, names: hostsOf(sources, context) };
  return latestHosts.names;
}

function hostsOf(sources: readonly number[], { hosts }: Context): string {
  const own = hosts.filter((h) => h.sources.some((s) => sources.includes(s.id)));
  return own.map((h) => h.name).join(' ');
}

function spanOf(c: Case, context: Context) {
  const { timeline } = context;
  const [wire] = c.wires;
  if (wire && c.wires.length === 1 && !c.lives[0] && !c.lives[1]) return spanOfWire(wire, timeline);
  const whole = momentsOf(c, context);
  // nothing but drops, calls, rows or probes tells of it
  const times = whole.length > 0 ? whole : eventMomentsOf(c, context);
  if (times.length === 0)
    return { first: null, start: '', end: '', clock: 'order' as const, duration: lifeDuration(c) };
  const first = times.reduce((a, b) => (b.at < a.at ? b : a));
  const last = times.reduce((a, b) => (b.at > a.at ? b : a));
  const clock = timeline.label(first.source);
  return {
    first: first.at,
    start: timeline.format(first.at, clock),
    end: timeline.format(last.at, clock),
    clock,
    duration: (last.at - first.at) / 1e9,
  };
}

function spanOfWire({ source, start, end }: WireConnection, timeline: Timeline) {
  const first = timeline.at(source, start);
  const last = timeline.at(source, end);
  if (first === null || last === null)
    return { first, start: '', end: '', clock: 'order' as const, duration: null };
  const clock = timeline.label(source);
  const duration = (last - first) / 1e9;
  return { first, start: timeline.format(first, clock), end: timeline.format(last, clock), clock, duration };
}

/** Without times a life still has the durations its tool printed. */
function lifeDuration(c: Case): number | null {
  const spans = c.lives.map((l) => l?.transitions.at(-1)?.sinceBirth ?? null).filter((n) => n !== null);
  return spans.length === 0 ? null : Math.max(...spans) / 1e9;
}

/** A step to CLOSE that nothing explains, and no RST anywhere: reset or given up, the states do not say which. */
function isUndecided(c: Case, closeRule: string): boolean {
  return closeRule === 'unexplained-reset' && !sawReset(c);
}

function closeKind(c: Case, verdicts: Named): CloseKind {
  if (isUndecided(c, verdicts.close)) return 'unknown';
  const byRule = ruleById(verdicts.close)?.closes;
  if (byRule) return byRule;
  const wire = c.wires[0];
  if (wire) return closeKindOfWire(wire);
  const ends = c.lives.filter((l): l is SocketLife => l !== null);
  if (ends.length === 0)
    return ruleById(verdicts.syn)?.closes === 'unanswered'
      ? 'unanswered'
      : c.rows.length > 0
        ? 'open'
        : 'unknown';
  const closed = ends.filter((l) => l.state === 'CLOSE');
  if (closed.length === 0) return 'open';
  const from = closed.map((l) => l.transitions.at(-1)!.from);
  return from.some((s) => s === 'LAST_ACK' || s === 'CLOSING') ? 'fin' : 'unknown';
}

function closeKindOfWire(w: WireConnection): CloseKind {
  // a SYN, or one whose SYN-ACK the client never took: no connection came of it
  const onlySyns = w.syns[CLIENT] > 0 && w.packets[CLIENT] === w.syns[CLIENT];
  if (onlySyns && w.rsts[SERVER] === 0) return 'unanswered';
  if (w.rsts[SERVER] > 0 && w.synAcks[SERVER] === 0 && w.syns[CLIENT] > 0 && w.bytes[SERVER] === 0)
    return 'refused';
  const bothFins = w.finAckedTime[CLIENT] !== null && w.finAckedTime[SERVER] !== null;
  if (w.rsts[CLIENT] + w.rsts[SERVER] > 0 && !bothFins) return 'rst';
  return w.fins[CLIENT] > 0 && w.fins[SERVER] > 0 ? 'fin' : 'open';
}

function firstFinByOf(c: Case): Side | '' {
  // of one direction alone: whether the other FIN came before is not in the file
  const [wire] = c.wires;
  const first = wire && wire.packets[CLIENT] > 0 && wire.packets[SERVER] > 0 ? wire.firstFin : null;
  if (first !== null) return first === 'both' ? '' : SIDES[first]!;
  for (const side of [CLIENT, SERVER] as const) {
    const life = c.lives[side];
    if (life && closedFirst(life)) return SIDES[side]!;
    if (life?.transitions.some((t) => t.to === 'CLOSE_WAIT')) return SIDES[1 - side]!;
  }
  return '';
}

function resetByOf(c: Case, close: Close | undefined): Ending['resetBy'] {
  if (close?.rule === 'middlebox-reset') return 'middle';
  const wire = c.wires[0];
  if (wire && wire.rsts[0] + wire.rsts[1] > 0) {
    const [client, server] = wire.rstTime;
    if (client !== null) return server === null || client <= server ? 'client' : 'server';
    if (server !== null) return 'server';
  }
  if (!close || isUndecided(c, close.rule)) return '';
  const kind = ruleById(close.rule)?.closes;
  if (kind !== 'rst' && kind !== 'refused') return '';
  return close.side === 'path' ? 'middle' : close.side;
}

function closedBy(
  c: Case,
  firstFin: Side | '',
  reset: Ending['resetBy'],
  close: Close | undefined,
): Ending['closedBy'] {
  if (c.wires[0]?.firstFin === 'both' || c.lives.every((l) => l && closedFirst(l))) return 'both';
  if (firstFin !== '') return firstFin;
  if (reset === 'client' || reset === 'server') return reset;
  return close?.rule === 'retransmission-timeout' && close.side !== 'path' ? close.side : 'none';
}

function closedFirst(life: SocketLife): boolean {
  return life.transitions.some((t) => t.to === 'FIN_WAIT1');
}

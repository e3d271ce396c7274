/** Rows of connections.csv from cases and their verdicts. */

import { stackOf } from '../align/stacks.ts';
import { ruleById } from '../explain/rules/index.ts';
import type { Verdicts } from '../explain/verdicts.ts';
import type { Case, Context, Timeline } from '../model/case.ts';
import { processOf } from '../model/case-process.ts';
import {
  CLIENT,
  finWait2Wire,
  SERVER,
  SIDES,
  type Side,
  type SocketLife,
  type WireConnection,
} from '../model/connection.ts';
import { placeOf } from '../model/container.ts';
import type { Finding, Group } from '../model/finding.ts';
import type { CloseKind, ConnectionRow } from '../model/result.ts';
import { eventMomentsOf, momentsOf } from './moments.ts';

type Named = Record<Group, string>;
type Close = Pick<Finding, 'rule' | 'side'>;

/** How a connection ended, and who ended it. */
export function endingOf(
  c: Case,
  verdicts: Named,
  close: Close | undefined,
): Pick<ConnectionRow, 'closeKind' | 'closedBy' | 'firstFinBy' | 'resetBy'> {
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

/** The row of a connection, by its place among all. */
export function connectionRow(n: number, all: Verdicts, context: Context): ConnectionRow {
  const c = context.cases.at(n);
  const verdicts = all.of(n);
  const wire = c.wires[0];
  const span = spanOf(c, context);
  const close = closeOf(n, all);
  const ending = endingOf(c, verdicts, close);
  const sources = sourcesOf(c);
  const client = processOf(c, CLIENT);
  const server = processOf(c, SERVER);
  const clientPlace = placeOf(c, CLIENT, context.sources);
  const serverPlace = placeOf(c, SERVER, context.sources);
  const packets = wire?.packets ?? NO_COUNTS;
  const bytes = wire?.bytes ?? NO_COUNTS;
  const retransmits = wire?.retransmits ?? NO_COUNTS;
  return {
    id: c.id,
    host: hostOf(sources, context),
    netns: c.netns[SERVER] ?? c.netns[CLIENT] ?? '',
    client: c.client,
    server: c.server,
    startTime: span.start,
    endTime: span.end,
    clock: span.clock,
    startEpochNs: context.timeline.epochNs(span.first, span.clock),
    durationS: span.duration,
    handshakeS: seconds(handshake(c)),
    closeKind: ending.closeKind,
    closedBy: ending.closedBy,
    firstFinBy: ending.firstFinBy,
    resetBy: ending.resetBy,
    kernelResetReason: kernelResetReason(c),
    closeRule: verdicts.close,
    closeConfidence: close?.confidence ?? all.normal(n) ?? '',
    synRule: verdicts.syn,
    finWait2Rule: verdicts['fin-wait2'],
    stuckRule: verdicts.stuck,
    connState: wire?.connState ?? '',
    history: wire?.history ?? '',
    completeness: wire?.completeness ?? null,
    clientPackets: packets[CLIENT],
    serverPackets: packets[SERVER],
    clientBytes: bytes[CLIENT],
    serverBytes: bytes[SERVER],
    clientSyns: wire?.syns[CLIENT] ?? null,
    serverSynAcks: wire?.synAcks[SERVER] ?? null,
    clientRetransmits: retransmits[CLIENT],
    serverRetransmits: retransmits[SERVER],
    finWait2WireS: seconds(wire ? finWait2Wire(wire) : null),
    finWait2KernelS: seconds(finWait2Kernel(c)),
    clientPid: client?.pid ?? null,
    clientComm: client?.comm ?? '',
    clientContainer: clientPlace?.container ?? client?.container ?? '',
    clientPod: clientPlace?.pod ?? client?.pod ?? '',
    serverPid: server?.pid ?? null,
    serverComm: server?.comm ?? '',
    serverContainer: serverPlace?.container ?? server?.container ?? '',
    serverPod: serverPlace?.pod ?? server?.pod ?? '',
    clientStack: stackOf(c, CLIENT, context),
    serverStack: stackOf(c, SERVER, context),
    encapsulation: wire?.encapsulation ?? '',
    sources: sources.map((id) => context.sources[id]!.name),
  };
}

/** Without packets. */
const NO_COUNTS = [null, null] as const;

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

function kernelResetReason({ kernel }: Case): string {
  for (const e of kernel) if (e.kind === 'reset-sent' && e.reason !== null) return e.reason;
  return '';
}

function seconds(ns: number | null): number | null {
  return ns === null ? null : ns / 1e9;
}

/** Numbers of the sources that show it, each once, ascending. */
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

/** A step to CLOSE that nothing explains, and no RST on any wire: reset or given up, the states do not say which. */
function isUndecided(c: Case, closeRule: string): boolean {
  return closeRule === 'unexplained-reset' && c.wires.every((w) => w.rsts[CLIENT] + w.rsts[SERVER] === 0);
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
  const first = c.wires[0]?.firstFin ?? null;
  if (first !== null) return first === 'both' ? '' : SIDES[first]!;
  for (const side of [CLIENT, SERVER] as const) {
    const life = c.lives[side];
    if (life && closedFirst(life)) return SIDES[side]!;
    if (life?.transitions.some((t) => t.to === 'CLOSE_WAIT')) return SIDES[1 - side]!;
  }
  return '';
}

function resetByOf(c: Case, close: Close | undefined): ConnectionRow['resetBy'] {
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
  reset: ConnectionRow['resetBy'],
  close: Close | undefined,
): ConnectionRow['closedBy'] {
  if (c.wires[0]?.firstFin === 'both' || c.lives.every((l) => l && closedFirst(l))) return 'both';
  if (firstFin !== '') return firstFin;
  if (reset === 'client' || reset === 'server') return reset;
  return close?.rule === 'retransmission-timeout' && close.side !== 'path' ? close.side : 'none';
}

function closedFirst(life: SocketLife): boolean {
  return life.transitions.some((t) => t.to === 'FIN_WAIT1');
}

/** Nanoseconds the full socket spent in FIN_WAIT2 (the minisock that may follow is invisible to state events). */
export function finWait2Kernel(c: Case): number | null {
  let total: number | null = null;
  for (const life of c.lives) {
    for (const t of life?.transitions ?? []) {
      if (t.from === 'FIN_WAIT2' && t.duration !== null) total = (total ?? 0) + t.duration;
    }
  }
  return total;
}

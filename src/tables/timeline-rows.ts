/** Rows of timeline.csv: everything joined about the connections of interest, in one order. */

import { formatSpan } from '../align/format-time.ts';
import { listenersAt } from '../align/orient.ts';
import { formatEndpoint, sameEndpoint } from '../model/address.ts';
import type { Case, Context } from '../model/case.ts';
import {
  CLIENT,
  type KeyPacket,
  SERVER,
  SIDES,
  type SideIndex,
  type SocketLife,
} from '../model/connection.ts';
import type { CallEvent, DropEvent, IcmpEvent, ProbedEvent } from '../model/event.ts';
import { getOr } from '../model/get-or.ts';
import { icmpFact } from '../model/icmp.ts';
import { eventPlace, packetPlace } from '../model/source.ts';
import type { SocketEvent } from '../model/table-event.ts';
import { flagNames } from '../model/tcp.ts';
import type { SourceTime } from '../model/time.ts';
import type { Aggregate } from './aggregate.ts';
import { valuesText } from './probe-values.ts';
import type { TimelineItem, TimelineKind } from './result.ts';
import { type Base, type Draft, draft, inOrder } from './timeline-order.ts';

/** Counters worth a row in the timeline. */
const PRESSURE = [
  'ListenOverflows',
  'ListenDrops',
  'TCPReqQFullDrop',
  'TCPReqQFullDoCookies',
  'SyncookiesSent',
  'conntrack_drop',
  'conntrack_early_drop',
  'conntrack_insert_failed',
  'conntrack_invalid',
];

/** Drops that name no connection: the first of them. */
const DROPS = 1000;

export function timelineOf(
  cases: readonly Case[],
  context: Context,
  aggregates: readonly Aggregate[] = [],
): TimelineItem[] {
  const drafts: Draft[] = [];
  for (const c of cases) {
    for (const w of c.wires) for (const p of w.keyPackets) drafts.push(packetItem(p, c, context));
    for (const life of c.lives)
      for (const item of life ? stateItems(life, c, context) : []) drafts.push(item);
    for (const d of c.drops) drafts.push(dropItem(d, c, context));
    for (const e of c.icmp) drafts.push(icmpItem(e, c, context));
    for (const e of c.calls) drafts.push(callItem(e, c, context));
    for (const r of c.rows) drafts.push(socketItem(r, c, context));
    for (const e of c.kernel) drafts.push(probedItem(e, c, context));
  }
  for (const item of surroundings(cases, context)) drafts.push(item);
  for (const a of aggregates) {
    const base = { at: a.at, from: a.from, line: 0, locator: '' };
    drafts.push(draft('aggregate', base, null, context, { what: a.what }));
  }
  return inOrder(drafts).map(({ item }, i) => {
    item.number = i + 1;
    return item;
  });
}

function sideName(side: SideIndex): 'client' | 'server' {
  return SIDES[side]!;
}

/** Names of flags as a segment has them, by how a sentence has them: few texts for all rows. */
const SPACED = new Map<string, string>();

function packetItem(p: KeyPacket, c: Case, context: Context): Draft {
  const at = context.timeline.at(p.source, p.time);
  const source = context.sources[p.source]!;
  const locator = packetPlace(source, p.frame);
  const window = source.windowless ? null : p.window;
  const shown = window === null ? '' : `, win ${window}`;
  const payload = p.payload > 0 ? `, ${p.payload} bytes` : '';
  const flags = flagNames(p.flags);
  const what = `${flags}${payload}, seq ${p.seq >>> 0}, ack ${p.ack >>> 0}${shown}`;
  return draft('packet', { at, from: p.source, line: p.frame, locator }, c, context, {
    side: sideName(p.side),
    what,
    segment: {
      flags: getOr(SPACED, flags, () => flags.replaceAll('|', ' ')),
      seq: p.seq >>> 0,
      ack: p.ack >>> 0,
      window,
      length: p.payload,
    },
  });
}

function stateItems(life: SocketLife, c: Case, context: Context): Draft[] {
  const side = sameEndpoint(life.local, c.client) ? CLIENT : SERVER;
  return life.transitions.map((t, i) =>
    draft(
      'state',
      {
        at: context.timeline.ofTransition(life, i),
        from: life.source,
        line: t.line,
        locator: `line ${t.line}`,
      },
      c,
      context,
      {
        side: sideName(side),
        what: `${t.from} -> ${t.to}${t.reordered ? ' (line was out of order)' : ''}`,
        stateBefore: t.from,
        stateAfter: t.to,
        pid: t.pid,
        comm: t.comm ?? '',
        elapsed: t.sinceBirth,
      },
    ),
  );
}

function eventBase(e: { source: number; line: number; time: SourceTime | null }, context: Context): Base {
  const at = context.timeline.at(e.source, e.time);
  return { at, from: e.source, line: e.line, locator: eventPlace(context.sources[e.source]!, e.line) };
}

function icmpItem(e: IcmpEvent, c: Case, context: Context): Draft {
  const side = sideName(sameEndpoint(e.from, c.client) ? CLIENT : SERVER);
  return draft('icmp', eventBase(e, context), c, context, { side, what: icmpFact(e) });
}

function dropItem(d: DropEvent, c: Case, context: Context): Draft {
  const flags = d.flags === null ? 'packet' : flagNames(d.flags);
  const reason = d.said ? `, as "${d.said}" says` : d.reason?.name ? `, reason ${d.reason.name}` : '';
  const place = d.stack.find((f) => !f.startsWith('tcp_drop') && !f.startsWith('kfree_skb'));
  const state = d.state ? ` in state ${d.state}` : '';
  const what = `dropped ${flags} from ${formatEndpoint(d.from)}${state}${place ? ` by ${place}` : ''}${reason}`;
  const side = sideName(sameEndpoint(d.to, c.client) ? CLIENT : SERVER);
  return draft('drop', eventBase(d, context), c, context, {
    side,
    what,
    reason: d.reason?.name ?? '',
    pid: d.pid,
    stateBefore: d.state ?? '',
  });
}

function callItem(e: CallEvent, c: Case, context: Context): Draft {
  const side = sideName(sameEndpoint(e.local, c.client) ? CLIENT : SERVER);
  return draft('call', eventBase(e, context), c, context, {
    side,
    what: `${e.call}()${e.answered === undefined ? '' : `, answered after ${formatSpan(e.answered)}`}`,
    pid: e.pid,
    comm: e.comm,
  });
}

function socketItem(r: SocketEvent, c: Case, context: Context): Draft {
  const side = sideName(sameEndpoint(r.local, c.client) ? CLIENT : SERVER);
  const owner = r.owner === 'none' ? ', no owning process' : '';
  const queues = r.withoutQueues ? '' : `, Recv-Q ${r.recvQ}, Send-Q ${r.sendQ}`;
  const what = `socket table: ${r.state}${queues}${owner}`;
  const rest = { side, what, stateAfter: r.state, pid: r.pid, comm: r.comm ?? '' };
  return draft('socket', eventBase(r, context), c, context, rest);
}

const PROBE_KINDS: Readonly<Record<string, TimelineKind>> = {
  retransmit: 'retransmit',
  'synack-retransmit': 'retransmit',
  'accept-queue': 'listener',
  'conn-request': 'listener',
  'child-refused': 'listener',
  'listen-stop': 'listener',
};

function probedItem(e: ProbedEvent, c: Case, context: Context): Draft {
  const side = sideName(sameEndpoint(e.local, c.client) ? CLIENT : SERVER);
  const base = eventBase(e, context);
  if (e.kind === 'reset-received')
    return draft('reset', base, c, context, { side, what: 'reset received (tcp_reset)' });
  if (e.kind === 'life') {
    const carried = `${e.sent} bytes sent and ${e.received} received, as far as the tool counts`;
    const what = `socket closed after ${formatSpan(e.duration)}: ${carried}`;
    return draft('state', base, c, context, { side, what, stateAfter: 'CLOSE', pid: e.pid, comm: e.comm });
  }
  const who = { pid: e.pid, comm: e.comm ?? '' };
  if (e.kind === 'reset-sent') {
    const answers = e.answers ? `, in answer to ${flagNames(e.answers.flags)}` : '';
    const what = `sends RST: ${e.reason ?? 'no reason given'}${answers}`;
    const rest = { side, what, reason: e.reason ?? '', stateBefore: e.state ?? '', ...who };
    return draft('reset', base, c, context, rest);
  }
  const said = e.said ?? valuesText(e.values);
  const what = said === '' ? e.name : said.startsWith(e.name) ? said : `${e.name}: ${said}`;
  return draft(PROBE_KINDS[e.name] ?? 'walk', base, c, context, { side, what, ...who });
}

/** What happened around the connections: listeners, counters, the kernel's log. Without connections it is all there is. */
function surroundings(cases: readonly Case[], context: Context): Draft[] {
  const drafts: Draft[] = [];
  const servers = new Map(cases.map((c) => [formatEndpoint(c.server), c.server]));
  const named = new Set(cases.map((c) => c.listener));
  for (const server of servers.values()) for (const l of listenersAt(server, context.listeners)) named.add(l);
  const listeners = context.listeners.filter((l) => named.has(l) || context.cases.count === 0);
  for (const listener of listeners) {
    for (const life of listener.lives) {
      for (const [i, t] of life.transitions.entries()) {
        const at = context.timeline.ofTransition(life, i);
        const base = { at, from: life.source, line: t.line, locator: `line ${t.line}` };
        const what = `listener ${formatEndpoint(life.local)}: ${t.from} -> ${t.to}`;
        const rest = { what, stateBefore: t.from, stateAfter: t.to, pid: t.pid, comm: t.comm ?? '' };
        drafts.push(draft('listener', base, null, context, rest));
      }
    }
    for (const row of listener.rows) {
      const limit = row.acceptLimit === null ? '' : ` of ${row.acceptLimit}`;
      const queue = row.withoutQueues ? '' : `: ${row.recvQ}${limit} in the accept queue`;
      const what = `listener ${formatEndpoint(row.local)}${queue}`;
      const measures: Record<string, number> = row.withoutQueues ? {} : { acceptQueue: row.recvQ };
      if (row.acceptLimit !== null) measures.acceptLimit = row.acceptLimit;
      const rest = { what, stateAfter: 'LISTEN', pid: row.pid, comm: row.comm ?? '', measures };
      drafts.push(draft('listener', eventBase(row, context), null, context, rest));
    }
  }
  for (const e of context.log)
    drafts.push(draft('log', eventBase(e, context), null, context, { what: e.text }));
  for (const e of context.dropCounts.slice(0, DROPS)) {
    const what = `dropped ${e.count} in ${e.where}, of a connection that the line does not name`;
    drafts.push(draft('drop', eventBase(e, context), null, context, { what, reason: e.reason ?? '' }));
  }
  for (const e of context.stateCounts) {
    const what = `${e.count} sockets in ${e.state}`;
    drafts.push(draft('counter', eventBase(e, context), null, context, { what }));
  }
  for (const e of context.queueCounts) {
    const what = `${e.count} final ACKs met ${e.least} to ${e.most} connections in an accept queue of ${e.limit}`;
    drafts.push(draft('counter', eventBase(e, context), null, context, { what }));
  }
  for (const reading of context.counters.flatMap((s) => s.readings)) {
    const values = PRESSURE.flatMap((name): [string, number][] => {
      const value = reading.values.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    if (values.length === 0) continue;
    const what = values.map(([name, value]) => `${name} ${value}`).join(', ');
    // totals can be drawn as a line; what nstat counted since it was last called cannot
    const measures = reading.delta ? {} : { measures: Object.fromEntries(values) };
    drafts.push(draft('counter', eventBase(reading, context), null, context, { what, ...measures }));
  }
  return drafts;
}

/** Counter steps held against the connections seen: what they explain, and what remains. */
import type { CounterSeries } from '../model/case.ts';
import { CLIENT } from '../model/connection.ts';
import type { Reconciliation } from '../model/result.ts';
import type { Connections } from './facts/connections.ts';
import type { Facts } from './facts/facts.ts';
import { type Step, stepsOf } from './facts/steps.ts';
import { SYN_LINEAR, SYN_RETRIES } from './facts/timing.ts';
import type { World } from './facts/world.ts';
import { lazy } from './memo.ts';
import { acceptQueueOverflowAck } from './procedures/overflow-ack.ts';
import { refusedAcks } from './procedures/refused-acks.ts';
import { refusedSyns, silentSyn } from './procedures/silent-syn.ts';
import type { Explained } from './rule.ts';
import { connectionsOf } from './together.ts';
import { count, endpoints, list, most, span } from './words.ts';

/** Counters whose steps connections can explain; kernel-notes §5. */
const COUNTERS = [
  'ListenOverflows',
  'ListenDrops',
  'TCPReqQFullDrop',
  'TCPReqQFullDoCookies',
  'SyncookiesSent',
  'SyncookiesRecv',
  'SyncookiesFailed',
  'TCPAbortOnClose',
  'TCPAbortOnData',
  'TCPAbortOnTimeout',
  'TCPAbortOnMemory',
  'TCPAbortOnLinger',
  'TCPTimeWaitOverflow',
] as const;

/** Rules whose connections lost an ACK, and not only a SYN, to the full queue. */
const MEET_WITH_ACK = ['abort-on-overflow-reset', 'cookie-overflow-reset', 'request-expired-reset'];

/** Rules whose SYNs count in ListenDrops and not in ListenOverflows. */
const DROPPED_BY_LISTENER = ['no-reply-route-drop', 'syn-backlog-reserve-drop', 'syn-queue-full-drop'];

/** Rules whose connections each raise a counter by one. */
const RAISED_BY: Record<string, readonly string[]> = {
  TCPAbortOnClose: ['unread-data-reset'],
  TCPAbortOnData: ['linger-zero-reset', 'data-after-close-reset', 'linger2-reset'],
  SyncookiesFailed: ['cookie-overflow-reset'],
  SyncookiesRecv: ['syn-cookie-handshake'],
  TCPTimeWaitOverflow: ['time-wait-overflow'],
  TCPAbortOnTimeout: ['keepalive-timeout-reset', 'retransmission-timeout'],
  TCPAbortOnMemory: ['memory-pressure-reset'],
  TCPAbortOnLinger: ['linger2-reset'],
};

export function reconcileCounters(world: World, explained: readonly Explained[]): Reconciliation[] {
  const rows: Reconciliation[] = [];
  for (const series of world.counters) {
    const own = explained.filter(({ facts }) => canCount(world, series, facts));
    const connections = lazy(() =>
      Array.from(world.kept, (n) => world.facts(n)).filter((f) => canCount(world, series, f)),
    );
    for (const counter of COUNTERS) {
      const row = reconcile(series, counter, own, connections);
      if (row) rows.push(row);
    }
  }
  return rows;
}

/** Whether one of the ends can be the host whose counters these are. */
function canCount(world: World, series: CounterSeries, { case: c }: Facts): boolean {
  return (
    world.seriesOf(c.server, c.client).includes(series) || world.seriesOf(c.client, c.server).includes(series)
  );
}

function reconcile(
  series: CounterSeries,
  counter: string,
  explained: readonly Explained[],
  connections: () => readonly Facts[],
): Reconciliation | null {
  const readings = series.readings.filter((r) => r.values.has(counter));
  const last = readings.at(-1);
  if (!last) return null;
  const to = last.values.get(counter)!;
  const steps = stepsOf(series, counter);
  const base = { counter, host: series.host?.name ?? '', source: series.source.name, to };
  if (steps.length === 0) {
    return to === 0
      ? null
      : { ...base, from: null, delta: null, explained: null, text: totalOnly(counter, to, connections()) };
  }
  const delta = steps.reduce((sum, s) => sum + s.delta, 0);
  const from = steps[0]!.reading.delta ? null : steps[0]!.from;
  if (delta === 0) return null;
  const { explains, text } = explainRise(series, counter, steps, delta, explained);
  return { ...base, from, delta, explained: explains, text };
}

/** One reading: a total since boot. `all`: connections of a host whose counter it can be. */
function totalOnly(counter: string, total: number, all: readonly Facts[]): string {
  const text = `${total} is a total since boot. A second reading shows the change.`;
  if (counter !== 'ListenOverflows' && counter !== 'ListenDrops') return text;
  const times = all.map((f) => f.connectTime).filter((t) => t !== null);
  const slowest = most(times);
  if (times.length === 0 || all.some((f) => silentSyn(f)) || slowest >= 1e9) return text;
  return `${text} They are not SYNs of these connections: every client whose time is known was connected within ${span(slowest)} of its SYN.`;
}

interface Rise {
  explains: number | null;
  text: string;
}

function explainRise(
  series: CounterSeries,
  counter: string,
  steps: readonly Step[],
  delta: number,
  explained: readonly Explained[],
): Rise {
  if (counter === 'ListenOverflows') return overflows(steps, delta, explained);
  if (counter === 'ListenDrops') return drops(series, delta, explained);
  const ids = RAISED_BY[counter];
  if (!ids) return { explains: null, text: `It rose by ${delta}.` };
  const found = new Set(
    explained
      .filter((e) => ids.includes(e.rule.id) && e.finding.role === 'verdict')
      .map((e) => e.facts.case.id),
  );
  const explains = Math.min(found.size, delta);
  if (found.size === 0) return { explains: 0, text: `It rose by ${delta}; no connection here shows why.` };
  return {
    explains,
    text: `It rose by ${delta}; ${count(found.size, 'connection')} here ${found.size === 1 ? 'accounts' : 'account'} for ${explains}.${remainder(delta - explains)}`,
  };
}

function remainder(n: number): string {
  return n === 0 ? '' : ` ${n} ${n === 1 ? 'is' : 'are'} of connections that are not in the files.`;
}

function drops(series: CounterSeries, delta: number, explained: readonly Explained[]): Rise {
  const overflows = stepsOf(series, 'ListenOverflows').reduce((sum, s) => sum + s.delta, 0);
  const rest = delta - overflows;
  if (rest === 0) {
    const text = `It rose by ${delta}, exactly as ListenOverflows did: every SYN or ACK that was dropped met a full accept queue.`;
    return { explains: delta, text };
  }
  const refused = connectionsOf(
    explained.filter((e) => DROPPED_BY_LISTENER.includes(e.rule.id) && e.finding.role === 'verdict'),
  );
  const syns = refused.sum(refusedSyns);
  const of = syns > 0 ? `: ${count(syns, 'SYN')} of ${count(refused.length, 'connection')} here` : '';
  const left = Math.max(0, rest - syns);
  const other =
    left > 0
      ? ` ${left} were dropped for a reason that no connection here shows (SYN queue, memory, no route back, security module).`
      : '';
  return {
    explains: Math.min(delta, overflows + syns),
    text: `It rose by ${delta}, ${rest} more than ListenOverflows${of}.${other}`,
  };
}

/** Every SYN and every ACK that meets a full accept queue counts one. */
function overflows(steps: readonly Step[], delta: number, explained: readonly Explained[]): Rise {
  const waiting = connectionsOf(explained.filter((e) => e.rule.id === 'accept-queue-overflow-syn'));
  const halves = new Set(explained.filter((e) => MEET_WITH_ACK.includes(e.rule.id)).map((e) => e.n));
  const acks = connectionsOf(explained).filter((f) => halves.has(f.n) || acceptQueueOverflowAck(f) !== null);
  if (waiting.length === 0 && acks.length === 0) {
    return { explains: 0, text: `It rose by ${delta}; no connection here shows a lost SYN or ACK.` };
  }
  const unknown = [...waiting].some((f) => silentSyn(f)?.syns == null);
  const evenly = unknown ? perConnection(waiting, steps, delta) : null;
  if (evenly && (acks.length === 0 || evenly.explains !== null)) return evenly;
  const syns = waiting.sum(refusedSyns);
  const later = acks.sum(refusedAcks);
  const parts = [];
  if (syns > 0) parts.push(`${count(syns, 'SYN')} of ${count(waiting.length, 'connection')}`);
  if (later > 0) parts.push(`${count(later, 'ACK')}, some with data, of ${count(acks.length, 'handshake')}`);
  if (parts.length === 0) parts.push(`those of ${count(waiting.length + acks.length, 'connection')}`);
  const seen = syns + later;
  if (seen === 0) {
    const text = `It rose by ${delta}: ${list(parts)} met the full queue; how often each did, no packets show.`;
    return { explains: null, text };
  }
  const over =
    seen > delta ? ` The captures show ${seen - delta} more, which may have come when there was room.` : '';
  return {
    explains: Math.min(delta, seen),
    text: `It rose by ${delta}: ${list(parts)} met the full queue.${over || remainder(delta - seen)}`,
  };
}

/** Nothing counts the SYNs themselves: does the rise divide evenly among the connections that wait? */
function perConnection(waiting: Connections, steps: readonly Step[], delta: number): Rise {
  const n = waiting.length;
  const each = delta / n;
  const retries = waiting.first.sysctl(CLIENT, 'net.ipv4.tcp_syn_retries') ?? SYN_RETRIES;
  const who = `${count(n, 'connection')} in SYN_SENT (${endpoints(waiting.map((f) => f.endpoint(CLIENT)))})`;
  const shown = `${steps[0]!.from} → ${steps.map((s) => s.to).join(' → ')}`;
  if (!Number.isInteger(each) || each > retries + SYN_LINEAR + 1) {
    return {
      explains: null,
      text: `It rose by ${delta} (${shown}), which does not divide evenly among the ${who}.`,
    };
  }
  const rounds = steps.filter((s) => s.delta === n).length;
  const round =
    rounds > 0 ? ` ${rounds === 1 ? 'One step' : `${rounds} of the steps`} of +${n}: one retry of each.` : '';
  const all =
    each === retries + 1
      ? `the first and all ${retries} retries (tcp_syn_retries)`
      : list(['the first', `${each - 1} retries`]);
  return {
    explains: delta,
    text: `It rose by ${delta} (${shown}): ${n} × ${each} SYNs, ${all}, of the ${who}.${round}`,
  };
}

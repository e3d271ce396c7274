/**
 * A connection tracking table without room: __nf_conntrack_alloc() warns and the packet of a new connection is dropped, whoever
 * sends it. The log names no connection and is rate-limited; which SYNs it may have cost, the packets and drops of that time
 * show. A clash of entries (`insert_failed`) and packets that fit no entry (`invalid`) come without a full table too.
 */
import { CLIENT } from '../../model/connection.ts';
import type { LogEvent } from '../../model/event.ts';
import { SYN } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import { riseBySeries } from '../facts/steps.ts';
import type { World } from '../facts/world.ts';
import type { Explained, Moment } from '../rule.ts';
import { connectionsOf } from '../together.ts';
import { count, list, number, predicate } from '../words.ts';
import { cite, clockTime, during } from './cite.ts';
import type { StoryTeller } from './index.ts';

/** DEFAULT_RATELIMIT_INTERVAL: ten lines in 5 s, of all of the network; while packets are dropped no gap is much longer. */
const INTERVAL = 5 * NS_PER_S;
/** Other causes of a lost SYN say where it was lost. */
const LOST: readonly string[] = ['unanswered-syn', 'netfilter-drop', 'syn-lost-on-path'];
const NAMED = 3;

export const conntrackFull: StoryTeller = (world, explained) => {
  const lines = world.context.log.filter((e) => e.what === 'conntrack-full');
  if (lines.length === 0 && forWantOfRoom(world) === 0) return null;
  const counters = countersOf(world);
  const said =
    lines.length > 0
      ? logged(world, lines, counters)
      : `The connection tracking table was most likely full: it ${counters}`;
  return {
    sentences: [
      `${said}${cite([...lines.map((e) => e.source), ...countedBy(world)].map((id) => world.source(id).name))}.`,
      ...cost(world, lines, explained),
      'Raise net.netfilter.nf_conntrack_max (and hashsize with it), shorten the timeouts, or do not track what needs no tracking (`notrack`); `conntrack -C` and `conntrack -L` show what fills it.',
    ],
    rules: ['conntrack-table-full'],
  };
};

function logged(world: World, all: readonly LogEvent[], counters: string): string {
  const first = all[0]!;
  const lines = all.filter((e) => e.source === first.source);
  const last = lines.at(-1)!;
  const host = world.hostName(first.source);
  const [from, to] = [first, last].map((e) => world.momentOf(e).at);
  const when =
    from != null && to != null && from < to
      ? during(world, first.source, from, to)
      : from == null
        ? ''
        : ` at ${clockTime(world, first.source, from)}`;
  return (
    `The connection tracking table${host && ` of ${host}`} was full${when} (${count(lines.length, 'line')} in the kernel's log, which is rate-limited): packets of new connections were dropped` +
    (counters && `; it ${counters}`)
  );
}

/** `dropped 512 packets and evicted 40 entries between the readings of conntrack -S`. */
function countersOf(world: World): string {
  const drop = forWantOfRoom(world);
  const [evicted, clashed, invalid] = ['early_drop', 'insert_failed', 'invalid'].map((name) =>
    riseOf(world, `conntrack_${name}`),
  );
  const parts = [
    ...(drop ? [`dropped ${count(drop, 'packet')} for want of room`] : []),
    ...(evicted ? [`evicted ${count(evicted, 'entry', 'entries')}`] : []),
    ...(clashed ? [`dropped ${number(clashed)} whose entry clashed with another (no matter of room)`] : []),
    ...(invalid ? [`found ${number(invalid)} INVALID (no entry fits them)`] : []),
  ];
  return parts.length > 0 ? `${list(parts)} between the readings of its counters` : '';
}

function countedBy(world: World): number[] {
  const rose = world.counters.filter((s) => riseBySeries(s)('conntrack_drop'));
  return rose.map((s) => s.source.id);
}

/** Clashes are counted as dropped, too (nf_ct_resolve_clash). */
function forWantOfRoom(world: World): number {
  const [dropped, clashed] = ['drop', 'insert_failed'].map((name) => riseOf(world, `conntrack_${name}`) ?? 0);
  return Math.max(0, dropped! - clashed!);
}

/** Of all hosts; null without two readings. */
function riseOf(world: World, name: string): number | null {
  const rises = world.counters.map((s) => riseBySeries(s)(name)).filter((r) => r !== null);
  return rises.length > 0 ? rises.reduce((a, b) => a + b, 0) : null;
}

/** SYNs without an answer in that time: of whom, and how many the kernel is seen to drop. */
function cost(world: World, lines: readonly LogEvent[], explained: readonly Explained[]): string[] {
  const own = connectionsOf(explained.filter((e) => LOST.includes(e.rule.id)));
  const begun = own.flatMap((f) => {
    const at = firstSyn(world, f);
    return at ? [{ f, at, within: withinOf(world, lines, at) }] : [];
  });
  const within = begun.filter((b) => b.within);
  if (within.length === 0) {
    const unknown = begun.filter((b) => b.within === null).length;
    if (unknown === 0) return [];
    const who = `${count(unknown, 'connection')} of these files got no SYN-ACK to the first SYN`;
    return [`${who}; whether in that time, their clocks do not tell.`];
  }
  const clients = [...new Set(within.map(({ f }) => f.case.client.address))];
  const servers = [...new Set(within.map(({ f }) => world.serverOf(f.n)))];
  const seen = within.filter(({ f }) => f.drops.some(isFirewallDrop)).length;
  const n = within.length;
  const from = `${names(clients, 'address', 'addresses')} to ${names(servers, 'server', 'servers')}`;
  const why =
    seen > 0
      ? `, ${number(seen)} of them dropped by netfilter, as a full table drops them`
      : '; nothing shows whether this host forwards or receives them';
  return [
    `In that time ${count(n, 'connection')} from ${from} ${predicate(n, 'got no SYN-ACK to the first SYN')}${why}${cite(within.map(({ at }) => world.source(at.source).name))}.`,
  ];
}

function names(all: readonly string[], one: string, more: string): string {
  return all.length > NAMED ? count(all.length, one, more) : list(all);
}

function firstSyn(world: World, f: Facts): Moment | null {
  const w = f.case.wires.find((own) => own.syns[CLIENT] > 0);
  if (w) return { source: w.source, at: world.context.timeline.at(w.source, w.start) };
  const drop = f.drops.find((d) => d.flags !== null && d.flags & SYN);
  return drop ? world.momentOf(drop) : null;
}

function isFirewallDrop({
  reason,
  said,
}: {
  reason: { name: string | null } | null;
  said?: string;
}): boolean {
  return reason?.name === 'NETFILTER_DROP' && said === undefined;
}

/** Near a line of the log; null where the clocks cannot be compared, or the log has none. */
function withinOf(world: World, lines: readonly LogEvent[], at: Moment): boolean | null {
  const apart = lines.map((e) => world.between(at, world.momentOf(e)));
  if (apart.some((ns) => ns !== null && Math.abs(ns) <= INTERVAL)) return true;
  return apart.length === 0 || apart.includes(null) ? null : false;
}

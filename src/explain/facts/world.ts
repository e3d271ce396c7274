/** What is known around the cases: connections of one listener, snapshots of tables, counters, hosts. */
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import type { Case, Context, CounterSeries } from '../../model/case.ts';
import type { CounterEvent, SnapshotEvent, SocketEvent } from '../../model/event.ts';
import type { Source } from '../../model/source.ts';
import { byName, memoised } from '../memo.ts';
import type { Moment } from '../rule.ts';
import { Facts } from './facts.ts';
import { ListenerFacts } from './listener.ts';

/** One snapshot of a socket table with the rows that belong to cases. */
export interface Snapshot {
  event: SnapshotEvent | null;
  rows: { facts: Facts; row: SocketEvent }[];
}

/** A counter between two readings of one series. */
export interface Step {
  series: CounterSeries;
  name: string;
  reading: CounterEvent;
  from: number;
  to: number;
  delta: number;
}

export class World {
  readonly context: Context;
  readonly #facts = new Map<Case, Facts>();
  readonly #listeners = new Map<string, ListenerFacts>();
  #byTuple: Map<string, Case[]> | null = null;
  #ownResets: Map<string, number> | null = null;
  #cookiesCounted: boolean | null = null;
  #counters: CounterSeries[] | null = null;
  #byServer: Map<string, Case[]> | null = null;
  #snapshots: Map<string, Snapshot> | null = null;

  constructor(context: Context) {
    this.context = context;
  }

  factsOf(of: Case): Facts {
    let facts = this.#facts.get(of);
    if (!facts) {
      facts = new Facts(this, of);
      this.#facts.set(of, facts);
    }
    return facts;
  }

  /** Cases of the same 4-tuple that come before this one, in the order of first sight. */
  earlierLives(of: Case): Facts[] {
    this.#byTuple ??= groupReused(this.context.cases);
    const lives = this.#byTuple.get(tupleOf(of)) ?? [];
    return lives.slice(0, Math.max(lives.indexOf(of), 0)).map((c) => this.factsOf(c));
  }

  source(id: number): Source {
    return this.context.sources[id]!;
  }

  /** What the connections of one server endpoint say together. */
  listenerOf(of: Case): ListenerFacts {
    const key = formatEndpoint(of.server);
    let facts = this.#listeners.get(key);
    if (!facts) {
      this.#byServer ??= groupByServer(this.context.cases);
      facts = new ListenerFacts(this, this.#byServer.get(key) ?? [of]);
      this.#listeners.set(key, facts);
    }
    return facts;
  }

  snapshot(row: SocketEvent): Snapshot {
    this.#snapshots ??= this.#collectSnapshots();
    return this.#snapshots.get(snapshotKey(row)) ?? { event: null, rows: [] };
  }

  /** Snapshots of the same source that were taken after the row's. */
  laterSnapshots(row: SocketEvent): Snapshot[] {
    this.#snapshots ??= this.#collectSnapshots();
    return [...this.#snapshots.values()].filter(
      (s) => s.event !== null && s.event.source === row.source && s.event.snapshot > row.snapshot,
    );
  }

  /** Nanoseconds from b to a; null when one has no time or their clocks cannot be compared. */
  between(a: Moment, b: Moment): number | null {
    if (a.at === null || b.at === null) return null;
    return this.context.timeline.comparable(a.source, b.source) ? a.at - b.at : null;
  }

  /** A sysctl's value as a number; null when no file gives it. */
  sysctl(name: string): number | null {
    const text = this.context.sysctls.get(name);
    return text === undefined || !/^-?\d+$/.test(text) ? null : Number(text);
  }

  /**
   * Counter series that can be of the host with this address. A series without a known host, or of a host of
   * which only a name is known, or a name that says nothing (`localhost`), can; one of a host known to own the peer's address only cannot.
   */
  seriesOf(end: Endpoint, peer: Endpoint): CounterSeries[] {
    return this.counters.filter(({ host }) => {
      if (host === null || host.addresses.size === 0 || /^localhost\b/.test(host.name)) return true;
      if (host.addresses.has(end.address)) return true;
      return (
        !host.addresses.has(peer.address) && !this.context.hosts.some((h) => h.addresses.has(end.address))
      );
    });
  }

  /** Counter series; readings of one named host that stand in several files are one series. */
  get counters(): CounterSeries[] {
    this.#counters ??= mergeByHost(this.context.counters);
    return this.#counters;
  }

  /** The counters tell of SYN cookies: then even an orderly connection is worth a look. */
  get cookiesCounted(): boolean {
    this.#cookiesCounted ??= this.counters.some((s) =>
      stepsOf(s, 'SyncookiesRecv').some((step) => step.delta > 0),
    );
    return this.#cookiesCounted;
  }

  /** Connections that an end with this address seems to have reset by itself, not in answer to a packet. */
  ownResetsOf(address: string): number {
    this.#ownResets ??= this.#countOwnResets();
    return this.#ownResets.get(address) ?? 0;
  }

  /** How much a counter rose on the host of an endpoint while the files were taken; null when nothing says. */
  rise(name: string, end: Endpoint, peer: Endpoint): number | null {
    let sum: number | null = null;
    for (const series of this.seriesOf(end, peer)) {
      const own = riseBySeries(series)(name);
      if (own !== null) sum = (sum ?? 0) + own;
    }
    return sum;
  }

  #countOwnResets(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const c of this.context.cases) {
      const facts = this.factsOf(c);
      if (facts.ordinary) continue;
      const reset = facts.wire?.decisiveReset;
      const own = facts.lives.find((l) => l.abort && l.byOwner(l.abort));
      const side = reset ? (reset.shape === 'passive' ? undefined : reset.side) : own?.side;
      if (side === undefined) continue;
      const { address } = facts.endpoint(side);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    return counts;
  }

  #collectSnapshots(): Map<string, Snapshot> {
    const snapshots = new Map<string, Snapshot>();
    for (const event of this.context.snapshots) snapshots.set(snapshotKey(event), { event, rows: [] });
    for (const c of this.context.cases) {
      for (const row of c.rows) {
        let snapshot = snapshots.get(snapshotKey(row));
        if (!snapshot) {
          snapshot = { event: null, rows: [] };
          snapshots.set(snapshotKey(row), snapshot);
        }
        snapshot.rows.push({ facts: this.factsOf(c), row });
      }
    }
    return snapshots;
  }
}

function snapshotKey(e: { source: number; snapshot: number }): string {
  return `${e.source}/${e.snapshot}`;
}

function tupleOf({ client, server }: Case): string {
  return `${client.address} ${client.port} ${server.address} ${server.port}`;
}

/** Tuples that were used more than once. */
function groupReused(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    const tuple = tupleOf(c);
    const group = groups.get(tuple);
    if (group) group.push(c);
    else groups.set(tuple, [c]);
  }
  for (const [tuple, group] of groups) if (group.length === 1) groups.delete(tuple);
  return groups;
}

function groupByServer(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    const key = formatEndpoint(c.server);
    const group = groups.get(key);
    if (group) group.push(c);
    else groups.set(key, [c]);
  }
  return groups;
}

const stepsBySeries = memoised((series: CounterSeries) => byName((name) => findSteps(series, name)));

/** The steps of one counter through a series. One reading makes no step: it is a total since boot. */
export function stepsOf(series: CounterSeries, name: string): readonly Step[] {
  return stepsBySeries(series)(name);
}

const riseBySeries = memoised((series: CounterSeries) =>
  byName((name) => {
    const steps = stepsOf(series, name);
    return steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
  }),
);

function findSteps(series: CounterSeries, name: string): Step[] {
  const steps: Step[] = [];
  let previous: number | null = null;
  for (const reading of series.readings) {
    const value = reading.values.get(name);
    if (value === undefined) continue;
    if (reading.delta) steps.push({ series, name, reading, from: 0, to: value, delta: value });
    else if (previous !== null && value >= previous) {
      steps.push({ series, name, reading, from: previous, to: value, delta: value - previous });
    }
    if (!reading.delta) previous = value;
  }
  return steps;
}

/** Totals since boot only grow, so their sum puts readings without a common clock in order. */
function mergeByHost(all: readonly CounterSeries[]): CounterSeries[] {
  const merged: CounterSeries[] = [];
  for (const series of all) {
    const totals = series.readings.every((r) => !r.delta);
    const same = merged.find(
      (m) =>
        totals &&
        series.host !== null &&
        m.host === series.host &&
        m.source.format === series.source.format &&
        m.readings.every((r) => !r.delta),
    );
    if (!same) merged.push({ ...series, readings: [...series.readings] });
    else same.readings = [...same.readings, ...series.readings].sort((a, b) => total(a) - total(b));
  }
  return merged;
}

function total(reading: CounterEvent): number {
  let sum = 0;
  for (const value of reading.values.values()) sum += value;
  return sum;
}

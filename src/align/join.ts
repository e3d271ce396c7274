/** Connects packets and events, brings their clocks together and joins them into cases. */
import type { FinishedLives, SocketLives } from '../connect/lives.ts';
import type { Records } from '../connect/records.ts';
import type { Tracker } from '../connect/tracker.ts';
import type { Context, Host, Settings } from '../model/case.ts';
import type { WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';
import { JoinedEvidence, type Numbered } from './cases.ts';
import { CaptureCases } from './collection.ts';
import { counterSeries, type Readings } from './counters.ts';
import { findHosts, type LocalAddresses, localAddresses } from './hosts.ts';
import { errorsByRecord } from './icmp.ts';
import { JoinedCases } from './joined-cases.ts';
import { findListeners } from './orient.ts';
import { isPoint } from './pieces.ts';
import { alignClocks } from './timeline.ts';
import { translated } from './translated.ts';

/** What was read, by Source.id. */
export interface Read {
  trackers: ReadonlyMap<number, Tracker>;
  events: ReadonlyMap<number, KernelEvent[]>;
  lives: ReadonlyMap<number, SocketLives>;
}

/** In a capture of more connections some are asked whether both sides of a NAT are in it. */
const MANY = 10_000;

function viewsOf(records: Records, from = 0, to = records.count): WireConnection[] {
  return Array.from({ length: to - from }, (_, i) => records.view(from + i));
}

/** The connections of one capture after those of the other. */
function viewsIn(captures: readonly Records[]): Numbered<WireConnection> {
  const count = captures.reduce((sum, records) => sum + records.count, 0);
  const at = (n: number) => {
    let own = n;
    for (const records of captures) {
      if (own < records.count) return records.view(own);
      own -= records.count;
    }
    throw new RangeError(`no connection ${n}`);
  };
  return { count, at };
}

/** Connections in a row that show whether both sides of a NAT are in a capture: they stand beside each other. */
const SAMPLE = 500;

/** So many connections of a capture are joined in memory, 2.5 KB each. */
const JOINED = 400_000;

function reportBothSides({ name }: Source, diagnostics: Diagnostics): void {
  diagnostics.add({
    ...{ code: 'nat-not-joined', severity: 'info', source: name, locator: '', count: 1 },
    message: `both sides of a NAT are in this capture of more than ${JOINED} connections: each is listed once for either side; to see one side, leave the other out (not host ADDRESS)`,
  });
}

/** Where there are many, some at the beginning, in the middle and at the end are asked. */
function showsBothSides(records: Records): boolean {
  const { count } = records;
  if (count <= MANY) return translated(viewsOf(records)).size > 0;
  return [0, count >> 1, count - SAMPLE].some(
    (from) => translated(viewsOf(records, from, from + SAMPLE)).size > 0,
  );
}

/** Connects packets and events, brings their clocks together and joins them into cases. */
export function join(
  sources: Source[],
  read: Read,
  diagnostics: Diagnostics,
  readings: Readings | undefined,
): Context {
  const events = [...read.events.values()].flat();
  const finished: FinishedLives[] = [];
  const addresses = new Map<number, LocalAddresses>();
  for (const source of sources) {
    const own = read.lives.get(source.id)?.finish(source, diagnostics);
    if (own) finished.push(own);
    addresses.set(source.id, localAddresses(read.events.get(source.id) ?? [], own?.localAddresses() ?? []));
  }
  const { hosts, hostOf } = findHosts(sources, addresses, diagnostics);
  const around = { sources, events, hostOf, diagnostics };
  const captures = [...read.trackers.values()].map((t) => t.records()).filter((r) => r.count > 0);
  const lives = finished.flatMap((own) => [...own.each()]);
  const listeners = findListeners(lives, events, hostOf);
  const errors = events.filter((e) => e.kind === 'icmp');
  const only =
    captures.length === 1 && lives.length === 0 && !events.some((e) => isPoint(e) && e.kind !== 'icmp');
  const icmp = only ? errorsByRecord(captures[0]!, errors) : null;
  const single = icmp !== null;
  const both = single && showsBothSides(captures[0]!);
  const tooMany = both && captures[0]!.count > JOINED;
  if (tooMany) reportBothSides(sources[captures[0]!.source]!, diagnostics);
  const alone = single && (!both || tooMany);
  const wires = alone ? [] : captures.flatMap((records) => viewsOf(records));
  const timeline = alignClocks({ sources, wires, lives });
  const joined = () =>
    new JoinedEvidence({ ...around, wires, lives, timeline, diagnostics }, viewsIn(captures), listeners);
  const cases = alone ? new CaptureCases(captures[0]!, listeners, events, icmp!) : new JoinedCases(joined());
  return {
    sources,
    hosts,
    cases,
    listeners,
    counters: counterSeries(sources, read.events, hostOf, diagnostics, readings),
    snapshots: events.filter((e) => e.kind === 'snapshot'),
    settings: settings(read.events, hostOf),
    log: events.filter((e) => e.kind === 'log'),
    stateCounts: events.filter((e) => e.kind === 'state-count'),
    queueCounts: events.filter((e) => e.kind === 'queue-count'),
    dropCounts: events.filter((e) => e.kind === 'drop-count'),
    walks: events.filter((e) => e.kind === 'walk'),
    timeline,
  };
}

function settings(events: ReadonlyMap<number, KernelEvent[]>, hostOf: ReadonlyMap<number, Host>): Settings[] {
  return [...events].flatMap(([id, list]) => {
    const own = list.filter((e) => e.kind === 'sysctl');
    if (own.length === 0) return [];
    const values = new Map<string, string>();
    const changed = new Set<string>();
    const readings = new Map(own.map((e) => [e.name, e]));
    for (const { name, value } of own) {
      if ((values.get(name) ?? value) !== value) changed.add(name);
      values.set(name, value);
    }
    return [{ host: hostOf.get(id) ?? null, values, readings, changed }];
  });
}

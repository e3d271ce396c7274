/** The whole line, top to bottom: read → decode → connect → align → explain → report. */
import { ReadingAhead } from './ahead.ts';
import { buildCases, type Pieces } from './align/cases.ts';
import { counterSeries } from './align/counters.ts';
import { findHosts, type LocalAddresses, localAddresses } from './align/hosts.ts';
import { joinPlain } from './align/join-plain.ts';
import { type Evidence, isEnough, isOfShare, matchByTuple, shareOf } from './align/match.ts';
import { findListeners } from './align/orient.ts';
import { dividedCaptures } from './align/plain-captures.ts';
import { reportSplit } from './align/split.ts';
import { alignClocks } from './align/timeline.ts';
import { type CivilOptions, placeWallClocks } from './align/zone.ts';
import { Collector } from './collector.ts';
import type { FinishedLives } from './connect/lives.ts';
import type { Records } from './connect/records.ts';
import { explain, type Keep } from './explain/explain.ts';
import { toldByStates } from './explain/facts/by-states.ts';
import type { Case, Context, Host, Settings } from './model/case.ts';
import type { WireConnection } from './model/connection.ts';
import { Diagnostics } from './model/diagnostic.ts';
import type { KernelEvent } from './model/event.ts';
import { type PlainKind, REFUSED, UNANSWERED } from './model/plain.ts';
import type { Result } from './model/result.ts';
import type { Source } from './model/source.ts';
import { disk } from './platform/files.ts';
import { givenInputs, type Input } from './read/given.ts';
import { type HostNames, type ReadProgress, readInputs } from './read/read.ts';
import { assembleResult, type ResultOptions } from './report/result.ts';
import type { Side } from './report/side/side.ts';
import { Told } from './report/told.ts';

export interface AnalyzeOptions extends CivilOptions, ResultOptions {
  /** Host names by input path. */
  hosts?: HostNames;
  /** Which connections to tell of (see parseFilter); all of them are context. */
  keep?: Keep;
  /** Split lives as Zeek's timers do. */
  zeekTimers?: boolean;
  /**
   * Of more connections than this, those of which there is nothing to tell, and those that are like a thousand others, are
   * in the CSV files and counts only (10,000). Infinity: every connection is listed, however many there are.
   */
  listed?: number;
  onProgress?: (progress: ReadProgress) => void;
  /** Everything is read. What follows keeps this thread busy. */
  onRead?: (sources: readonly Source[]) => void | Promise<void>;
  /** Threads that read some of several captures meanwhile; the result is the same. */
  side?: Side;
}

/** Reads inputs (files, folders, `-`, bytes) and explains every connection in them. Never throws for bad input. */
export async function analyze(inputs: readonly Input[], options: AnalyzeOptions = {}): Promise<Result> {
  const diagnostics = new Diagnostics();
  const zeekTimers = options.zeekTimers ?? false;
  const collector = new Collector(diagnostics, zeekTimers);
  const onProgress = options.onProgress ?? (() => undefined);
  const { paths, files } = givenInputs(inputs);
  const ahead =
    options.side?.parallel && files === disk ? new ReadingAhead(options.side, collector, zeekTimers) : null;
  const hosts = options.hosts ?? new Map();
  const sources = await readInputs(paths, hosts, collector, diagnostics, onProgress, ahead, files);
  await options.onRead?.(sources);
  placeWallClocks(sources, options);
  const listed = isWhole(options) ? Infinity : (options.listed ?? LISTED);
  const context = join(sources, collector, diagnostics, listed);
  const told = context.plain || context.cases.length > listed ? new Told(context) : null;
  const explanation = explain(context, diagnostics, {
    ...(options.keep && { keep: options.keep }),
    ...(told && { take: (c, findings) => told.take(c, findings) }),
  });
  return assembleResult(context, explanation, diagnostics, options, told);
}

/** Connections of one capture that are all listed one by one; of more, so many of each kind of plain ones. */
const LISTED = 10_000;
const SHOWN = 50;
const WARNED = 1000;

/** What is asked for needs a case of every connection. */
function isWhole({ whole, timeline, keep }: AnalyzeOptions): boolean {
  return whole === true || timeline === 'all' || keep !== undefined;
}

/** Connects packets and events, brings their clocks together and joins them into cases. */
function join(sources: Source[], collector: Collector, diagnostics: Diagnostics, listed: number): Context {
  collector.finish();
  const events = [...collector.events.values()].flat();
  const finished: FinishedLives[] = [];
  const addresses = new Map<number, LocalAddresses>();
  for (const source of sources) {
    const own = collector.lives.get(source.id)?.finish(source, diagnostics);
    if (own) finished.push(own);
    addresses.set(
      source.id,
      localAddresses(collector.events.get(source.id) ?? [], own?.localAddresses() ?? []),
    );
  }
  const { hosts, hostOf } = findHosts(sources, addresses, diagnostics);
  const around = { sources, events, hostOf, diagnostics };
  const records = recordsOf(sources, collector, listed);
  const captures = capturesOf(collector, listed);
  const { cases, plain, listeners, timeline } = records
    ? withoutPlain(around, records, finished, atLeastOne(SHOWN, listed))
    : captures
      ? ofCaptures(around, captures, atLeastOne(SHOWN, listed))
      : withAll(around, collector, finished, listed);
  reportSplit(cases, timeline, sources, diagnostics);
  return {
    sources,
    hosts,
    cases,
    plain,
    listeners,
    counters: counterSeries(sources, collector.events, hostOf, diagnostics),
    snapshots: events.filter((e) => e.kind === 'snapshot'),
    settings: settings(collector.events, hostOf),
    walks: events.filter((e) => e.kind === 'walk'),
    timeline,
  };
}

function settings(events: ReadonlyMap<number, KernelEvent[]>, hostOf: ReadonlyMap<number, Host>): Settings[] {
  return [...events].flatMap(([id, list]) => {
    const own = list.filter((e) => e.kind === 'sysctl');
    if (own.length === 0) return [];
    return [{ host: hostOf.get(id) ?? null, values: new Map(own.map((e) => [e.name, e.value])) }];
  });
}

type Around = Pick<Pieces, 'sources' | 'events' | 'hostOf' | 'diagnostics'>;

/** Cases of everything, but for plain connections of a big capture without any other evidence. */
function withAll(around: Around, collector: Collector, finished: readonly FinishedLives[], listed: number) {
  const { wires, numbers, plain } = connectionsOf(collector, listed);
  const lives = finished.flatMap((own) => [...own.each()]);
  const timeline = alignClocks({ sources: around.sources, wires, lives });
  const listeners = findListeners(lives, around.events, around.hostOf);
  const cases = buildCases({ ...around, wires, ...(numbers && { numbers }), lives, timeline }, listeners);
  return { cases, plain, listeners, timeline };
}

/** The records of one big capture, where nothing but states of sockets tells of its connections as well. */
function recordsOf(
  sources: readonly Source[],
  { trackers, events, lives }: Collector,
  listed: number,
): Records | null {
  const [tracker, ...others] = [...trackers.values()].filter((t) => t.count > 0);
  const isTimed = [...lives.keys()].every((id) => sources[id]!.clock.kind !== 'order');
  if (!tracker || others.length + events.size > 0 || lives.size === 0 || !isTimed) return null;
  return tracker.count > listed ? tracker.records() : null;
}

/** The records of several captures with many connections, where nothing else tells of those. */
function capturesOf({ trackers, events, lives }: Collector, listed: number): Records[] | null {
  const some = [...trackers].sort(([a], [b]) => a - b).flatMap(([, t]) => (t.count > 0 ? t : []));
  const count = some.reduce((sum, t) => sum + t.count, 0);
  if (some.length < 2 || events.size + lives.size > 0 || count <= listed) return null;
  const records = some.map((t) => t.records());
  return records.every((r) => r !== null) ? records : null;
}

/** Cases of what is not plain in several captures. */
function ofCaptures(around: Around, captures: readonly Records[], shown: number) {
  const { wires, places, numbered } = dividedCaptures(captures, shown);
  const timeline = alignClocks({ sources: around.sources, wires, lives: [] });
  const listeners = findListeners([], around.events, around.hostOf);
  const cases = buildCases({ ...around, wires, places, lives: [], timeline }, listeners);
  return { cases, plain: numbered(new Set(cases.map(numberOf))), listeners, timeline };
}

/** Cases of what is not plain in one big capture and the logs of states beside it. */
function withoutPlain(around: Around, records: Records, finished: readonly FinishedLives[], shown: number) {
  const timeline = alignClocks(clockEvidence(around.sources, records, finished));
  const { wires, lives, places, numbered } = joinPlain({
    ...{ records, lives: finished, timeline, shown },
    told: (c) => toldByStates(c, timeline),
  });
  const listeners = findListeners(lives, around.events, around.hostOf);
  const cases = buildCases({ ...around, wires, places, lives, timeline }, listeners);
  return { cases, plain: numbered(new Set(cases.map(numberOf))), listeners, timeline };
}

/** As much of the connections as the clocks need. */
function clockEvidence(
  sources: readonly Source[],
  records: Records,
  finished: readonly FinishedLives[],
): Evidence {
  const of = finished.reduce((sum, own) => sum + own.count, 0);
  const shared = (share: number): Evidence => {
    const isWanted = (port: number, otherPort: number) => isOfShare(share, port, otherPort);
    const lives = finished.flatMap((own) => {
      const { orderly } = own;
      const some = own.each((n) => isWanted(orderly.localPort(n), orderly.remotePort(n)));
      return [...some].filter((l) => isWanted(l.local.port, l.remote.port));
    });
    const wires: WireConnection[] = [];
    for (const serial of records.serials()) {
      const ports = records.ports(serial);
      if (isWanted(ports >>> 16, ports & 0xffff)) wires.push(records.view(serial));
    }
    return { sources, wires, lives, of };
  };
  const share = shareOf(of);
  const some = shared(share);
  const matches = matchByTuple(some);
  return share === 1 || isEnough(matches.length) ? { ...some, matches } : shared(1);
}

/** n of `cn`. */
function numberOf({ id }: Case): number {
  return Number(id.slice(1));
}

/** The first of a kind stands for the others wherever they are told together. */
function atLeastOne(shown: number, listed: number): number {
  return Math.max(1, Math.min(shown, listed));
}

/** What is worth a warning is listed one by one as long as a reader can follow. */
function shownOf(kind: PlainKind, listed: number): number {
  return atLeastOne(kind === UNANSWERED || kind === REFUSED ? WARNED : SHOWN, listed);
}

/** All connections as views; of one big capture without any other evidence the plain ones apart. */
function connectionsOf({ trackers, events, lives }: Collector, listed: number) {
  const [tracker, ...others] = [...trackers.values()].filter((t) => t.count > 0);
  const alone = others.length === 0 && events.size + lives.size === 0;
  if (tracker && alone && tracker.count > listed) {
    const { views, plain } = tracker.divided((kind) => shownOf(kind, listed));
    return { wires: views.map((v) => v.wire), numbers: views.map((v) => v.number), plain };
  }
  const wires = [...trackers.values()].flatMap((t) => [...t.connections()]);
  return { wires, numbers: null, plain: null };
}

/** The whole line, top to bottom: read → decode → connect → align → explain → report. */
import { buildCases } from './align/cases.ts';
import { CaptureCases, casesOf } from './align/collection.ts';
import { counterSeries, type Readings } from './align/counters.ts';
import { findHosts, type LocalAddresses, localAddresses } from './align/hosts.ts';
import { errorsByRecord } from './align/icmp.ts';
import { findListeners } from './align/orient.ts';
import { isPoint } from './align/pieces.ts';
import { alignClocks } from './align/timeline.ts';
import { translated } from './align/translated.ts';
import { type CivilOptions, placeWallClocks } from './align/zone.ts';
import { Collector } from './collector.ts';
import type { FinishedLives } from './connect/lives.ts';
import type { Records } from './connect/records.ts';
import { explain, type Keep } from './explain/explain.ts';
import type { Rule } from './explain/rule.ts';
import type { Context, Host, Settings } from './model/case.ts';
import type { WireConnection } from './model/connection.ts';
import { Diagnostics } from './model/diagnostic.ts';
import type { KernelEvent } from './model/event.ts';
import type { Finding } from './model/finding.ts';
import type { ConnectionRow, Result } from './model/result.ts';
import type { Source } from './model/source.ts';
import { disk } from './platform/files.ts';
import type { Files } from './platform/types.ts';
import { givenInputs, type Input } from './read/given.ts';
import { type HostNames, type ReadProgress, readInputs } from './read/read.ts';
import { connectionRow } from './tables/connection-row.ts';
import { assembleResult, type ResultOptions, TableSpool, type Tables } from './tables/result.ts';
import { ReadingAhead } from './workers/ahead.ts';
import type { Pool } from './workers/pool.ts';

export interface AnalyzeOptions extends CivilOptions, ResultOptions {
  /** Host names by input path. */
  hosts?: HostNames;
  /** Which of the inputs are counters of one host read before and after what is to be explained, by input path. */
  readings?: Readings;
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
  /** What it does after the reading, as each begins: `joining`, `explaining`. */
  onStage?: (stage: string) => void;
  /** In place of all rules. */
  rules?: readonly Rule[];
  /** Runs a stage that keeps the thread busy. */
  busy?: <T>(stage: () => T) => T;
  /** Where paths are found; by default on this machine. */
  files?: Files;
  /** Is given each connection with its findings as it is decided; for `investigate`. */
  onConnection?: (row: ConnectionRow, findings: readonly Finding[]) => void;
  /** Threads that read some of several captures meanwhile; the result is the same. */
  pool?: Pool;
}

/** Reads inputs (files, folders, `-`, bytes) and explains every connection in them. Never throws for bad input. */
export async function analyze(inputs: readonly Input[], options: AnalyzeOptions = {}): Promise<Result> {
  return run(inputs, options, null);
}

/** A result, and its big tables: the result itself lists what a reader can follow. */
export interface Investigation {
  result: Result;
  tables: Tables;
}

/** The same with tables of all connections and findings, however many there are. */
export async function investigate(
  inputs: readonly Input[],
  options: AnalyzeOptions = {},
): Promise<Investigation> {
  const tables = new TableSpool();
  return { result: await run(inputs, options, tables), tables };
}

async function run(
  inputs: readonly Input[],
  options: AnalyzeOptions,
  tables: TableSpool | null,
): Promise<Result> {
  const diagnostics = new Diagnostics();
  const zeekTimers = options.zeekTimers ?? false;
  const collector = new Collector(diagnostics, zeekTimers);
  const onProgress = options.onProgress ?? (() => undefined);
  const { paths, files } = givenInputs(inputs, options.files);
  const ahead =
    options.pool?.parallel && files === disk ? new ReadingAhead(options.pool, collector, zeekTimers) : null;
  const hosts = options.hosts ?? new Map();
  const sources = await readInputs(paths, hosts, collector, diagnostics, onProgress, ahead, files);
  await options.onRead?.(sources);
  placeWallClocks(sources, options);
  const listed = listsAll(options) ? Infinity : (options.listed ?? LISTED);
  const { busy = (stage) => stage() } = options;
  const { onStage = () => undefined } = options;
  onStage('joining');
  const context = busy(() => join(sources, collector, diagnostics, options.readings));
  onStage('explaining');
  const explanation = busy(() =>
    explain(context, diagnostics, {
      ...(options.rules && { rules: options.rules }),
      ...(options.keep && { keep: options.keep }),
      ...(tables && {
        onDecided: (n, findings, verdicts) => {
          const row = connectionRow(n, verdicts, context);
          tables.add(row, findings);
          options.onConnection?.(row, findings);
        },
      }),
    }),
  );
  tables?.addFindings(explanation.ofHosts);
  return busy(() => assembleResult(context, explanation, diagnostics, options, listed));
}

/** So many connections are all listed one by one. */
const LISTED = 10_000;

/** What is asked for needs a case of every connection. */
function listsAll({ listAll, timeline, keep }: AnalyzeOptions): boolean {
  return listAll === true || timeline === 'all' || keep !== undefined;
}

function viewsOf(records: Records, from = 0, to = records.count): WireConnection[] {
  return Array.from({ length: to - from }, (_, i) => records.view(from + i));
}

/** Connections in a row that show whether both sides of a NAT are in a capture: they stand beside each other. */
const SAMPLE = 500;

/** So many connections of a capture are joined in memory, 2.5 KB each. */
const JOINED = 400_000;

function reportBothSides({ name }: Source, diagnostics: Diagnostics): void {
  diagnostics.add({
    ...{ code: 'nat-not-joined', severity: 'info', source: name, locator: '', count: 1 },
    message: `both sides of a NAT are in this capture of more than ${JOINED} connections: each is listed once for either side; filter one side out (host ADDRESS)`,
  });
}

/** Where there are many, some at the beginning, in the middle and at the end are asked. */
function showsBothSides(records: Records): boolean {
  const { count } = records;
  if (count <= LISTED) return translated(viewsOf(records)).size > 0;
  return [0, count >> 1, count - SAMPLE].some(
    (from) => translated(viewsOf(records, from, from + SAMPLE)).size > 0,
  );
}

/** Connects packets and events, brings their clocks together and joins them into cases. */
function join(
  sources: Source[],
  collector: Collector,
  diagnostics: Diagnostics,
  readings: Readings | undefined,
): Context {
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
  const captures = [...collector.trackers.values()].map((t) => t.records()).filter((r) => r.count > 0);
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
  const joined = () => buildCases({ ...around, wires, lives, timeline, diagnostics }, listeners);
  const cases = alone ? new CaptureCases(captures[0]!, listeners, events, icmp!) : casesOf(joined());
  return {
    sources,
    hosts,
    cases,
    listeners,
    counters: counterSeries(sources, collector.events, hostOf, diagnostics, readings),
    snapshots: events.filter((e) => e.kind === 'snapshot'),
    settings: settings(collector.events, hostOf),
    log: events.filter((e) => e.kind === 'log'),
    stateCounts: events.filter((e) => e.kind === 'state-count'),
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
    for (const { name, value } of own) {
      if ((values.get(name) ?? value) !== value) changed.add(name);
      values.set(name, value);
    }
    return [{ host: hostOf.get(id) ?? null, values, changed }];
  });
}

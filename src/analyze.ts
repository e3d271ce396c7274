/** The whole line, top to bottom: read → decode → connect → align → explain → report. */
import type { Readings } from './align/counters.ts';
import { join } from './align/join.ts';
import { type CivilOptions, placeWallClocks } from './align/zone.ts';
import { Collector } from './collector.ts';
import type { Keep } from './explain/explain.ts';
import type { Rule } from './explain/rule.ts';
import { nameContainers } from './model/container.ts';
import { Diagnostics } from './model/diagnostic.ts';
import type { Finding } from './model/finding.ts';
import type { Source } from './model/source.ts';
import { disk } from './platform/files.ts';
import type { Files } from './platform/types.ts';
import { givenInputs, type Input } from './read/given.ts';
import { type HostNames, type ReadProgress, readInputs } from './read/read.ts';
import { assembleResult, type ResultOptions, TableSpool, type Tables } from './tables/assemble.ts';
import type { ConnectionRow } from './tables/connections.ts';
import type { Result } from './tables/result.ts';
import { ReadingAhead } from './workers/ahead.ts';
import { DecidingBeside, explainingInto } from './workers/deciding.ts';
import type { Pool } from './workers/pool.ts';

export interface AnalyzeOptions extends CivilOptions, ResultOptions {
  /** Host names by input path. */
  hosts?: HostNames;
  /** Names of containers and pods by id (see parseNames). */
  names?: ReadonlyMap<string, string>;
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
  /** Threads that read some of several captures, and decide connections of a large one; the result is the same. */
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
  placeWallClocks(sources, options);
  if (options.names) nameContainers(sources, options.names);
  collector.finish();
  const { readings, rules, keep, onConnection } = options;
  // what is asked for by a function no other thread can answer
  const pool = rules || keep || onConnection ? undefined : options.pool;
  const beside = new DecidingBeside(pool, collector, {
    sources,
    zeekTimers,
    readings,
    hasTables: tables !== null,
  });
  await options.onRead?.(sources);
  const listed = listsAll(options) ? Infinity : (options.listed ?? LISTED);
  const { busy = (stage) => stage() } = options;
  const { onStage = () => undefined } = options;
  onStage('joining');
  const context = busy(() => join(sources, collector, diagnostics, readings));
  onStage('explaining');
  const asked = { ...(rules && { rules }), ...(keep && { keep }) };
  const explaining = explainingInto(tables, context, diagnostics, asked, onConnection);
  const { count } = context.cases;
  busy(() => explaining.decide(0, beside.own(count)));
  await beside.rest(explaining, tables, diagnostics, count, busy);
  const explanation = busy(() => explaining.conclude());
  tables?.addFindings(explanation.ofHosts);
  return busy(() =>
    assembleResult(context, explanation, diagnostics, options, listed, tables?.durations ?? null),
  );
}

/** So many connections are all listed one by one. */
const LISTED = 10_000;

/** What is asked for needs a case of every connection. */
function listsAll({ listAll, timeline, keep }: AnalyzeOptions): boolean {
  return listAll === true || timeline === 'all' || keep !== undefined;
}

/** `tcpautopsy batch`: an archive of captures, on one machine or in shards. */
import type { ArgumentsCamelCase, Argv } from 'yargs';
import { defaultLimits } from '../archive/crew.ts';
import { QueueError } from '../archive/queue.ts';
import type { BatchEvents, BatchOptions, BatchSummary } from '../batch.ts';
import { absolute } from '../platform/files.ts';
import { onInterrupt } from '../platform/interrupt.ts';
import { AccessError } from '../platform/s3.ts';
import { cores } from '../platform/threads.ts';
import { causeSentences, limits as limitsOf, scopeOf } from '../view/rollup.ts';
import { counted } from '../view/words.ts';
import { UsageError } from './arguments.ts';
import { BatchProgress } from './batch-progress.ts';
import { define } from './command.ts';
import { err, out } from './console.ts';
import { EXIT_DAMAGED, EXIT_NOTHING, EXIT_OK, writing } from './faults.ts';

const EXIT_INTERRUPTED = 130;

export const batch = define({
  command: 'batch <path..>',
  describe: 'analyse an archive of captures (folders, tar, zip), and roll up which of them show what',
  options: batchOptions,
  examples: [
    ['batch captures/ -o OUT', 'again later: only what is new or has changed'],
    ['batch captures/ -o OUT --shard 1/4', 'on each of 4 machines its part'],
    ['batch report OUT [GROUP]', 'the roll-up again, or the page of one group'],
    ['batch report OUT --new-since 2026-11-20', 'what is new since then, not since the last run'],
    ['batch compact OUT', 'one table file a day instead of one a group'],
  ],
  async run(a) {
    const [word, ...rest] = a.path;
    if (word === 'report' && a.output === undefined) return report(rest, a.newSince);
    if (word === 'compact' && a.output === undefined) return compact(rest);
    const options = optionsOf(a);
    const { output } = a;
    if (output === undefined) throw new UsageError('Missing -o OUT: the folder to write, or to go on with');
    const { openOut, planBatch, runBatch } = await import('../batch.ts');
    if (a.dryRun) {
      const store = await openOut(options.out, () => undefined);
      const planned = await planBatch(options, store, { look: () => undefined });
      await store.tidy();
      return printPlan(planned);
    }
    const progress = new BatchProgress(process.stderr);
    const events: BatchEvents = {
      look: (file, done, of) => progress.look(file, done, of),
      plan: (_, todo, before) => progress.plan(todo, before),
      begin: (group) => progress.begin(group),
      end: (group, outcome) => progress.end(group, outcome),
      note: (text) => err(`tcpautopsy: ${text}`),
    };
    const asked = (stop: () => void) =>
      onInterrupt(() => {
        progress.clear();
        err('tcpautopsy: ends with the groups it is at; Ctrl-C again ends at once');
        stop();
      });
    const summary = await writing(output, () => runBatch(options, events, asked))
      .catch(refused)
      .finally(() => progress.clear());
    return ended(summary, output, a.since === undefined && a.until === undefined);
  },
});

/** A bucket or a queue that cannot be used is a mistake of the command line. */
function refused(error: unknown): never {
  if (error instanceof AccessError || error instanceof QueueError) throw new UsageError(error.message);
  throw error;
}

type BatchArguments = ReturnType<typeof batchOptions> extends Argv<infer T> ? T : never;

function batchOptions(y: Argv) {
  const text = { type: 'string' } as const;
  return y
    .positional('path', { ...text, array: true, demandOption: true, describe: 'folders, archives, captures' })
    .option('output', { ...text, alias: 'o', describe: 'folder to write, or to go on with' })
    .option('jobs', { type: 'number', describe: 'processes (default: one a core)' })
    .option('shard', { ...text, describe: 'I/N: only part I of N; the same OUT for all, or one each' })
    .option('queue', { ...text, describe: 'redis://HOST:PORT: workers on other machines do the groups' })
    .option('recursive', { type: 'boolean', default: true, describe: 'folders in folders (--no-recursive)' })
    .option('exclude', { ...text, array: true, nargs: 1, describe: 'GLOB of paths to leave out' })
    .option('since', { ...text, describe: 'only captures with packets since then (2026-11-03, …T14:00Z)' })
    .option('until', { ...text, describe: 'only captures with packets until then' })
    .option('html', {
      choices: ['never', 'errors', 'all'] as const,
      default: 'never' as const,
      describe: 'groups that get report.html: none, those with an error, all',
    })
    .option('connections', {
      choices: ['problems', 'all'] as const,
      default: 'problems' as const,
      describe: 'connections that the tables list one by one; others are counted',
    })
    .option('retry-failed', { type: 'boolean', default: false, describe: 'try again what failed before' })
    .option('new-since', { ...text, describe: 'batch report: new is what was first seen then or later' })
    .option('dry-run', { type: 'boolean', default: false, describe: 'print the plan, analyse nothing' })
    .option('memory-limit', { ...text, describe: 'of a process (2G)' })
    .option('time-limit', { type: 'number', describe: 'seconds for a group (1800)' })
    .option('size-limit', { ...text, describe: 'of the files of a group (50G)' });
}

async function report([folder, group]: readonly string[], since: string | undefined): Promise<number> {
  if (folder === undefined) throw new UsageError('batch report OUT [GROUP]: name the folder of a batch');
  const { reportOf } = await import('../batch-report.ts');
  const ms = (text: string) => Number(timeIn('new-since', text, false) / 1_000_000n);
  const at = since === undefined ? undefined : new Date(ms(since)).toISOString();
  const { page, lines } = await writing(folder, () => reportOf(folder, group, at));
  for (const line of lines) out(line);
  out(`Page: ${page}`);
  return EXIT_OK;
}

async function compact([folder]: readonly string[]): Promise<number> {
  if (folder === undefined) throw new UsageError('batch compact OUT: name the folder of a batch');
  const { compactOut } = await import('../batch-report.ts');
  const { before, after } = await writing(folder, () => compactOut(folder));
  out(`${counted(before, 'table file')} put into ${after}`);
  return EXIT_OK;
}

function optionsOf(a: ArgumentsCamelCase<BatchArguments>): BatchOptions {
  const { output = '' } = a;
  const jobs = a.jobs ?? cores();
  if (!(Number.isInteger(jobs) && jobs >= 0)) throw new UsageError('--jobs: expected a number of processes');
  const limits = defaultLimits(jobs);
  if (a.memoryLimit !== undefined) limits.memory = sizeIn('memory-limit', a.memoryLimit);
  if (a.timeLimit !== undefined) limits.time = a.timeLimit * 1000;
  if (a.sizeLimit !== undefined) limits.size = sizeIn('size-limit', a.sizeLimit);
  return {
    // workers have a working folder of their own
    inputs: a.queue === undefined ? a.path : a.path.map(absolute),
    out: a.queue === undefined ? output : absolute(output),
    jobs,
    shard: a.shard === undefined ? null : shardIn(a.shard),
    walk: { recursive: a.recursive, exclude: a.exclude ?? [] },
    period: {
      since: a.since === undefined ? null : timeIn('since', a.since, false),
      until: a.until === undefined ? null : timeIn('until', a.until, true),
    },
    group: { html: a.html, connections: a.connections },
    retryFailed: a.retryFailed,
    queue: a.queue ?? null,
    limits,
  };
}

function printPlan({
  plan,
  todo,
  before,
}: Awaited<ReturnType<typeof import('../batch.ts').planBatch>>): number {
  for (const { place, reason, why, members } of todo)
    out(`${place}: ${counted(members.length, 'file')}, ${reason} (${why})`);
  for (const { place, at, reason } of plan.problems)
    out(`${place}: ${[at, reason].filter(Boolean).join(': ')}`);
  out(`${counted(todo.length, 'group')} to do, ${before} done`);
  return EXIT_OK;
}

function ended(summary: BatchSummary, output: string, isOfAllTime: boolean): number {
  const { plan, done, failed, damaged, before, stopped, rollup } = summary;
  if (plan.groups.length === 0) {
    for (const { place, reason } of plan.problems) err(`tcpautopsy: ${place}: ${reason}`);
    err(
      isOfAllTime
        ? 'tcpautopsy: nothing to analyse: no capture, bundle or log of a known tool among the inputs'
        : 'tcpautopsy: nothing to analyse: no capture, bundle or log of that time among the inputs',
    );
    return EXIT_NOTHING;
  }
  const counts = [`${counted(done, 'group')} done`, `${failed} failed`, `${before} done before`];
  out(counts.join(', '));
  if (stopped) {
    out('Stopped. The same command goes on where it ended.');
    return EXIT_INTERRUPTED;
  }
  if (rollup) for (const line of [scopeOf(rollup), ...causeSentences(rollup), ...limitsOf(rollup)]) out(line);
  out(`Roll-up: ${output}/rollup.html`);
  const unread = failed + plan.problems.length;
  if (unread > 0) out(`Not read: ${output}/failed.csv`);
  return unread + damaged > 0 ? EXIT_DAMAGED : EXIT_OK;
}

/** `3/8`. */
function shardIn(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.index >= 1 && shard.index <= shard.count))
    throw new UsageError(`--shard ${text}: expected I/N with I from 1 to N, as in 1/4`);
  return shard;
}

/** ns of the Unix epoch; a day is its beginning, or its end. */
function timeIn(option: string, text: string, end: boolean): bigint {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const zoned = isDay || /(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`;
  const ms = Date.parse(isDay && end ? `${text}T23:59:59.999Z` : zoned);
  if (Number.isNaN(ms))
    throw new UsageError(`--${option} ${text}: expected a time like 2026-11-03 or 2026-11-03T14:00:00Z`);
  return BigInt(ms) * 1_000_000n;
}

const UNITS: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Bytes: `500M`, `2G`. */
function sizeIn(option: string, text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)B?$/i.exec(text) ?? [];
  if (amount === undefined) throw new UsageError(`--${option} ${text}: expected a size like 500M or 2G`);
  return Number(amount) * UNITS[unit!.toUpperCase()]!;
}

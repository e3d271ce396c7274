/** Arguments that several commands take, and what their words mean. */
import type { Argv } from 'yargs';
import { SEVERITIES, type Severity } from '../model/finding.ts';
import { readWhole } from '../platform/files.ts';
import { didYouMean } from '../view/suggest.ts';

/** A mistake in the command line, worded for the person who typed it. */
export class UsageError extends Error {}

/** Columns of a page of help, where the terminal has as many. */
export const HELP_WIDTH = 100;

/** Begins a word that yargs would take for an option, or lose: a lone dash, and what follows `--`. */
const LITERAL = '\u0000';

/** The command line as yargs keeps it whole. What follows `--` is no option, whatever it begins with. */
export function literal(argv: readonly string[]): string[] {
  const at = argv.indexOf('--');
  const words = at < 0 ? argv : [...argv.slice(0, at), ...argv.slice(at + 1)];
  return words.map((word, i) => (word === '-' || (at >= 0 && i >= at) ? LITERAL + word : word));
}

function asTyped(word: string): string {
  return word.startsWith(LITERAL) ? word.slice(LITERAL.length) : word;
}

/** What --filter takes, see view/filter.ts. */
export const FILTER_WORDS =
  'host A, net A/B, port N, portrange A-B (behind client or server: of that end), cause ID, severity S, confidence C, state S, pid N, comm NAME, conn c11; and, or, not, ( )';

export interface InputArguments {
  input: string[];
  host?: string[] | undefined;
  date?: string | undefined;
  tz?: string | undefined;
}

export function inputOptions<T>(y: Argv<T>, isRequired = true) {
  return y
    .positional('input', {
      describe: 'files, folders, or - for standard input; told apart by content',
      type: 'string',
      array: true,
      // where it is not, withReadings sees to it
      demandOption: isRequired as true,
      coerce: (words: string[] = []) => words.map(asTyped),
    })
    .option('host', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'NAME=INPUT: the host an input comes from',
    })
    .option('date', { type: 'string', describe: 'YYYY-MM-DD of logs that print the time of day only' })
    .option('tz', { type: 'string', describe: 'zone of such logs: Asia/Shanghai or +08:00 (default UTC)' });
}

export interface ReadingArguments {
  before?: string[] | undefined;
  after?: string[] | undefined;
  names?: string | undefined;
}

export function readingOptions<T>(y: Argv<T>) {
  const file = { type: 'string', array: true, nargs: 1 } as const;
  return y
    .option('before', {
      ...file,
      describe: 'FILE with counters of a host (nstat -az, netstat -s) before the trouble',
    })
    .option('after', { ...file, describe: 'FILE with counters of the same host after it' })
    .option('names', {
      type: 'string',
      describe: 'FILE with names of containers and pods: ID NAME a line, as docker ps --no-trunc prints them',
    });
}

/** Of --names. Rejects with UsageError where the file cannot be read or names nothing. */
export async function containerNames(file: string | undefined): Promise<Map<string, string> | null> {
  if (file === undefined) return null;
  const { parseNames } = await import('../model/container.ts');
  const names = parseNames(new TextDecoder().decode(await readWhole(file).catch(toUsageError)));
  if (names.size === 0) throw new UsageError(`--names ${file}: no line of it is ID NAME`);
  return names;
}

/** With the readings among its inputs: they are read as any other. */
export function withReadings<T extends InputArguments & ReadingArguments>(a: T): T {
  const { before = [], after = [] } = a;
  if ((before.length === 0) !== (after.length === 0))
    throw new UsageError('--before and --after go together: one reading of counters shows no change');
  const both = before.find((path) => after.includes(path));
  if (both !== undefined) throw new UsageError(`${both} is given as --before and as --after`);
  const input = [...new Set([...a.input, ...before, ...after])];
  if (input.length === 0) throw new UsageError('Missing input: files, folders or - for standard input');
  return { ...a, input };
}

export function toUsageError(error: unknown): never {
  throw new UsageError(error instanceof Error ? error.message : String(error));
}

/** What `work` returns; a mistake it finds is one of the command line. */
export function usage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    toUsageError(error);
  }
}

export function hostNames(pairs: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1) throw new UsageError(`--host ${pair}: expected NAME=INPUT`);
    names.set(pair.slice(at + 1), pair.slice(0, at));
  }
  return names;
}

/** Rejects with UsageError where no rule has this id. */
export async function knownRule(id: string): Promise<void> {
  const { rules } = await import('../explain/rules/index.ts');
  const ids = rules.map((r) => r.id);
  if (!ids.some((known) => known === id))
    throw new UsageError(`no cause is called ${id}${didYouMean(id, ids)}; see tcpautopsy rules`);
}

export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function failOnOption<T>(y: Argv<T>) {
  return y.option('fail-on', {
    type: 'string',
    describe:
      'SEVERITY or CAUSE: end with status 4 when one as bad, or this one, is found (error, warning, unread-data-reset …)',
  });
}

/** Rejects with UsageError where --fail-on names neither a severity nor a rule. */
export async function checkFailOn(failOn: string | undefined): Promise<void> {
  if (failOn !== undefined && !SEVERITIES.some((s) => s === failOn)) await knownRule(failOn);
}

export function failsOn(
  failOn: string | undefined,
  causes: readonly { rule: string; severity: Severity }[],
): boolean {
  if (failOn === undefined) return false;
  const least = SEVERITIES.indexOf(failOn as Severity);
  return causes.some((c) => (least < 0 ? c.rule === failOn : SEVERITIES.indexOf(c.severity) >= least));
}

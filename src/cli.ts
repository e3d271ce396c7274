#!/usr/bin/env node
/** argv and exit codes. The only place that prints. */
import yargs, { type Argv } from 'yargs';
import { hideBin } from 'yargs/helpers';
import type { AnalyzeOptions } from './analyze.ts';
import type { Diagnostic } from './model/diagnostic.ts';
import type { Result } from './model/result.ts';
import { Progress } from './progress.ts';
import { VERSION } from './version.ts';

const EXIT_OK = 0;
const EXIT_USAGE = 1;
const EXIT_DAMAGED = 2;
const EXIT_NOTHING = 3;
const EXIT_INTERRUPTED = 130;

/** A mistake in the command line, worded for the person who typed it. */
class UsageError extends Error {}

const out = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
const err = (text: string) => process.stderr.write(`${text}\n`);

/** What stands for `-` while yargs parses: it would lose a lone dash among positional arguments. */
const STDIN = '\u0000-';

interface InputArguments {
  input: string[];
  host?: string[] | undefined;
  date?: string | undefined;
  tz?: string | undefined;
}

function inputOptions<T>(y: Argv<T>) {
  return y
    .positional('input', {
      describe: 'files, folders, or - for standard input; told apart by content',
      type: 'string',
      array: true,
      demandOption: true,
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

async function main(argv: string[]): Promise<number> {
  let status = EXIT_OK;
  const run = (work: () => Promise<number>) => async () => {
    status = await work();
  };
  await yargs(argv)
    .scriptName('tcpautopsy')
    .usage('$0 COMMAND\n\nTells from files alone how TCP connections on Linux began and ended, and why.')
    .command(
      'analyze <input...>',
      'write CSV, charts and a report about every connection to a folder',
      (y) =>
        inputOptions(y)
          .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'folder to write' })
          .option('filter', {
            type: 'string',
            describe: 'host A, port N, net A/B, rule ID; and, or, not, ( )',
          })
          .option('timeline', {
            choices: ['findings', 'all'] as const,
            default: 'findings' as const,
            describe: 'connections in timeline.csv',
          })
          .option('zeek-timers', {
            type: 'boolean',
            default: false,
            describe: 'split connections where Zeek would',
          })
          .option('html', {
            type: 'boolean',
            default: true,
            describe: 'report.html and SVG charts (--no-html: neither)',
          }),
      (a) => run(() => analyzeCommand(a))(),
    )
    .command(
      'explain <input...>',
      'explain in the terminal, write nothing',
      (y) =>
        inputOptions(y)
          .option('connection', {
            type: 'string',
            describe: 'A:P-B:P: only this connection, either way round',
          })
          .option('rule', { type: 'string', describe: 'only connections for which this rule holds' })
          .option('filter', { type: 'string', describe: 'as for analyze' }),
      (a) => run(() => explainCommand(a))(),
    )
    .command(
      'rules [id]',
      'list the causes that are known, or explain one',
      (y) => y.positional('id', { type: 'string', describe: 'a rule, for example unread-data-reset' }),
      (a) => run(() => rulesCommand(a.id))(),
    )
    .command(
      'formats',
      'list the formats that are read, and what each can prove',
      (y) => y,
      run(formatsCommand),
    )
    .completion('completion', 'print a completion script for bash or zsh')
    .demandCommand(1, 'Say what to do: analyze, explain, rules or formats.')
    .strict()
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    })
    .parseAsync();
  return status;
}

async function analyzeCommand(
  a: InputArguments & {
    output: string;
    filter?: string | undefined;
    timeline: 'findings' | 'all';
    zeekTimers: boolean;
    html: boolean;
  },
): Promise<number> {
  const { checkOutput, writeReport } = await import('./report/write.ts');
  await checkOutput(a.output).catch(toUsageError);
  const result = await runAnalysis(a, { timeline: a.timeline, zeekTimers: a.zeekTimers }, a.filter);
  reportDiagnostics(result.diagnostics);
  if (nothingRead(result)) return EXIT_NOTHING;
  await writeReport(result, a.output, { html: a.html });
  const { renderSummary } = await import('./report/terminal.ts');
  out(renderSummary(result, a.output, terminal(), a.html));
  return exitStatus(result);
}

async function explainCommand(
  a: InputArguments & {
    connection?: string | undefined;
    rule?: string | undefined;
    filter?: string | undefined;
  },
): Promise<number> {
  const parts = [
    a.filter && `(${a.filter})`,
    a.rule && `rule ${a.rule}`,
    a.connection && connectionFilter(a.connection),
  ];
  if (a.rule) await knownRule(a.rule);
  const filter = parts.filter(Boolean).join(' and ');
  const result = await runAnalysis(a, { timeline: a.connection ? 'all' : 'findings' }, filter || undefined);
  reportDiagnostics(result.diagnostics);
  if (nothingRead(result)) return EXIT_NOTHING;
  const { renderExplain } = await import('./report/terminal.ts');
  out(renderExplain(result, terminal()));
  return exitStatus(result);
}

async function runAnalysis(
  a: InputArguments,
  options: Omit<AnalyzeOptions, 'hosts' | 'date' | 'zone'>,
  filter: string | undefined,
): Promise<Result> {
  const [{ analyze }, { filterResult, parseFilter }, { checkCivil }] = await Promise.all([
    import('./analyze.ts'),
    import('./report/filter.ts'),
    import('./align/zone.ts'),
  ]);
  let predicate: ReturnType<typeof parseFilter> | null = null;
  try {
    if (filter) predicate = parseFilter(filter);
    checkCivil({ date: a.date, zone: a.tz });
  } catch (error) {
    toUsageError(error);
  }
  const progress = new Progress(process.stderr);
  const result = await analyze(
    a.input.map((path) => (path === STDIN ? '-' : path)),
    {
      ...options,
      hosts: hostNames(a.host ?? []),
      date: a.date,
      zone: a.tz,
      command: `tcpautopsy ${process.argv.slice(2).map(quoted).join(' ')}`,
      onProgress: (p) => progress.show(p),
    },
  );
  progress.clear();
  return predicate ? filterResult(result, predicate) : result;
}

function toUsageError(error: unknown): never {
  throw new UsageError(error instanceof Error ? error.message : String(error));
}

function hostNames(pairs: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1) throw new UsageError(`--host ${pair}: expected NAME=INPUT`);
    names.set(pair.slice(at + 1), pair.slice(0, at));
  }
  return names;
}

/** `10.0.0.1:4000-10.0.0.2:80`, either end first; brackets around IPv6. */
function connectionFilter(text: string): string {
  const end = String.raw`\[?([0-9A-Fa-f.:]+?)\]?:(\d+)`;
  const match = new RegExp(`^${end}-${end}$`).exec(text);
  if (!match) throw new UsageError(`--connection ${text}: expected ADDRESS:PORT-ADDRESS:PORT`);
  return `host ${match[1]} and port ${match[2]} and host ${match[3]} and port ${match[4]}`;
}

async function knownRule(id: string): Promise<void> {
  const { rules } = await import('./explain/rules/index.ts');
  if (!rules.some((r) => r.id === id)) throw new UsageError(`no rule is called ${id}; see tcpautopsy rules`);
}

async function rulesCommand(id: string | undefined): Promise<number> {
  const [{ rules }, { renderRules }] = await Promise.all([
    import('./explain/rules/index.ts'),
    import('./report/terminal.ts'),
  ]);
  if (id) await knownRule(id);
  out(renderRules(id ? rules.filter((r) => r.id === id) : rules, terminal(), id !== undefined));
  return EXIT_OK;
}

async function formatsCommand(): Promise<number> {
  const [{ captureFormats, lineFormats }, { renderFormats }] = await Promise.all([
    import('./read/formats.ts'),
    import('./report/terminal.ts'),
  ]);
  out(renderFormats([...captureFormats, ...lineFormats], terminal()));
  return EXIT_OK;
}

function terminal(): { width: number; color: boolean } {
  const tty = process.stdout.isTTY === true;
  return { width: process.stdout.columns ?? 100, color: tty && !process.env.NO_COLOR };
}

function nothingRead(result: Result): boolean {
  return result.inputs.every((i) => i.records === 0);
}

function exitStatus(result: Result): number {
  return result.diagnostics.some((d) => d.severity !== 'info' && !d.upstream) ? EXIT_DAMAGED : EXIT_OK;
}

/** What the user must know before trusting the output. Notes (`info`) are in diagnostics.csv and on the report. */
function reportDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const d of diagnostics) {
    if (d.severity === 'info') continue;
    const place = [d.source, d.locator].filter(Boolean).join(', ');
    const times = d.count > 1 ? ` (${d.count} times)` : '';
    err(`tcpautopsy: ${place}: ${d.message}${times}`);
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

process.on('SIGINT', () => process.exit(EXIT_INTERRUPTED));
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // the reader of a pipe has gone (`| head`): nothing is left to say
  if (error.code === 'EPIPE') process.exit(EXIT_OK);
  throw error;
});

try {
  process.exitCode = await main(hideBin(process.argv).map((word) => (word === '-' ? STDIN : word)));
} catch (error) {
  if (error instanceof UsageError) {
    err(`tcpautopsy: ${error.message}\nTry: tcpautopsy --help`);
    process.exitCode = EXIT_USAGE;
  } else if ((error as NodeJS.ErrnoException)?.code) {
    err(`tcpautopsy: ${(error as Error).message}`);
    process.exitCode = EXIT_USAGE;
  } else {
    err(
      `tcpautopsy: this is a fault of ours, please report it: ${error instanceof Error ? error.stack : error}`,
    );
    process.exitCode = EXIT_USAGE;
  }
}

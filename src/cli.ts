#!/usr/bin/env node
/** argv and exit codes. The only place that prints. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import type { AnalyzeOptions } from './analyze.ts';
import {
  connectionFilter,
  hostNames,
  type InputArguments,
  inputOptions,
  type RedactArguments,
  redactOptions,
  redactor,
  STDIN,
  toUsageError,
  UsageError,
  usage,
} from './arguments.ts';
import { commandLine, diagnosticLines } from './messages.ts';
import type { Result } from './model/result.ts';
import { Progress } from './progress.ts';
import { VERSION } from './version.ts';

const EXIT_OK = 0;
const EXIT_USAGE = 1;
const EXIT_DAMAGED = 2;
const EXIT_NOTHING = 3;
const EXIT_INTERRUPTED = 130;

const out = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
const err = (text: string) => process.stderr.write(`${text}\n`);

async function main(argv: string[]): Promise<number> {
  // its options are the script's own, and `--` belongs to it
  if (argv[0] === 'capture') return (await import('./capture.ts')).runCapture(argv.slice(1));
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
        redactOptions(inputOptions(y))
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
          })
          .option('png', { type: 'boolean', default: false, describe: 'the charts as PNG too' }),
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
          .option('time', {
            type: 'string',
            describe: 'FROM..TO: only connections that lived then (06:56..06:57)',
          })
          .option('filter', { type: 'string', describe: 'as for analyze' }),
      (a) => run(() => explainCommand(a))(),
    )
    .command(
      'annotate <input...>',
      'write one pcapng file of all packets, with what was found as comments, for Wireshark',
      (y) =>
        redactOptions(inputOptions(y)).option('output', {
          alias: 'o',
          type: 'string',
          demandOption: true,
          describe: 'file to write',
        }),
      (a) => run(() => annotateCommand(a))(),
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
    .command(
      'capture',
      'record a bundle on this host (root, bpftrace, tcpdump); options: tcpautopsy capture --help',
      (y) => y.strict(false).help(false),
      run(() => Promise.resolve(EXIT_OK)),
    )
    .command(
      'capture-kit',
      'write the capture command as a tar.gz, for hosts without Node',
      (y) =>
        y.option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'file to write' }),
      (a) => run(() => captureKitCommand(a.output))(),
    )
    .completion('completion', 'print a completion script for bash or zsh')
    .demandCommand(1, 'Say what to do: capture, analyze, explain, annotate, rules or formats.')
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

async function captureKitCommand(output: string): Promise<number> {
  await (await import('./capture.ts')).writeKit(output);
  out(`${output}: unpack it on the host and run capture/tcpautopsy-capture -o DIR`);
  return EXIT_OK;
}

async function analyzeCommand(
  a: InputArguments &
    RedactArguments & {
      output: string;
      filter?: string | undefined;
      timeline: 'findings' | 'all';
      zeekTimers: boolean;
      html: boolean;
      png: boolean;
    },
): Promise<number> {
  const { checkOutput, writeReport } = await import('./report/write.ts');
  await checkOutput(a.output).catch(toUsageError);
  const secret = await redactor(a);
  const plain = await runAnalysis(a, { timeline: a.timeline, zeekTimers: a.zeekTimers }, a.filter);
  for (const line of diagnosticLines(plain.diagnostics)) err(line);
  const { hashInputs } = await import('./report/hashes.ts');
  const result = await redacted(await hashInputs(plain), secret);
  if (nothingRead(result)) return EXIT_NOTHING;
  await writeReport(result, a.output, { html: a.html, png: a.png });
  const { renderSummary } = await import('./report/terminal.ts');
  out(renderSummary(result, a.output, terminal(), a.html));
  return exitStatus(result);
}

async function explainCommand(
  a: InputArguments & {
    connection?: string | undefined;
    rule?: string | undefined;
    time?: string | undefined;
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
  const { parsePeriod, withinPeriod } = await import('./report/period.ts');
  const period = a.time === undefined ? null : usage(() => parsePeriod(a.time!));
  const all = await runAnalysis(
    a,
    { timeline: a.connection ? 'all' : 'findings', whole: period !== null },
    filter || undefined,
  );
  const result = period ? withinPeriod(all, period) : all;
  for (const line of diagnosticLines(result.diagnostics)) err(line);
  if (nothingRead(result)) return EXIT_NOTHING;
  const { renderExplain } = await import('./report/terminal.ts');
  out(renderExplain(result, terminal()));
  return exitStatus(result);
}

async function annotateCommand(a: InputArguments & RedactArguments & { output: string }): Promise<number> {
  if (a.input.includes(STDIN)) throw new UsageError('annotate reads its inputs twice; give files');
  const secret = await redactor(a);
  const plain = await runAnalysis(a, { timeline: 'all' }, undefined);
  for (const line of diagnosticLines(plain.diagnostics)) err(line);
  if (nothingRead(plain)) return EXIT_NOTHING;
  const { annotate } = await import('./report/annotate/annotate.ts');
  const hosts = hostNames(a.host ?? []);
  const redact = secret ? { redact: secret } : {};
  const made = await annotate(await redacted(plain, secret), a.input, a.output, { hosts, ...redact });
  out(
    `${a.output}: ${made.packets} packets, ${made.comments} comments, ${made.events} events. In Wireshark: frame.comment`,
  );
  return exitStatus(plain);
}

async function redacted(result: Result, secret: Awaited<ReturnType<typeof redactor>>): Promise<Result> {
  if (!secret) return result;
  return (await import('./report/redact/result.ts')).redactResult(result, secret);
}

async function runAnalysis(
  a: InputArguments,
  options: Omit<AnalyzeOptions, 'hosts' | 'date' | 'zone'>,
  filter: string | undefined,
): Promise<Result> {
  const [{ analyze }, { parseFilter }, { checkCivil }] = await Promise.all([
    import('./analyze.ts'),
    import('./report/filter.ts'),
    import('./align/zone.ts'),
  ]);
  const keep = filter ? usage(() => parseFilter(filter)) : undefined;
  usage(() => checkCivil({ date: a.date, zone: a.tz }));
  const progress = new Progress(process.stderr);
  const result = await analyze(
    a.input.map((path) => (path === STDIN ? '-' : path)),
    {
      ...options,
      ...(keep && { keep }),
      hosts: hostNames(a.host ?? []),
      date: a.date,
      zone: a.tz,
      command: commandLine(process.argv.slice(2)),
      onProgress: (p) => progress.show(p),
    },
  );
  progress.clear();
  return result;
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
  if (result.inputs.some((i) => i.records > 0)) return false;
  const names = result.inputs.map((i) => i.name).join(', ');
  err(`tcpautopsy: nothing to explain${names && `: no packet and no event in ${names}`}`);
  return true;
}

function exitStatus(result: Result): number {
  return result.diagnostics.some((d) => d.severity !== 'info' && !d.upstream) ? EXIT_DAMAGED : EXIT_OK;
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

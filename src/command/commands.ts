/** The commands and their options, as yargs parses and documents them. */
import yargs from 'yargs';
import { VERSION } from '../platform/package.ts';
import {
  HELP_WIDTH,
  type InputArguments,
  inputOptions,
  type ReadingArguments,
  type RedactArguments,
  readingOptions,
  redactOptions,
  UsageError,
  withReadings,
} from './arguments.ts';

export interface AnalyzeArguments extends InputArguments, ReadingArguments, RedactArguments {
  output: string;
  filter?: string | undefined;
  timeline: 'findings' | 'all';
  zeekTimers: boolean;
  html: boolean;
  png: boolean;
  workers?: number | undefined;
}

export interface ExplainArguments extends InputArguments, ReadingArguments {
  connection?: string | undefined;
  rule?: string | undefined;
  time?: string | undefined;
  filter?: string | undefined;
}

export interface AnnotateArguments extends InputArguments, RedactArguments {
  output: string;
}

/** What each command does; resolves to the exit status. */
export interface Commands {
  analyze(a: AnalyzeArguments): Promise<number>;
  explain(a: ExplainArguments): Promise<number>;
  annotate(a: AnnotateArguments): Promise<number>;
  rules(id: string | undefined): Promise<number>;
  formats(): Promise<number>;
  events(bundle: string): Promise<number>;
  captureKit(output: string): Promise<number>;
}

/** Runs the command that `argv` names. Rejects with UsageError when it makes no sense. */
export async function runCommand(argv: readonly string[], commands: Commands): Promise<number> {
  let status = 0;
  const run = async (work: () => Promise<number>) => {
    status = await work();
  };
  await yargs(argv)
    .scriptName('tcpautopsy')
    .usage('$0 COMMAND\n\nTells from files alone how TCP connections on Linux began and ended, and why.')
    .command(
      'analyze [input...]',
      'write CSV, charts and a report about every connection to a folder',
      (y) =>
        redactOptions(readingOptions(inputOptions(y, false)))
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
          .option('png', { type: 'boolean', default: false, describe: 'the charts as PNG too' })
          .option('workers', {
            type: 'number',
            describe: 'threads beside the main one (0: none); the output is the same',
          }),
      (a) => run(async () => commands.analyze(withReadings(a))),
    )
    .command(
      'explain [input...]',
      'explain in the terminal, write nothing',
      (y) =>
        readingOptions(inputOptions(y, false))
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
      (a) => run(async () => commands.explain(withReadings(a))),
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
      (a) => run(() => commands.annotate(a)),
    )
    .command(
      'rules [id]',
      'list the causes that are known, or explain one',
      (y) => y.positional('id', { type: 'string', describe: 'a rule, for example unread-data-reset' }),
      (a) => run(() => commands.rules(a.id)),
    )
    .command(
      'formats',
      'list the formats that are read, and what each can prove',
      (y) => y,
      () => run(() => commands.formats()),
    )
    .command(
      'events <bundle>',
      'print the events of a capture bundle, one JSON object a line',
      (y) => y.positional('bundle', { type: 'string', demandOption: true, describe: 'its folder' }),
      (a) => run(() => commands.events(a.bundle)),
    )
    .command(
      'capture',
      'record a bundle on this host (root, bpftrace, tcpdump); options: tcpautopsy capture --help',
      (y) => y.strict(false).help(false),
    )
    .command(
      'capture-kit',
      'write the capture command as a tar.gz, for hosts without Node',
      (y) =>
        y.option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'file to write' }),
      (a) => run(() => commands.captureKit(a.output)),
    )
    .completion('completion', 'print a completion script for bash or zsh')
    .demandCommand(1, 'Say what to do: capture, analyze, explain, annotate, rules or formats.')
    .strict()
    .locale('en')
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(HELP_WIDTH, process.stdout.columns ?? HELP_WIDTH))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(message);
    })
    .parseAsync();
  return status;
}

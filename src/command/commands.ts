/** The commands, as yargs parses and documents them. */
import yargs, { type Argv } from 'yargs';
import { VERSION } from '../platform/package.ts';
import { didYouMean } from '../view/suggest.ts';
import { analyze } from './analyze.ts';
import { annotate } from './annotate.ts';
import { HELP_WIDTH, UsageError } from './arguments.ts';
import { batch } from './batch.ts';
import { capture, captureKit } from './capture.ts';
import type { Command } from './command.ts';
import { compare } from './compare.ts';
import { completeWord, shellOf } from './completion.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { formats, rules } from './lists.ts';
import { worker } from './worker.ts';

const COMMANDS: readonly Command[] = [
  analyze,
  explain,
  annotate,
  compare,
  batch,
  worker,
  rules,
  formats,
  events,
  capture,
  captureKit,
];

/** Runs the command that `argv` names; resolves to its exit status. Rejects with UsageError when it makes no sense. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  let status = 0;
  const modules = COMMANDS.map((make) =>
    make((ended) => {
      status = ended;
    }),
  );
  const names = modules.map((m) => String(m.command).split(' ')[0]!);
  const [first, ...rest] = argv;
  const isHelp = first === 'help';
  const word = isHelp ? rest[0] : first;
  if (word !== undefined && !word.startsWith('-') && !names.includes(word) && word !== 'completion')
    throw new UsageError(`no command is called ${word}${didYouMean(word, names)}`);
  const words = isHelp ? [...rest, '--help'] : first === 'completion' ? [first, ...shellOf(rest)] : argv;
  const parser = yargs(words)
    .scriptName('tcpautopsy')
    .usage('$0 COMMAND\n\nExplains why TCP connections failed, from captures and logs alone.')
    .example('$0 explain capture.pcap', 'in the terminal')
    .example('$0 analyze client.pcap server/ -o report', 'tables, charts and a report')
    .epilogue('tcpautopsy help COMMAND: its options and examples');
  for (const module of modules) parser.command(module);
  parser.completion('completion', 'print a completion script: completion bash, zsh or fish', completeWord);
  await parser
    .demandCommand(1, `Missing command: ${names.join(', ')}`)
    .strict()
    .locale('en')
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(HELP_WIDTH, process.stdout.columns ?? HELP_WIDTH))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(unknownOption(argv, parser) ?? message);
    })
    .parseAsync();
  return status;
}

/** What is said first of a command line with an option that does not exist: what else is amiss may follow from it. */
function unknownOption(argv: readonly string[], y: Argv): string | null {
  const known = optionsOf(y);
  for (const word of argv) {
    const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1];
    if (name !== undefined && !known.includes(name))
      return `no option is called --${name}${didYouMean(
        `--${name}`,
        known.map((k) => `--${k}`),
      )}`;
  }
  return null;
}

/** yargs has it, and its types do not. */
function optionsOf(y: Argv): string[] {
  const { key, alias } = (
    y as unknown as { getOptions(): { key: object; alias: Record<string, string[]> } }
  ).getOptions();
  return [...Object.keys(key), ...Object.values(alias).flat()].filter((name) => name.length > 1);
}

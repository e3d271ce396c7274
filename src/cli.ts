#!/usr/bin/env node
/** From argv to the exit status. */
import { HELP_WIDTH, literal } from './command/arguments.ts';
import { runCapture } from './command/capture.ts';
import { err, out } from './command/console.ts';
import { EXIT_OK, EXIT_OUTPUT, endOf, reasonOf } from './command/faults.ts';
import { printFormats, printRules } from './command/lists.ts';
import { readWhole } from './platform/files.ts';
import { endOnSignals } from './platform/interrupt.ts';
import { growHeapBy } from './platform/process.ts';

// V8 lets a heap grow to twice what is alive or more before it looks for garbage. Of a gigabyte of packets that is
// hundreds of megabytes; a fifth costs a tenth more time. Beside logs, of which more stays alive, it would be a third.
growHeapBy(20);

async function main(argv: string[]): Promise<number> {
  // its options are the script's own, and `--` belongs to it
  if (argv[0] === 'capture') return runCapture(argv.slice(1));
  const answered = await shortcut(argv);
  if (answered !== null) return answered;
  const { runCommand } = await import('./command/commands.ts');
  // a shell that completes hands over words that are not finished
  return runCommand(argv[0] === '--get-yargs-completions' ? argv : literal(withZone(argv)));
}

/** `--tz -08:00` as `--tz=-08:00`: a zone west of Greenwich is no option. */
function withZone(argv: readonly string[]): string[] {
  const at = argv.indexOf('--tz');
  return at >= 0 && /^-\d\d:?\d\d$/.test(argv[at + 1] ?? '')
    ? [...argv.slice(0, at), `--tz=${argv[at + 1]}`, ...argv.slice(at + 2)]
    : [...argv];
}

/** Questions that need no parser are answered without loading one: it takes longer than Node itself. */
async function shortcut([word, id, ...rest]: readonly string[]): Promise<number | null> {
  if (rest.length > 0 || id?.startsWith('-')) return null;
  if (word === 'rules') return printRules(id);
  if (word === 'formats' && id === undefined) return printFormats();
  return ['--help', '-h', 'help'].includes(word ?? '') && id === undefined ? help() : null;
}

/** As the parser printed it when this was built; null where it has to be laid out anew. */
async function help(): Promise<number | null> {
  if ((process.stdout.columns ?? HELP_WIDTH) < HELP_WIDTH) return null;
  const text = await readWhole(new URL('./help.txt', import.meta.url)).catch(() => null);
  if (text === null) return null;
  out(new TextDecoder().decode(text));
  return EXIT_OK;
}

// behind the terminal's ^C, or on a line that shows progress
endOnSignals(() => process.stderr.isTTY && process.stderr.write('\n'));
process.stdout.on('error', (error: Error & { code?: string }) => {
  // the reader of a pipe has gone (`| head`): nothing is left to say
  if (error.code === 'EPIPE') process.exit(EXIT_OK);
  err(`tcpautopsy: standard output could not be written: ${reasonOf(error)}`);
  process.exit(EXIT_OUTPUT);
});

// not awaited here: the one executable file holds it as CommonJS
main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    const { status, text } = endOf(error);
    err(text);
    process.exitCode = status;
  },
);

/** A command line from its words to its exit status. */
import { readWhole } from '../platform/files.ts';
import { HELP_WIDTH, literal } from './arguments.ts';
import { runCapture } from './capture.ts';
import { err, out } from './console.ts';
import { EXIT_OK, endOf } from './faults.ts';
import { printFormats, printRules } from './lists.ts';

/** @param argv without the names of Node and of the program; what fails is said on standard error */
export async function main(argv: string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    const { status, text } = endOf(error);
    err(text);
    return status;
  }
}

async function run(argv: string[]): Promise<number> {
  // its options are the script's own, and `--` belongs to it
  if (argv[0] === 'capture') return runCapture(argv.slice(1));
  const answered = await shortcut(argv);
  if (answered !== null) return answered;
  const { runCommand } = await import('./commands.ts');
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

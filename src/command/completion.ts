/** What a shell asks when Tab is pressed. */
import { UsageError } from './arguments.ts';

const SHELLS = ['bash', 'zsh', 'fish'];

/** The words behind `completion` without the shell: yargs writes the script for the one that SHELL names. */
export function shellOf([shell, ...rest]: readonly string[]): string[] {
  if (shell === undefined) return [];
  if (shell.startsWith('-')) return [shell, ...rest];
  if (!SHELLS.includes(shell)) throw new UsageError(`completion ${shell}: expected ${SHELLS.join(', ')}`);
  process.env.SHELL = shell;
  return rest;
}

type Done = (words: string[]) => void;

/** Ids of rules where one is due; what yargs knows of commands and options elsewhere. */
export async function completeWord(
  _current: string,
  { _: words }: { _: (string | number)[] },
  others: () => void,
  done: Done,
): Promise<void> {
  const line = process.argv.slice(process.argv.indexOf('--get-yargs-completions') + 1);
  if (line.at(-2) !== '--rule' && !(words.includes('rules') && line.at(-2) === 'rules')) return others();
  const { rules } = await import('../explain/rules/index.ts');
  done(rules.map((r) => r.id));
}

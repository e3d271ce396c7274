/** What a command is. Each has a file of its own and a line in commands.ts. */
import type { ArgumentsCamelCase, Argv, CommandModule } from 'yargs';

interface Definition<T> {
  /** `explain [input...]`: its name and positional words, as yargs has them. */
  command: string;
  describe: string;
  options?: (y: Argv) => Argv<T>;
  /** Command lines worth trying, without the program's name, and what each is for. */
  examples?: readonly (readonly [line: string, purpose: string])[];
  /** Resolves to the exit status. */
  run(a: ArgumentsCamelCase<T>): Promise<number>;
}

/** @param end is given the exit status */
export type Command = (end: (status: number) => void) => CommandModule;

export function define<T>({ command, describe, options, examples = [], run }: Definition<T>): Command {
  return (end) => ({
    command,
    describe,
    builder: (y) => {
      for (const [line, purpose] of examples) y.example(`$0 ${line}`, purpose);
      return options?.(y) ?? y;
    },
    handler: async (a) => end(await run(a as ArgumentsCamelCase<T>)),
  });
}

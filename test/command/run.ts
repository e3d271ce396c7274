/** The command line in this process: what takes a process of its own is for those tests that are about the process. */
import { format } from 'node:util';
import { expect } from 'vitest';
import { main } from '../../src/command/main.ts';

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** @param env set beside what this process has */
export async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const before = { log: console.log, error: console.error, env: process.env };
  const writers = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name];
    const take = (text: string | Uint8Array) => {
      said[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
      return true;
    };
    process[name].write = take;
    return { take, restore: () => Object.assign(process[name], { write }) };
  });
  // yargs prints its pages so, and vitest has a console of its own
  const [log, error] = writers.map(
    ({ take }) =>
      (...words: unknown[]) =>
        take(`${format(...words)}\n`),
  );
  Object.assign(console, { log, error });
  process.env = { ...process.env, ...env };
  try {
    const status = await main(args);
    expect(said.stderr).not.toMatch(/\n\s+at .+:\d+/); // never a stack trace
    return { status, ...said };
  } finally {
    for (const { restore } of writers) restore();
    Object.assign(console, { log: before.log, error: before.error });
    process.env = before.env;
  }
}

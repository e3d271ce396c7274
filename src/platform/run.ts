/** Other programs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a shell gives for a command that could not be run. */
const CANNOT_RUN = 125;

/**
 * Runs a program with our standard streams, and leaves signals to it: it stops in good order by itself (a terminal sends
 * SIGINT to both). Its exit status; 125 when it cannot be run or is killed.
 */
export async function runInFront(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' });
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  try {
    const [status, signal] = await once(child, 'close');
    return signal ? CANNOT_RUN : status;
  } catch {
    return CANNOT_RUN;
  }
}

/** Runs a program to its end: its exit status, and what it said on standard error. Rejects when it cannot be run. */
export async function run(
  program: string,
  args: readonly string[],
): Promise<{ status: number | null; said: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const [status] = await once(child, 'close');
  return { status, said: said.trim() };
}

/** Processes of our own beside the main one: one that dies or has to be killed takes nobody along. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  post(message: unknown): void;
  kill(): void;
  /** Bytes of memory it holds; null where the system does not say (only Linux does). */
  memory(): number | null;
}

interface ChildEvents {
  message(value: unknown): void;
  /** Once, however it ended. */
  exit(status: number | null, signal: string | null): void;
}

export const memoryOfMachine: () => number = totalmem;

/** Signals of the terminal are left to the main process: children end when it tells them to, or when it is gone. */
export function startChild(program: URL, events: ChildEvents): Child {
  const child: ChildProcess = fork(fileURLToPath(program), {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  let isOver = false;
  const over = (status: number | null, signal: string | null) => {
    if (isOver) return;
    isOver = true;
    events.exit(status, signal);
  };
  child.on('message', events.message);
  child.on('error', () => over(null, null));
  child.on('exit', over);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.on('exit', () => process.removeListener('exit', kill));
  return {
    pid: child.pid ?? 0,
    post: (message) => child.connected && child.send(message as object, () => undefined),
    kill,
    memory: () => residentBytes(child.pid ?? 0),
  };
}

const PAGE = 4096;

function residentBytes(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE;
  } catch {
    return null;
  }
}

/** In a program that was started by startChild. */
export function thisChild(): {
  post(message: unknown): Promise<void>;
  listen(take: (message: unknown) => void): void;
} {
  process.on('disconnect', () => process.exit());
  return {
    post: (message) => new Promise((resolve) => process.send!(message, () => resolve())),
    listen: (take) => process.on('message', take),
  };
}

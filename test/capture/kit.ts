// What the capture tests share: where the kit is, what this machine lacks, and running the script.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { recorded } from '../recorder/kit.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const SCRIPT = join(ROOT, 'capture/tcpautopsy-capture');
export const PROVOKE = join(import.meta.dirname, 'provoke.py');

export const has = (tool: string) =>
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((dir) =>
    existsSync(join(dir, tool)),
  );

/** Why nothing can be captured here; null when it can. */
export function cannotCapture(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = ['tcpdump', 'python3'].filter((tool) => !has(tool));
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
  const built = existsSync(join(ROOT, 'dist/recorder', machine, 'tcpautopsy-record'));
  return built ? null : 'no recorder in dist/recorder (npm run build:recorder)';
}

export const temporary = () => mkdtempSync(join(tmpdir(), 'capture-'));

export interface Run {
  child: ChildProcess;
  /** Milliseconds since the epoch at which `ready` was printed. */
  ready: Promise<number>;
  ended: Promise<{ status: number | null; stderr: string; at: number }>;
}

/** Starts the script under `shell` (words of a command; none: the script itself). */
export function start(args: string[], shell: string[] = []): Run {
  const [command, ...rest] = [...shell, SCRIPT, ...args];
  const child = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  let tell: (at: number) => void = () => {};
  const ready = new Promise<number>((done) => {
    tell = done;
  });
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
    if (/^ready$/m.test(stderr)) tell(Date.now());
  });
  const ended = new Promise<{ status: number | null; stderr: string; at: number }>((done) => {
    child.on('close', (status) => done({ status, stderr, at: Date.now() }));
  });
  return { child, ready, ended };
}

export const manifestOf = (dir: string) => JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));

export const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The events of a bundle: kind and keys as text. */
export async function eventsOf(dir: string): Promise<Record<string, string>[]> {
  const { events } = await recorded(dir);
  return events.map((e) => Object.fromEntries(Object.entries(e).map(([key, value]) => [key, String(value)])));
}

/** Processes whose command line names this folder: what a capture into it has left running. */
export function leftRunning(dir: string): string[] {
  const names = execFileSync(
    'sh',
    [
      '-c',
      `for p in /proc/[0-9]*; do cat $p/cmdline 2>/dev/null | tr '\\0' ' ' | grep -qF '${dir}' && cat $p/comm; done; :`,
    ],
    {
      encoding: 'utf8',
    },
  );
  return names.split('\n').filter((name) => /tcpautopsy|tcpdump|awk|timeout|sleep/.test(name));
}

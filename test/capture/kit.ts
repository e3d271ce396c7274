// What the capture tests share: where the kit is, what this machine lacks, and running the script.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

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
  const missing = ['bpftrace', 'tcpdump', 'python3'].filter((tool) => !has(tool));
  if (missing.length > 0) return `no ${missing.join(', ')}`;
  try {
    execFileSync('bpftrace', ['-e', 'BEGIN { exit(); } tracepoint:sock:inet_sock_set_state { @x = 1; }'], {
      stdio: 'ignore',
    });
    return null;
  } catch {
    return 'bpftrace cannot attach a tracepoint here';
  }
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
export function eventsOf(dir: string): Record<string, string>[] {
  return linesOf(join(dir, 'events.jsonl'))
    .filter((line) => line.type === 'printf')
    .map(({ data }) => {
      const [front, comm] = data.split(/ comm=(.*)$/s);
      const [kind, ...pairs] = front.split(' ');
      const event: Record<string, string> = { kind };
      for (const pair of pairs) event[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
      if (comm !== undefined) event.comm = comm;
      return event;
    });
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
  return names.split('\n').filter((name) => /bpftrace|tcpdump|awk|timeout|sleep/.test(name));
}

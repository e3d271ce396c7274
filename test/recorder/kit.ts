// What the tests of the recorder share: building it, running it, what it left.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { disk } from '../../src/platform/files.ts';
import { eventLines } from '../../src/read/bundle/event-lines.ts';
import { readRecorder } from '../../src/read/bundle/recorder.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
const BUILD = 'scripts/recorder.js';

/** Builds it into `folder`, from the sources of this tree or those at another place; returns its path. */
export function build(folder: string, from = ROOT): string {
  execFileSync(process.execPath, [join(from, BUILD), folder]);
  return join(folder, 'tcpautopsy-record');
}

/** Why it cannot be built or cannot record here; null when it can. */
export function cannotRecord(): string | null {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, BUILD), '--check'], {
    encoding: 'utf8',
  });
  if (status !== 0) return stderr.trim();
  if (process.getuid?.() !== 0) return 'not root';
  const caps = BigInt(`0x${/CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`);
  return (caps >> 21n) & 1n ? null : 'no CAP_SYS_ADMIN';
}

export interface Running {
  child: ChildProcess;
  ready: Promise<void>;
  ended: Promise<{ status: number | null; said: string }>;
}

/** Starts it, in front of it the words of another command. */
export function record(binary: string, args: string[], before: string[] = []): Running {
  const [command, ...rest] = [...before, binary, ...args];
  const child = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let ready: () => void = () => undefined;
  const isReady = new Promise<void>((done) => {
    ready = done;
  });
  child.stderr!.on('data', (chunk) => {
    said += chunk;
    if (/^ready$/m.test(said)) ready();
  });
  const ended = new Promise<{ status: number | null; said: string }>((done) =>
    child.on('close', (status) => {
      ready();
      done({ status, said });
    }),
  );
  return { child, ready: isReady, ended };
}

export async function stop(running: Running, signal: NodeJS.Signals = 'SIGINT') {
  running.child.kill(signal);
  return await running.ended;
}

/** The folder's events, its last status, and what is said of damage. */
export async function recorded(folder: string) {
  const diagnostics = new Diagnostics();
  const events: Record<string, string | number>[] = [];
  await eventLines(folder, disk, diagnostics, (line) => events.push(JSON.parse(line)));
  const { records } = (await readRecorder(folder, disk, diagnostics))!;
  const { statuses } = records;
  return { events, head: records.head!, statuses, last: statuses.at(-1)!, damage: diagnostics.list() };
}

/** Maps of recorders that the kernel holds. */
export function attached(): number {
  const maps = execFileSync('bpftool', ['-j', 'map', 'list'], { encoding: 'utf8' });
  return (JSON.parse(maps) as { name?: string }[]).filter((map) => map.name === 'tcpautopsy').length;
}

/** Waits for it, a few seconds: the kernel takes what is closed away a little later. */
export async function until(what: () => boolean): Promise<boolean> {
  for (let i = 0; i < 50 && !what(); i++) await new Promise((done) => setTimeout(done, 100));
  return what();
}

/** Runs a command as a whole process and tells how long it took and how much memory it had at its peak. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** GNU time asks the kernel (wait4, ru_maxrss) after the process has ended; without it the peak is not known. */
const GNU_TIME = '/usr/bin/time';
const hasGnuTime = existsSync(GNU_TIME) && spawnSync(GNU_TIME, ['--version']).status === 0;

/** A process that needs longer is ended, ms. */
const LIMIT = 180_000;

/**
 * Wall seconds; CPU seconds, user and kernel; peak resident bytes; exit status, null when the process was ended.
 * @typedef {{ seconds: number, cpu: number | null, peak: number | null, status: number | null }} Measurement
 */

/**
 * Output is discarded; stderr is shown when the process fails.
 * @param {string[]} command @returns {Promise<Measurement>}
 */
export async function measure(command) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const report = join(folder, 'time');
  const words = hasGnuTime ? [GNU_TIME, '-f', '%U %S %M', '-o', report, ...command] : command;
  try {
    const started = process.hrtime.bigint();
    const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    // the whole group: GNU time would leave its child behind
    const timer = setTimeout(() => child.pid && process.kill(-child.pid), LIMIT);
    /** @type {Buffer[]} */
    const complaints = [];
    child.stderr.on('data', (piece) => complaints.push(piece));
    const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    clearTimeout(timer);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (status > 0) process.stderr.write(Buffer.concat(complaints).subarray(0, 2000));
    return { seconds, status, ...(status === null ? UNKNOWN : usage(report)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const UNKNOWN = { cpu: null, peak: null };

/** @param {string} report */
function usage(report) {
  if (!hasGnuTime) return UNKNOWN;
  // the last line: a line about a failed command may stand before it
  const line = readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '';
  const [user = Number.NaN, system = Number.NaN, kilobytes = Number.NaN] = line.split(' ').map(Number);
  return { cpu: user + system, peak: kilobytes * 1024 };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, n) => sum + n, 0) / middle.length;
}

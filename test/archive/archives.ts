/** Archives of captures for tests: samples in folders, tars and zips. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { defaultLimits } from '../../src/archive/crew.ts';
import { type BatchEvents, type BatchOptions, runBatch } from '../../src/batch.ts';

export const SAMPLES = resolve(import.meta.dirname, '../../samples');
const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'archive-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

export function sample(name: string): Buffer {
  return readFileSync(join(SAMPLES, name));
}

/** A small archive: a bundle, captures of two hosts, logs beside a capture, a rotation, and what is broken. */
export function smallArchive(): string {
  const root = folder();
  cpSync(join(SAMPLES, 'bundle/unread-data/6.18'), join(root, 'web/bundle'), { recursive: true });
  for (const side of ['client', 'server', 'router'])
    put(join(root, `between/${side}/a.pcap`), sample(`field/between/reset_forged-${side}.pcap`));
  for (const name of ['packets.pcap', 'tcpstates.txt'])
    put(join(root, 'logs', name), sample(`live/pcap-and-tcpstates/${name}`));
  for (const name of readdirSync(join(SAMPLES, 'field/rotation/tcpdump-G')))
    put(join(root, 'series', name), sample(`field/rotation/tcpdump-G/${name}`));
  put(join(root, 'broken/cut.pcap'), sample('field/resets/burst.pcap').subarray(0, 300));
  put(join(root, 'broken/garbage.pcap'), Buffer.concat([sample('field/resets/burst.pcap').subarray(0, 24)]));
  put(join(root, 'notes/photo.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]));
  return root;
}

const QUIET: BatchEvents = {
  look: () => undefined,
  plan: () => undefined,
  begin: () => undefined,
  end: () => undefined,
  note: () => undefined,
};

export function batch(inputs: string[], out: string, more: Partial<BatchOptions> = {}, events = QUIET) {
  const options: BatchOptions = {
    inputs,
    out,
    jobs: 0,
    shard: null,
    walk: { recursive: true, exclude: [] },
    period: { since: null, until: null },
    group: { html: 'never', connections: 'problems' },
    retryFailed: false,
    queue: null,
    limits: defaultLimits(1),
    ...more,
  };
  return runBatch(options, events, () => undefined);
}

export function cli(args: readonly string[]) {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
}

/** SHA-256 of every file below a folder, by path. */
export function treeOf(root: string): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(files.sort().map((path) => [relative(root, path), hash(path)]));
}

export interface PlanRow {
  key: string;
  place: string;
  reason: string;
  members: { place: string }[];
  problem?: string;
}

export function planIn(out: string): PlanRow[] {
  const text = readFileSync(join(out, 'plan.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

// Bundles of our own capture on several kernels, whole and with parts taken away: what is proved must be true.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { some } from '../thorough.ts';
import { readCapture } from './captures.ts';
import { bundleSamples, isTrue, judge, type Sample } from './samples.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-bundles-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What becomes of one file of a bundle: its content, or null when it is taken away. */
type Removal = (name: string, content: Buffer, file: string) => Buffer | string | null;

const only =
  (file: string, change: (content: Buffer, file: string) => Buffer | string | null): Removal =>
  (name, content, whole) =>
    name === file ? change(content, whole) : content;

/** Events whose kind passes; lines that are no events stay. */
function kinds(content: Buffer, keep: (kind: string, i: number, of: number) => boolean): string {
  const lines = content.toString('utf8').split('\n');
  return lines
    .filter((line, i) => {
      const kind = /"data": ?"([a-z-]+) t=/.exec(line)?.[1];
      return kind === undefined || ALWAYS.has(kind) || keep(kind, i, lines.length);
    })
    .join('\n');
}
const ALWAYS = new Set(['begin', 'end', 'tick', 'date-exec', 'date-exit']);
const TRACEPOINTS = new Set([
  ...['state', 'reset-sent', 'reset-received', 'retransmit', 'synack-retransmit', 'destroy'],
  ...['drop', 'accept-queue', 'error'],
]);

const REMOVALS: Record<string, Removal> = {
  'no packets': only('packets.pcap', () => null),
  'no events': only('events.jsonl', () => null),
  'no counters': only('counters.jsonl', () => null),
  'no socket tables': only('sockets.jsonl', () => null),
  'no sysctls': only('sysctl.txt', () => null),
  'no reasons': only('reasons.json', () => '{}'),
  'no manifest': only('manifest.json', () => null),
  'no function tier': only('events.jsonl', (c) => kinds(c, (kind) => TRACEPOINTS.has(kind))),
  'no state events': only('events.jsonl', (c) => kinds(c, (kind) => kind !== 'state')),
  'no drops': only('events.jsonl', (c) => kinds(c, (kind) => kind !== 'drop')),
  'no resets': only('events.jsonl', (c) => kinds(c, (kind) => !kind.startsWith('reset-'))),
  'every other event': only('events.jsonl', (c) => kinds(c, (_, i) => i % 2 === 0)),
  'the other events': only('events.jsonl', (c) => kinds(c, (_, i) => i % 2 === 1)),
  'first half of the events': only('events.jsonl', (c) => kinds(c, (_, i, n) => i < n / 2)),
  'second half of the events': only('events.jsonl', (c) => kinds(c, (_, i, n) => i >= n / 2)),
  'first half of the packets': only('packets.pcap', (_, file) => half(file, true)),
  'second half of the packets': only('packets.pcap', (_, file) => half(file, false)),
  'packets only': (name, content) => (name === 'packets.pcap' ? content : null),
  'cut off': (name, content) =>
    name === 'manifest.json'
      ? content.toString('utf8').replace(/"ended": \{[\s\S]*\}/, '"ended": null }')
      : content.subarray(0, Math.floor(content.length * 0.6)),
};

function half(file: string, first: boolean): Buffer {
  const { header, records } = readCapture(file);
  const middle = records.length >> 1;
  return Buffer.concat([header, ...(first ? records.slice(0, middle) : records.slice(middle))]);
}

/** Writes what a removal leaves of a sample; false when it takes nothing away. */
function reduce(from: string, to: string, removal: Removal): boolean {
  let changed = false;
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const { name } = entry;
    const file = path.join(from, name);
    if (entry.isDirectory()) {
      mkdirSync(path.join(to, name));
      changed = reduce(file, path.join(to, name), removal) || changed;
    } else if (name !== 'expected.json' && name !== 'README.md') {
      const content = readFileSync(file);
      const left = removal(name, content, file);
      changed ||= left === null || !content.equals(Buffer.from(left));
      if (left !== null) writeFileSync(path.join(to, name), left);
    }
  }
  return changed;
}

/** Findings that are proved and untrue, and rules that failed, without a part of the evidence. */
async function faults(sample: Sample, removal: Removal): Promise<string[]> {
  const target = mkdtempSync(path.join(scratch, 'x-'));
  // what is left whole is judged in bundles.test.ts
  if (!reduce(sample.folder, target, removal)) return [];
  const result = await analyze([target]);
  return [
    ...result.diagnostics.filter((d) => d.code === 'rule-failed').map((d) => d.message),
    ...judge(sample, result).flatMap(({ truth, findings }) =>
      findings
        .filter((f) => f.confidence === 'proved' && !isTrue(sample.name, f, truth))
        .map((f) => `${truth.client} (${truth.note}): ${f.rule}: ${f.summary}`),
    ),
  ];
}

const samples = some(bundleSamples(), 2);

test.each(samples.map((s) => [s.name, s] as const))(
  '%s: nothing proved is wrong without part of it',
  async (_name, sample) => {
    const found: Record<string, string[]> = {};
    for (const [name, removal] of Object.entries(REMOVALS)) {
      const wrong = await faults(sample, removal);
      if (wrong.length > 0) found[name] = wrong;
    }
    expect(found).toEqual({});
  },
);

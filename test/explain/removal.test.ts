/** Evidence taken away: verdicts may get weaker or go, and nothing becomes proved and wrong. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Confidence } from '../../src/model/finding.ts';
import { some } from '../thorough.ts';
import { readCapture } from './captures.ts';
import { analyzeSample, evidenceFiles, hostsOf, isTrue, judge, liveSamples, type Sample } from './samples.ts';

const RANK: Record<Confidence, number> = { possible: 1, inferred: 2, proved: 3 };

/** What becomes of one file: its content, or null when it is taken away. */
type Removal = (name: string, content: Buffer, file: string) => Buffer | string | null;

const isCapture = (name: string) => name.endsWith('.pcap');
const isCounters = (name: string) => /counters|nstat|netstat-s/.test(name);
const isTable = (name: string) => /^(client-)?(ss|netstat)-/.test(name) && !isCounters(name);
const isEvents = (name: string) => name.startsWith('tcpstates');

const REMOVALS: Record<string, Removal> = {
  'no capture': (name, content) => (isCapture(name) ? null : content),
  'no second capture': (name, content) => (name === 'client.pcap' ? null : content),
  'no events': (name, content) => (isEvents(name) ? null : content),
  'no counters': (name, content) => (isCounters(name) ? null : content),
  'no socket tables': (name, content) => (isTable(name) ? null : content),
  'every other event': (name, content) =>
    isEvents(name) ? lines(content, (_, i) => i === 0 || i % 2 === 1) : content,
  'first half of the events': (name, content) =>
    isEvents(name) ? lines(content, (_, i, all) => i < all.length / 2) : content,
  'first half of the packets': (name, content, file) => (isCapture(name) ? half(file, true) : content),
  'second half of the packets': (name, content, file) => (isCapture(name) ? half(file, false) : content),
  'a capture cut within a record': (name, content) =>
    isCapture(name) ? content.subarray(0, Math.floor(content.length * 0.7)) : content,
};

function lines(content: Buffer, keep: (line: string, i: number, all: string[]) => boolean): string {
  return content.toString('utf8').split('\n').filter(keep).join('\n');
}

function half(file: string, first: boolean): Buffer {
  const { header, records } = readCapture(file);
  const middle = records.length >> 1;
  return Buffer.concat([header, ...(first ? records.slice(0, middle) : records.slice(middle))]);
}

async function without(sample: Sample, removal: Removal) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-'));
  const files = evidenceFiles(sample, 'all').flatMap((file) => {
    const name = path.basename(file);
    const content = removal(name, readFileSync(file), file);
    if (content === null) return [];
    const copy = path.join(folder, name);
    writeFileSync(copy, content);
    return [copy];
  });
  const result = await analyze(files, { hosts: hostsOf(files) });
  rmSync(folder, { recursive: true });
  return result;
}

describe.each(Object.entries(REMOVALS))('%s', (_name, removal) => {
  test.each(some(liveSamples(), 3).map((s) => [s.name, s] as const))('%s', async (_sample, sample) => {
    const result = await without(sample, removal);
    expect(result.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
    const wrong = judge(sample, result).flatMap(({ truth, findings }) =>
      findings
        .filter((f) => f.confidence === 'proved' && !isTrue(sample.name, f, truth))
        .map((f) => `${truth.client} (${truth.note}): ${f.rule}: ${f.summary}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('a rule that still holds with less evidence is no surer for it', async () => {
  const stronger: string[] = [];
  for (const sample of some(liveSamples(), 2)) {
    const all = await analyzeSample(sample, 'all');
    for (const [name, removal] of Object.entries(REMOVALS)) {
      // halves of a capture show other connections' ends, and may lack what spoke against a cause
      if (/half|every other|cut/.test(name)) continue;
      const less = await without(sample, removal);
      const full = new Map(judge(sample, all).map((j) => [j.truth, j]));
      for (const { truth, findings } of judge(sample, less)) {
        for (const f of findings.filter((x) => x.confidence === 'proved')) {
          const before = full.get(truth)?.findings.find((x) => x.rule === f.rule);
          // which of several true steps is told may change with the evidence
          if (before && RANK[before.confidence] < RANK[f.confidence])
            stronger.push(
              `${sample.name} ${name} ${truth.client}: ${f.rule} ${before.confidence} → ${f.confidence}`,
            );
        }
      }
    }
  }
  expect(stronger).toEqual([]);
}, 240_000);

test('the samples are there', () => {
  expect(readdirSync(path.join(import.meta.dirname, '../../samples/live')).length).toBeGreaterThan(30);
});

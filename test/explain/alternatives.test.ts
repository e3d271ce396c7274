/** What a finding lists beside itself is what the evidence leaves open, and no more. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Result } from '../../src/tables/result.ts';
import { analyzeBundle, analyzeSample, sampleNamed } from './samples.ts';

function alternatives({ findings }: Result, rule: string): string[][] {
  return findings.filter((f) => f.rule === rule).map((f) => f.alternatives);
}

test.each([
  ['accept-queue-syn/6.18', 'accept-queue-overflow-syn'],
  ['syn-lost-on-path/6.18', 'syn-lost-on-path'],
  ['syn-lost-on-path/6.18', 'syn-ack-lost-on-path'],
])('%s: nothing but %s is left', async (name, rule) => {
  const found = alternatives(await analyzeBundle(sampleNamed(name, 'bundle')), rule);
  expect(found.length).toBeGreaterThan(0);
  for (const list of found) expect(list).toEqual([]);
});

test('the queue that was full counted every drop of the listener: it had a route back, and no reserve to keep', async () => {
  const [found] = alternatives(
    await analyzeBundle(sampleNamed('syn-queue-full-drop/6.18', 'bundle')),
    'syn-queue-full-drop',
  );
  expect(found).not.toContain('no-reply-route-drop');
  expect(found).not.toContain('syn-backlog-reserve-drop');
});

test('packets alone leave all of them open', async () => {
  const found = alternatives(
    await analyzeSample(sampleNamed('accept-queue-syn/6.18'), 'packets'),
    'unanswered-syn',
  );
  for (const list of found) {
    for (const rule of [
      'accept-queue-overflow-syn',
      'syn-queue-full-drop',
      'netfilter-drop',
      'syn-lost-on-path',
    ])
      expect(list).toContain(rule);
  }
  expect(found.length).toBeGreaterThan(0);
});

test('a counter that did not rise excludes a cause only if its readings span all SYNs that were lost', async () => {
  const { folder } = sampleNamed('syn-dropped-nft/6.18', 'bundle');
  const lines = readFileSync(path.join(folder, 'counters.jsonl'), 'utf8').trim().split('\n');
  const part = mkdtempSync(path.join(tmpdir(), 'counters-'));
  for (const name of ['manifest.json', 'packets.pcap'])
    cpSync(path.join(folder, name), path.join(part, name));
  const listOf = async (readings: readonly string[]) => {
    writeFileSync(path.join(part, 'counters.jsonl'), `${readings.join('\n')}\n`);
    const { findings } = await analyze([part]);
    return findings
      .filter((f) => f.group === 'syn' && f.role === 'verdict')
      .map((f) => [f.rule, f.alternatives.includes('accept-queue-overflow-syn')]);
  };
  // one reading a second: the SYNs of c1 lie in the first three, those of c2 in the first five
  const [counted, open] = [
    ['netfilter-drop', false],
    ['unanswered-syn', true],
  ];
  expect(await listOf(lines)).toEqual([counted, counted]);
  expect(await listOf(lines.slice(0, 4))).toEqual([counted, open]);
  expect(await listOf(lines.slice(0, 2))).toEqual([open, open]);
  rmSync(part, { recursive: true });
});

test('files of one capture that follow one another (tcpdump -G) are no two places: no SYN was lost between them', async () => {
  const whole = readFileSync(path.join(sampleNamed('syn-dropped-nft/6.18').folder, 'packets.pcap'));
  const records: Buffer[] = [];
  for (let at = 24; at < whole.length; ) {
    const end = at + 16 + whole.readUInt32LE(at + 8);
    records.push(whole.subarray(at, end));
    at = end;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'rotated-'));
  // the three SYNs of the first connection, then all of the second
  for (const [name, part] of [
    ['1.pcap', records.slice(0, 3)],
    ['2.pcap', records.slice(3, 9)],
    ['3.pcap', records.slice(9)],
  ] as const)
    writeFileSync(path.join(folder, name), Buffer.concat([whole.subarray(0, 24), ...part]));
  const { findings, inputs } = await analyze([folder]);
  rmSync(folder, { recursive: true });
  expect(inputs.map((i) => i.files?.length)).toEqual([3]);
  const [first] = findings.filter((f) => f.connection === 'c1');
  expect(first).toMatchObject({ rule: 'unanswered-syn', confidence: 'possible' });
  expect(first!.missing.map((m) => m.what).join()).toContain('packets');
});

/** What the engine enforces for every rule: hedges, severity, what is missing, no contradictions. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { contradict } from '../../src/explain/excludes.ts';
import { ruleById } from '../../src/explain/rules/index.ts';
import type { Result } from '../../src/tables/result.ts';
import { confidenceCounts, sharing } from '../../src/view/words.ts';
import { some } from '../thorough.ts';
import { analyzeSample, bundleSamples, liveSamples } from './samples.ts';

const HEDGE = {
  proved: /^(?!.*\b(possibly|most likely)\b)/is,
  inferred: /\bmost likely\b/i,
  possible: /\bpossibly\b/i,
};

function check(name: string, result: Result): void {
  const byConnection = new Map<string, Result['findings']>();
  for (const f of result.findings) {
    const where = `${name} ${f.connection} ${f.rule}: ${f.summary}`;
    if (f.confidence === 'possible') expect(f.severity, where).not.toBe('error');
    if (!ruleById(f.rule)!.factual && !ruleById(f.rule)!.normal)
      expect(f.summary, where).toMatch(HEDGE[f.confidence]);
    if (f.confidence === 'proved') expect(f.missing, where).toEqual([]);
    for (const m of f.missing) {
      expect(Object.keys(m), where).toEqual(['what', 'probe', 'host', 'port', 'command']);
      if (m.command === '') expect(m.what, where).toMatch(/could not be attached|does not record it/);
      else expect(m.command, where).toMatch(/^tcpautopsy-capture -o \S+ --port \d+/);
    }
    byConnection.set(f.connection, [...(byConnection.get(f.connection) ?? []), f]);
  }
  for (const [id, own] of byConnection) {
    const verdicts = own.filter((f) => f.role === 'verdict').map((f) => f.group);
    expect(new Set(verdicts).size, `${name} ${id}: one verdict a group`).toBe(verdicts.length);
    for (const [i, a] of own.entries())
      for (const b of own.slice(i + 1))
        expect(contradict(a, b), `${name} ${id}: ${a.rule} and ${b.rule}`).toBe(false);
  }
  const normal = result.causes.find((c) => ruleById(c.rule)!.normal);
  const counts = normal ? confidenceCounts(normal, result).map(([, n]) => n) : [];
  expect(
    counts.reduce((sum, n) => sum + n, 0),
    `${name}: each counted once`,
  ).toBe(normal ? sharing(normal) : 0);
  for (const c of result.causes)
    if (c.severity === 'error') expect(c.confidence, c.rule).not.toBe('possible');
}

test('in every sample', async () => {
  for (const sample of some(liveSamples(), 12)) check(sample.name, await analyzeSample(sample, 'all'));
});

test.each(['tools/tcpstates', 'tools/kernel-trace', 'field/kernel/connect_abandoned'])(
  'in %s',
  async (name) => {
    check(name, await analyze([path.resolve(import.meta.dirname, '../../samples', name)]));
  },
);

/** Pieces that were attached, by name of the host. */
function attachedBelow(folder: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (path.basename(name) !== 'manifest.json') continue;
    const { host, probes } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    const pieces: string[] = (probes?.attached ?? []).map((p: { piece: string }) =>
      path.basename(p.piece, '.bt'),
    );
    found.set(host, new Set([...(found.get(host) ?? []), ...pieces]));
  }
  return found;
}

test('nothing is asked for that a capture on that host recorded', async () => {
  for (const sample of some(bundleSamples(), 6)) {
    const result = await analyzeSample(sample, 'all');
    check(sample.name, result);
    const recorded = attachedBelow(sample.folder);
    for (const { rule, missing } of result.findings)
      for (const m of missing.filter((x) => x.command !== ''))
        expect(recorded.get(m.host)?.has(m.probe) ?? false, `${sample.name} ${rule} ${m.what}`).toBe(false);
  }
});

describe('what is missing of a reset', () => {
  const { folder } = liveSamples().find((s) => s.name === 'unread-data/6.18')!;
  const inputs = (pick: (name: string) => boolean) =>
    readdirSync(folder)
      .filter(pick)
      .map((name) => path.join(folder, name));
  const missingOf = ({ findings }: Result) => findings.find((f) => f.rule === 'unread-data-reset')!.missing;

  test('from packets alone: what close() found and the reason, with the command that records it there', async () => {
    const missing = missingOf(await analyze(inputs((n) => n === 'packets.pcap')));
    expect(missing.map((m) => m.probe)).toEqual(['state', 'reset-sent']);
    expect(missing[0]).toMatchObject({
      port: 8080,
      command: 'tcpautopsy-capture -o capture-8080 --port 8080 --probe state --probe reset-sent',
    });
  });
});

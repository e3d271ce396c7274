/** Every bundle that our own capture took of a known cause: the truth is found, and nothing untrue is proved. */
import { describe, expect, test } from 'vitest';
import type { ConnectionRow } from '../../src/tables/connections.ts';
import { some } from '../thorough.ts';
import { GAPS } from './bundle-gaps.ts';
import { analyzeBundle, bundleSamples, isTrue, judge, type Truth } from './samples.ts';

const GROUPS: readonly [string, keyof Truth, keyof ConnectionRow][] = [
  ['close', 'close_rule', 'closeRule'],
  ['syn', 'syn_rule', 'synRule'],
  ['fin-wait2', 'fin_wait2_rule', 'finWait2Rule'],
  ['stuck', 'stuck_rule', 'stuckRule'],
];
const all = bundleSamples();
const samples = process.env.BUNDLES ? all : some(all, 40);

test('there are bundles to judge', () => {
  expect(all.length).toBeGreaterThan(process.env.BUNDLES ? 0 : 50);
});

test.skipIf(process.env.BUNDLES)('every gap that is named is of a sample', () => {
  const names = new Set(all.map((s) => s.name));
  expect(GAPS.filter((gap) => !names.has(gap.slice(0, gap.indexOf(':'))))).toEqual([]);
});

describe.each(samples.map((s) => [s.name, s] as const))('%s', (name, sample) => {
  test('every connection is there, with the verdicts that its program knows', async () => {
    const result = await analyzeBundle(sample);
    expect(result.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
    const judged = judge(sample, result);
    expect(judged).toHaveLength(sample.truths.length);
    const wrong = judged.flatMap(({ truth, row, findings }) => [
      ...GROUPS.filter(([, wanted, given]) => truth[wanted] !== row[given]).map(
        ([group, wanted, given]) =>
          `${name}: ${group}: ${truth[wanted] || 'none'}, but ${row[given] || 'none'}`,
      ),
      ...findings
        .filter((f) => f.confidence === 'proved' && !isTrue(name, f, truth))
        .map((f) => `${name}: proved, but untrue: ${f.rule}`),
    ]);
    expect([...new Set(wrong)].sort()).toEqual(GAPS.filter((gap) => gap.startsWith(`${name}:`)).sort());
  });

  test('every certainty that is lacking names what would give it', async () => {
    const { findings } = await analyzeBundle(sample);
    const silent = findings.filter(
      (f) => f.confidence === 'possible' && f.missing.length + f.alternatives.length === 0,
    );
    expect(silent.map((f) => f.rule)).toEqual([]);
  });
});

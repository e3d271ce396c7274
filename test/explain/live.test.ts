/** Every live sample on every kind of evidence: what is proved must be true, and resets must have their cause listed. */
import { describe, expect, test } from 'vitest';
import { some } from '../thorough.ts';
import { analyzeSample, isTrue, judge, liveSamples, SETS } from './samples.ts';

const all = liveSamples();
const samples = some(all, 14);

test('there are samples to judge', () => {
  expect(all.length).toBeGreaterThan(30);
});

describe.each(samples.map((s) => [s.name, s] as const))('%s', (_name, sample) => {
  test.each(SETS)('nothing proved is wrong: %s', async (set) => {
    const result = await analyzeSample(sample, set);
    expect(result.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
    const wrong = judge(sample, result).flatMap(({ truth, findings }) =>
      findings
        .filter((f) => f.confidence === 'proved' && !isTrue(sample.name, f, truth))
        .map((f) => `${truth.client} (${truth.note}): ${f.rule}: ${f.summary}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each(['packets', 'client-packets'] as const)('each reset has its cause listed: %s', async (set) => {
    const result = await analyzeSample(sample, set);
    const unlisted = judge(sample, result).flatMap(({ truth, row, findings }) => {
      const cause = truth.close_rule;
      // a RST that no packet shows has nothing to be explained from
      const seen = /r/i.test(row.history);
      if (!cause.endsWith('-reset') || !seen) return [];
      const listed = findings.some((f) => f.rule === cause || f.alternatives.includes(cause));
      return listed ? [] : [`${truth.client} (${truth.note}): ${cause} is not among ${row.closeRule}`];
    });
    expect(unlisted).toEqual([]);
  });

  test.each(SETS)(
    'no connection that was reset or stands open is called closed in good order: %s',
    async (set) => {
      const result = await analyzeSample(sample, set);
      const wrong = judge(sample, result).flatMap(({ truth, row, findings }) => {
        const reset = truth.close_rule.endsWith('-reset') && /r/i.test(row.history);
        const open = truth.close_rule === '' && truth.stuck_rule !== '';
        if (!reset && !open) return [];
        const claimed = findings.some((f) => f.rule === 'graceful-close');
        return claimed ? [`${truth.client} (${truth.note}): ${truth.close_rule}${truth.stuck_rule}`] : [];
      });
      expect(wrong).toEqual([]);
    },
  );

  test('every finding is complete', async () => {
    const { findings } = await analyzeSample(sample, 'all');
    for (const f of findings) {
      expect(f.summary, f.rule).toMatch(/^[A-Z0-9[].*\.$/s);
      expect(f.evidence.length, f.rule).toBeGreaterThan(0);
      expect(`${f.summary} ${f.remedy}`, f.rule).not.toMatch(/undefined|NaN|null|\[object/);
      if (f.confidence === 'possible') {
        expect(f.alternatives.length + f.missing.length, f.rule).toBeGreaterThan(0);
      }
      expect(f.alternatives, f.rule).not.toContain(f.rule);
    }
  });
});

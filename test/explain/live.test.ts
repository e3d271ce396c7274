/** Every live sample on every kind of evidence: what is proved must be true, and resets must have their cause listed. */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import { analyzeSample, type EvidenceSet, judge, liveSamples, type Truth } from './samples.ts';

const SETS: EvidenceSet[] = [
  'all',
  'packets',
  'client-packets',
  'states',
  'states-and-packets',
  'no-packets',
];

/**
 * What may be proved besides the verdicts that the program of the sample names: facts of the same connection that
 * the truth leaves out because they are not its subject.
 */
const ALSO_TRUE: Record<string, (truth: Truth) => boolean> = {
  // its FIN was not acknowledged: cut short by the reset that the truth names, or by the end of its retries
  'fin-wait1-aborted': (t) =>
    /reset/.test(t.close_rule + t.syn_rule) || t.fin_wait2_rule === 'fin-unacknowledged',
  // one of the packets shows it; the truth names the fin-wait2 rule only where it is the subject
  'fin-with-ack': (t) => t.fin_wait2_rule === '',
  'simultaneous-close': (t) => t.fin_wait2_rule === '',
  'half-close': (t) => t.fin_wait2_rule === '' || t.fin_wait2_rule === 'half-close',
  // the step before it ended
  'fin-wait2-in-minisock': (t) =>
    ['', 'fin-wait2-expired', 'fin-wait2-in-minisock'].includes(t.fin_wait2_rule),
  'graceful-close': (t) => t.close_rule === 'graceful-close',
};

function isTrue(finding: Finding, truth: Truth): boolean {
  const named = [truth.close_rule, truth.syn_rule, truth.fin_wait2_rule, truth.stuck_rule];
  return named.includes(finding.rule) || (ALSO_TRUE[finding.rule]?.(truth) ?? false);
}

const samples = liveSamples();

test('there are samples to judge', () => {
  expect(samples.length).toBeGreaterThan(30);
});

describe.each(samples.map((s) => [s.name, s] as const))('%s', (_name, sample) => {
  test.each(SETS)('nothing proved is wrong: %s', async (set) => {
    const result = await analyzeSample(sample, set);
    expect(result.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
    const wrong = judge(sample, result).flatMap(({ truth, findings }) =>
      findings
        .filter((f) => f.confidence === 'proved' && !isTrue(f, truth))
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

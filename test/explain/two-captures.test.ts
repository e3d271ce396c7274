/**
 * More evidence never makes an answer worse: of each sample with captures of both ends, what both together say neither
 * alone excludes. A capture excludes a cause when its verdict of that group is more than possible, is another, and does
 * not list it among what else it could be.
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Result } from '../../src/model/result.ts';
import { analyzeSample, evidenceFiles, liveSamples } from './samples.ts';

const pairs = liveSamples().filter(
  (s) => evidenceFiles(s, 'client-packets').length > 0 && evidenceFiles(s, 'packets').length > 0,
);

const keyOf = (f: Finding) => `${f.client.address}:${f.client.port} ${f.server.port} ${f.group}`;
const verdictsOf = ({ findings }: Result) => findings.filter((f) => f.role === 'verdict');

function excludes(alone: readonly Finding[], both: Finding): boolean {
  const own = alone.filter((f) => keyOf(f) === keyOf(both));
  const sure = own.filter((f) => f.confidence !== 'possible');
  return sure.length > 0 && own.every((f) => f.rule !== both.rule && !f.alternatives.includes(both.rule));
}

test('there are pairs', () => {
  expect(pairs.length).toBeGreaterThan(20);
});

describe('both captures', () => {
  test.each(pairs.map((s) => [s.name, s] as const))('%s', async (_name, sample) => {
    const files = ['client.pcap', 'packets.pcap'].map((f) => path.join(sample.folder, f));
    const both = verdictsOf(await analyze(files));
    for (const set of ['client-packets', 'packets'] as const) {
      const alone = verdictsOf(await analyzeSample(sample, set));
      expect(
        both.filter((f) => excludes(alone, f)).map((f) => `${keyOf(f)}: ${f.rule}, not in ${set}`),
      ).toEqual([]);
    }
  });
});

/**
 * More evidence never makes an answer worse: what two captures together say neither alone excludes, be they of both ends of
 * one sample or of any two samples, which share addresses and often ports. A capture excludes a cause when its verdict of
 * that group is more than possible, is another, and does not list it among what else it could be.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Result } from '../../src/tables/result.ts';
import { some } from '../thorough.ts';
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

/** Every capture of the live samples, by itself. */
const captures = liveSamples().flatMap((s) =>
  ['client.pcap', 'packets.pcap'].map((f) => path.join(s.folder, f)).filter((f) => existsSync(f)),
);
const known = new Map<string, Promise<Result>>();
function alone(file: string): Promise<Result> {
  const result = known.get(file) ?? analyze([file]);
  known.set(file, result);
  return result;
}
const keysOf = (result: Result) => new Set(verdictsOf(result).map(keyOf));

/** Any two: those of two samples show other connections, but for a tuple that both use. */
async function saidTogether(a: string, b: string): Promise<string[]> {
  const results = [await alone(a), await alone(b)] as const;
  const shared = path.dirname(a) === path.dirname(b) ? [] : [...keysOf(results[0])];
  const ambiguous = new Set(shared.filter((key) => keysOf(results[1]).has(key)));
  const both = verdictsOf(await analyze([a, b])).filter((f) => !ambiguous.has(keyOf(f)));
  return both
    .filter((f) => results.some((r) => excludes(verdictsOf(r), f)))
    .map((f) => `${path.relative('samples', a)} and ${path.relative('samples', b)}: ${keyOf(f)}: ${f.rule}`);
}

const everyPair = captures.flatMap((a, i) => captures.slice(i + 1).map((b) => [a, b] as const));

test('any two captures', { timeout: 1_800_000 }, async () => {
  expect(everyPair.length).toBeGreaterThan(5000);
  const wrong: string[] = [];
  for (const [a, b] of some(everyPair, 6)) wrong.push(...(await saidTogether(a, b)));
  expect(wrong).toEqual([]);
});

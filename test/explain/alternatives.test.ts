/** What a finding lists beside itself is what the evidence leaves open, and no more. */
import { expect, test } from 'vitest';
import type { Result } from '../../src/model/result.ts';
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

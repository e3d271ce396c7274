/** Rules that are not asked of a connection would have nothing to say of it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import * as mask from '../../src/explain/mask.ts';
import { bundleSamples, DOCUMENTS, liveSamples } from './samples.ts';

afterAll(() => {
  vi.restoreAllMocks();
});

vi.mock('../../src/explain/mask.ts', async (original) => {
  const real = await original<typeof mask>();
  return { ...real, rulesByMask: vi.fn(real.rulesByMask) };
});

/** Files of one run: whole samples, and their packets alone. */
function inputs(): string[][] {
  const live = liveSamples().flatMap((s) => [
    readdirSync(s.folder).flatMap((f) => (/\.(pcap|txt)$/.test(f) ? [path.join(s.folder, f)] : [])),
    [path.join(s.folder, 'packets.pcap')],
  ]);
  const documents = readdirSync(DOCUMENTS).map((name) => [path.join(DOCUMENTS, name)]);
  return [...live, ...bundleSamples().map((s) => [s.folder]), ...documents].filter((_, i) => i % 6 === 0);
}

test('the rules that a mask names say what all of them do', async () => {
  for (const files of inputs()) {
    const few = await analyze(files);
    vi.mocked(mask.rulesByMask).mockImplementationOnce(
      (rules) => (shown) => (mask.isHealthy(shown) ? rules.filter((r) => r.when & mask.ORDERLY) : rules),
    );
    const all = await analyze(files);
    expect([few.findings, few.story, few.connections], files[0]).toEqual([
      all.findings,
      all.story,
      all.connections,
    ]);
  }
}, 240_000);

/** What was derived of a case is let go when others are looked at: nothing that is said depends on when. */
import { expect, test, vi } from 'vitest';
import { bundleSamples } from './samples.ts';

async function results(folders: readonly string[]): Promise<string[]> {
  vi.resetModules();
  const { analyze } = await import('../../src/analyze.ts');
  const { KEPT_CASES } = await import('../../src/explain/facts/kept-cases.ts');
  const all = [String(KEPT_CASES)];
  for (const folder of folders) all.push(JSON.stringify(await analyze([folder])));
  return all;
}

test('the same is said whether a thousand cases are at hand or one', async () => {
  const of618 = bundleSamples()
    .map((s) => s.folder)
    .filter((folder) => folder.endsWith('6.18'));
  const folders = of618.filter((_, i) => i % 3 === 0);
  expect(folders.length).toBeGreaterThan(15);
  const keeping = (n: number) =>
    vi.doMock('../../src/explain/facts/kept-cases.ts', () => ({ KEPT_CASES: n }));
  keeping(1000);
  const [most, ...many] = await results(folders);
  keeping(1);
  const [least, ...one] = await results(folders);
  expect([most, least]).toEqual(['1000', '1']);
  expect(one).toEqual(many);
});

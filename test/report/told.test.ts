/** Cases whose lines are written before the others are explained: the same files, and the same is said of all together. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Result } from '../../src/model/result.ts';
import { allOf, confidenceCounts, sharing } from '../../src/report/words.ts';
import { writeReport } from '../../src/report/write.ts';
import { bundleSamples } from '../explain/samples.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'told-'));
afterAll(() => rmSync(folder, { recursive: true }));

let reports = 0;
async function tables(result: Result): Promise<string[]> {
  const report = path.join(folder, `report-${reports++}`);
  await writeReport(result, report, { html: false });
  return ['connections.csv', 'findings.csv', 'timeline.csv'].map((name) =>
    readFileSync(path.join(report, name), 'utf8'),
  );
}

const bundles = bundleSamples()
  .map((s) => s.folder)
  .filter((_, i) => i % 4 === 0);

test.each(bundles)('%s', async (bundle) => {
  const [long, short] = [await analyze([bundle]), await analyze([bundle], { listed: 0 })];
  expect(long.plain).toBeUndefined();
  expect(short.plain).toBeDefined();
  expect(allOf(short)).toBe(long.connections.length);
  expect(await tables(short)).toEqual(await tables(long));
  const told = (r: Result) =>
    r.causes.map((c) => ({
      ...{ ...c, connections: sharing(c), unlisted: null },
      confidences: confidenceCounts(c, r),
    }));
  expect(told(short)).toEqual(told(long));
  expect([short.story, short.answers, short.counters]).toEqual([long.story, long.answers, long.counters]);
});

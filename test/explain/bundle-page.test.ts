/** samples/bundle/README.md says what was captured on which kernel; each sample is small and says how it was made. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundleSamples } from './samples.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('samples/bundle/README.md is up to date (npm run docs)', async () => {
  const { bundlesPage } = await import(path.join(ROOT, 'scripts/samples.js'));
  expect(readFileSync(path.join(ROOT, 'samples/bundle/README.md'), 'utf8')).toBe(bundlesPage());
});

test.skipIf(process.env.BUNDLES)('every sample has a README, and less than 200 kB', () => {
  const size = (file: string): number =>
    statSync(file).isDirectory()
      ? readdirSync(file).reduce((sum, name) => sum + size(path.join(file, name)), 0)
      : statSync(file).size;
  const samples = bundleSamples();
  expect(samples.filter((s) => !existsSync(path.join(s.folder, 'README.md'))).map((s) => s.name)).toEqual([]);
  expect(samples.filter((s) => size(s.folder) >= 200_000).map((s) => s.name)).toEqual([]);
});

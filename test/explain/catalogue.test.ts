/** docs/causes.md is what the rules and the samples say. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { causesReference, type Measured } from '../../src/explain/catalogue.ts';
import { rules } from '../../src/explain/rules/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

test('docs/causes.md is up to date (node scripts/docs.js writes it)', async () => {
  const script = await import(path.join(ROOT, 'scripts/causes.js'));
  const measured: Measured = await script.measure(analyze);
  const written = readFileSync(path.join(ROOT, 'docs/causes.md'), 'utf8');
  expect(written).toBe(causesReference(rules, measured, script.evidenceKinds));
});

test('a true cause is never left out where everything is given', async () => {
  const page = readFileSync(path.join(ROOT, 'docs/causes.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(40);
  const left = rows
    .filter((row) => row.split('|').at(-2)!.trim() === 'not told')
    .map((row) => row.split('|')[1]!.trim());
  expect(left).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

test('docs/library.md is what the exported types say (npm run docs writes it)', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/library.js', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('the library does what its page shows', async () => {
  const { analyze, parseFilter, Redactor, redactResult } = await import('../src/index.ts');
  const result = await analyze([resolve(ROOT, 'samples/documents/exp1')], {
    keep: parseFilter('port 43782'),
  });
  expect(result.connections).toHaveLength(1);
  expect(result.causes.map((c) => c.rule)).toContain('request-expired-reset');
  const redacted = redactResult(result, new Redactor(Buffer.alloc(32, 1)));
  expect(JSON.parse(JSON.stringify(redacted))).toEqual(redacted);
});

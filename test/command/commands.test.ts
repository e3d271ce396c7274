/** `annotate` and `--redact` as users run them. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from './run.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXP1 = join(ROOT, 'samples/documents/exp1');
const folder = mkdtempSync(join(tmpdir(), 'commands-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('annotate writes a pcapng file and says what is in it', async () => {
  const path = join(folder, 'a.pcapng');
  const { status, stdout } = await run(['annotate', EXP1, '-o', path]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/a\.pcapng: 6 packets, \d+ comments, \d+ events/);
  expect(readFileSync(path).readUInt32LE(0)).toBe(0x0a0d0d0a);
});

test('annotate refuses standard input, which cannot be read twice', async () => {
  const { status, stderr } = await run(['annotate', '-', '-o', join(folder, 'b.pcapng')]);
  expect(status).toBe(1);
  expect(stderr).toContain('give files');
});

test('with one key, report and capture name the same addresses; no original is left', async () => {
  const key = join(folder, 'key');
  writeFileSync(key, 'a secret of more than sixteen bytes');
  const report = join(folder, 'report');
  expect((await run(['analyze', EXP1, '-o', report, '--no-html', '--redact-key', key])).status).toBe(0);
  const path = join(folder, 'c.pcapng');
  expect((await run(['annotate', EXP1, '-o', path, '--redact-key', key])).status).toBe(0);
  const { connections } = JSON.parse(readFileSync(join(report, 'result.json'), 'utf8'));
  const capture = readFileSync(path, 'latin1');
  expect(capture).toContain(connections[0].client.address);
  expect(capture).not.toContain('172.16.58.');
  expect(readFileSync(join(report, 'report.md'), 'utf8')).not.toContain('172.16.58.');
});

test('--redact-map keeps what was replaced by what, for its owner alone', async () => {
  const map = join(folder, 'map.json');
  const { status } = await run([
    'analyze',
    EXP1,
    '-o',
    join(folder, 'mapped'),
    '--no-html',
    '--redact-map',
    map,
  ]);
  expect(status).toBe(0);
  const { addresses } = JSON.parse(readFileSync(map, 'utf8'));
  const { connections } = JSON.parse(readFileSync(join(folder, 'mapped/result.json'), 'utf8'));
  expect(Object.values(addresses)).toContain(connections[0].client.address);
  expect(Object.keys(addresses)).toContain('172.16.58.147');
  expect(statSync(map).mode & 0o777).toBe(0o600);
});

test('a key that is too short, or missing, is refused before anything is read', async () => {
  const key = join(folder, 'short');
  writeFileSync(key, 'abc');
  const { status, stderr } = await run(['analyze', EXP1, '-o', join(folder, 'no'), '--redact-key', key]);
  expect(status).toBe(1);
  expect(stderr).toContain('16 bytes or more');
  expect(
    (await run(['analyze', EXP1, '-o', join(folder, 'no'), '--redact-key', join(folder, 'gone')])).status,
  ).toBe(1);
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

test('explain --time keeps to the period', async () => {
  const { status, stdout } = await run(['explain', EXP1, '--time', '06:56..06:57']);
  expect(status).toBe(0);
  expect(stdout).toContain('7 connections known to have lived from 06:56 to 06:57');
  expect((await run(['explain', EXP1, '--time', 'noon'])).status).toBe(1);
});

import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderMarkdown } from '../src/markdown/markdown.ts';
import { renderHtml } from '../src/page/html.ts';
import { OutputError } from '../src/platform/output.ts';
import { InputHashes } from '../src/workers/hashes.ts';
import { checkOutput, writeReport } from '../src/write.ts';
import { exp1Result } from './tables/fixture.ts';
import { HOSTILE, hostileResult } from './tables/variants.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'write-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const TABLES = [
  'connections.csv',
  'diagnostics.csv',
  'findings.csv',
  'report.md',
  'result.json',
  'rules.csv',
  'sources.csv',
  'timeline.csv',
];
const CHARTS = [
  'accept-queues',
  'durations',
  'fin-wait2',
  'listener-pressure',
  'over-time',
  'servers',
  'state-timeline',
];

test('a new folder gets every file, and nothing else is left beside it', async () => {
  const dir = join(root, 'deep', 'report');
  await writeReport(exp1Result(), dir, { html: true });
  expect((await readdir(dir)).sort()).toEqual([...TABLES, 'charts', 'report.html'].sort());
  expect((await readdir(join(dir, 'charts'))).sort()).toEqual(
    CHARTS.flatMap((c) => [`${c}.svg`, `${c}.vl.json`]),
  );
  expect(await readdir(join(root, 'deep'))).toEqual(['report']);
  expect((await stat(dir)).mode & 0o055).toBe(0o777 & ~process.umask() & 0o055);
});

test('without HTML there is neither page nor SVG, but the specifications', async () => {
  const dir = join(root, 'report');
  await writeReport(exp1Result(), dir, { html: false });
  expect((await readdir(dir)).sort()).toEqual([...TABLES, 'charts'].sort());
  expect((await readdir(join(dir, 'charts'))).sort()).toEqual(CHARTS.map((c) => `${c}.vl.json`));
});

test('PNG where asked for, also without HTML', async () => {
  const dir = join(root, 'report');
  await writeReport(exp1Result(), dir, { html: false, png: true });
  expect((await readdir(join(dir, 'charts'))).sort()).toEqual(
    CHARTS.flatMap((c) => [`${c}.png`, `${c}.vl.json`]),
  );
  const png = await readFile(join(dir, 'charts', 'state-timeline.png'));
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
});

test('inputs are hashed where they are files, and the hashes are on the page', async () => {
  const sample = new URL('../samples/documents/exp1/server-tcpdump.txt', import.meta.url).pathname;
  const [template] = exp1Result().inputs;
  const inputs = [`${sample}#2`, 'gone.txt'].map((name) => ({ ...template!, name }));
  const result = await new InputHashes().addTo({ ...exp1Result(), inputs });
  const expected = createHash('sha256')
    .update(await readFile(sample))
    .digest('hex');
  expect(result.inputs.map((i) => i.sha256)).toEqual([expected, undefined]);
  expect(renderMarkdown(result)).toContain(expected);
  expect(renderHtml(result, [])).toContain(expected);
});

test('result.json is the result, whatever is in it, and shows nothing unseen', async () => {
  const dir = join(root, 'report');
  const result = hostileResult(HOSTILE.join(''));
  await writeReport(result, dir, { html: false });
  const text = await readFile(join(dir, 'result.json'), 'utf8');
  expect(JSON.parse(text)).toEqual(result);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
});

test('an empty folder is filled; a report of ours is replaced as a whole', async () => {
  const dir = join(root, 'report');
  await mkdir(dir);
  await writeReport(exp1Result(), dir, { html: true });
  await writeFile(join(dir, 'stale.txt'), 'from before');
  await writeReport({ ...exp1Result(), story: ['Again.', 'And again.', 'Still.'] }, dir, { html: false });
  expect((await readdir(dir)).sort()).toEqual([...TABLES, 'charts'].sort());
  expect(await readFile(join(dir, 'report.md'), 'utf8')).toContain('Again.');
  expect(await readdir(root)).toEqual(['report']);
});

test('a link to a report stays a link', async () => {
  const dir = join(root, 'report');
  const link = join(root, 'latest');
  await writeReport(exp1Result(), dir, { html: false });
  await symlink(dir, link);
  await writeReport({ ...exp1Result(), story: ['Again.', 'And again.', 'Still.'] }, link, { html: false });
  expect(await readFile(join(dir, 'report.md'), 'utf8')).toContain('Again.');
  expect((await readdir(root)).sort()).toEqual(['latest', 'report']);
});

test.each([
  ['notes.txt', 'keep me'],
  ['result.json', '{"tool":{"name":"something else"}}'],
  ['result.json', ''],
])('a folder with other things in it is refused and left alone: %s', async (name, content) => {
  const dir = join(root, 'report');
  await mkdir(dir);
  await writeFile(join(dir, name), content);
  await expect(checkOutput(dir)).rejects.toThrow(OutputError);
  await expect(writeReport(exp1Result(), dir, { html: false })).rejects.toThrow(/not empty/);
  expect(await readdir(dir)).toEqual([name]);
  expect(await readFile(join(dir, name), 'utf8')).toBe(content);
});

test('a file in the place of the folder is refused', async () => {
  await writeFile(join(root, 'report'), '');
  await expect(checkOutput(join(root, 'report'))).rejects.toThrow(/is a file/);
});

test('a place that cannot be written leaves nothing behind', async () => {
  const dir = join(root, 'report');
  await writeReport(exp1Result(), dir, { html: false });
  const before = await readFile(join(dir, 'result.json'), 'utf8');
  const broken = {
    ...exp1Result(),
    timeline: [
      {
        get seq() {
          throw new Error('boom');
        },
      },
    ] as never,
  };
  await expect(writeReport(broken, dir, { html: false })).rejects.toThrow('boom');
  expect(await readFile(join(dir, 'result.json'), 'utf8')).toBe(before);
  expect(await readdir(root)).toEqual(['report']);
  if (process.getuid?.() === 0) return;
  await chmod(root, 0o500);
  await expect(writeReport(exp1Result(), join(root, 'other'), { html: false })).rejects.toThrow(/EACCES/);
  await chmod(root, 0o700);
});

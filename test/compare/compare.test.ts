/** Before and after: shares with their uncertainty, and `tcpautopsy compare` as users run it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { compare } from '../../src/compare/compare.ts';
import { intervalOf, intervalOfChange } from '../../src/compare/interval.ts';
import { type Summary, summaryOf } from '../../src/compare/summary.ts';
import { rateText, verdictOf } from '../../src/compare/words.ts';
import type { Result } from '../../src/tables/result.ts';
import { run } from '../command/run.ts';

const SAMPLES = resolve(import.meta.dirname, '../../samples/compare');
const folder = mkdtempSync(join(tmpdir(), 'compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [BEFORE, AFTER] = [join(SAMPLES, 'before'), join(SAMPLES, 'after')];

function summary(connections: number, causes: Record<string, number>): Summary {
  const of = (rule: string, n: number) =>
    ({ rule, title: rule, severity: 'error', confidence: 'proved', connections: n }) as const;
  return {
    name: 'x',
    connections,
    causes: new Map(Object.entries(causes).map(([rule, n]) => [rule, of(rule, n)])),
    servers: new Map([['10.0.0.9:80', { connections, hurt: Object.values(causes)[0] ?? 0 }]]),
  };
}

describe('shares', () => {
  // Newcombe 1998: Wilson of 81/263 (table I), method 10 of 56/70 - 48/80 and 10/10 - 0/20 (table II, a and g)
  it('have the intervals of the literature', () => {
    expect(intervalOf({ hurt: 81, connections: 263 }).map((x) => x.toFixed(4))).toEqual(['0.2553', '0.3662']);
    expect(intervalOf({ hurt: 0, connections: 20 })[0]).toBe(0);
    const of = (a: number, m: number, b: number, n: number) =>
      intervalOfChange({ hurt: b, connections: n }, { hurt: a, connections: m }).map((x) => x.toFixed(4));
    expect(of(56, 70, 48, 80)).toEqual(['0.0524', '0.3339']);
    expect(of(10, 10, 0, 20)).toEqual(['0.6791', '1.0000']);
  });

  it.each([
    [100, 400, 0, 400, 'gone', true],
    [2, 400, 0, 400, 'gone', false],
    [0, 400, 100, 400, 'new', true],
    [0, 400, 1, 400, 'new', false],
    [10, 400, 100, 400, 'more', true],
    [100, 400, 10, 400, 'fewer', true],
    [10, 400, 12, 400, 'same', false],
    // the same share of ten times as many connections
    [10, 400, 100, 4000, 'same', false],
  ])('%i of %i, then %i of %i: %s', (was, of, is, ofNow, change, clear) => {
    const before = summary(of, was > 0 ? { r: was } : {});
    const { causes } = compare(before, summary(ofNow, is > 0 ? { r: is } : {}));
    expect(causes).toMatchObject([{ change, clear }]);
  });

  it('without connections are none', () => {
    const { causes } = compare(summary(0, {}), summary(10, { r: 10 }));
    expect(causes[0]!.before.perThousand).toBe(null);
    expect(rateText(causes[0]!.before)).toBe('no connections');
    expect(verdictOf(compare(summary(0, {}), summary(10, { r: 10 })))).toContain('nothing to compare');
  });
});

describe('a larger backlog', () => {
  it('took the full queue away, which page, Markdown, CSV and JSON say alike', async () => {
    const out = join(folder, 'out');
    const { status, stdout } = await run(['compare', BEFORE, AFTER, '-o', out]);
    expect(status).toBe(0);
    expect(stdout).toContain('Gone: Accept queue full: SYN dropped (accept-queue-overflow-syn)');
    expect(stdout).toContain('Before 40 of 60 (667 per 1,000; 95 %: 541 to 773), after none of 60.');
    expect(readdirSync(out).sort()).toEqual([
      'comparison.csv',
      'comparison.html',
      'comparison.json',
      'comparison.md',
    ]);
    for (const name of ['comparison.md', 'comparison.html'])
      expect(readFileSync(join(out, name), 'utf8')).toContain('40 of 60 (667 per 1,000; 95 %: 541 to 773)');
    const csv = readFileSync(join(out, 'comparison.csv'), 'utf8');
    expect(csv).toContain('accept-queue-overflow-syn,Accept queue full: SYN dropped,');
    // and may be written again, as a report may
    expect((await run(['compare', BEFORE, AFTER, '-o', out])).status).toBe(0);
  });

  it('reports of analyze give the same as what they were made of', async () => {
    const reports = [join(folder, 'before'), join(folder, 'after')];
    for (const [n, input] of [BEFORE, AFTER].entries())
      expect((await run(['analyze', input, '-o', reports[n]!, '--no-html'])).status).toBe(0);
    const told = (text: string) => text.slice(text.indexOf('CAUSES'));
    expect(told((await run(['compare', ...reports])).stdout)).toBe(
      told((await run(['compare', BEFORE, AFTER])).stdout),
    );
  });

  it('--fail-on: only what became worse', async () => {
    expect((await run(['compare', BEFORE, AFTER, '--fail-on', 'warning'])).status).toBe(0);
    expect((await run(['compare', AFTER, BEFORE, '--fail-on', 'warning'])).status).toBe(4);
    expect((await run(['compare', AFTER, BEFORE, '--fail-on', 'accept-queue-overflow-syn'])).status).toBe(4);
    expect((await run(['compare', AFTER, BEFORE, '--fail-on', 'unread-data-reset'])).status).toBe(0);
    const { status, stderr } = await run(['compare', AFTER, BEFORE, '--fail-on', 'eror']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no cause is called eror')]);
  });
});

it('without problems, normal causes are named as such; what a story alone says is compared too', async () => {
  const before = summary(10, { r: 3 });
  for (const c of before.causes.values()) c.severity = 'info';
  expect(verdictOf(compare(before, before))).toBe(
    'No problems found in either: the causes below are normal (info).',
  );
  const filtered = resolve(SAMPLES, '../field/stories/filtered-syns.pcap');
  const { causes } = summaryOf('x', await analyze([filtered]));
  expect(causes.get('Scan')).toMatchObject({ rule: '', severity: 'warning', connections: 60 });
});

it('of more connections than result.json lists, all are counted', () => {
  const { servers, connections } = summaryOf('x', {
    causes: [],
    incidents: [],
    connections: [],
    servers: [{ server: '10.0.0.9:80', connections: 20_000, clients: 1, hurt: 3, well: 19_990, unserved: 0 }],
  } as unknown as Result);
  expect(connections).toBe(20_000);
  expect(servers.get('10.0.0.9:80')).toEqual({ connections: 20_000, hurt: 3 });
});

it('what cannot be compared is named', async () => {
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'nothing of TCP\n');
  expect(await run(['compare', BEFORE, text])).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('notes.txt'),
  });
  const cut = mkdtempSync(join(folder, 'cut-'));
  writeFileSync(join(cut, 'result.json'), '{"tool": {"name": "tcpautopsy"');
  expect(await run(['compare', BEFORE, cut])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no whole report'),
  });
  expect(await run(['compare', BEFORE])).toMatchObject({ status: 1 });
});

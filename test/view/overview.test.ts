/** The first screen as its model has it, whatever draws it. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { renderMarkdown } from '../../src/markdown/markdown.ts';
import type { Result } from '../../src/tables/result.ts';
import { renderOverview } from '../../src/terminal/terminal.ts';
import { focusOf } from '../../src/view/focus.ts';
import { dividersOf, ladderOf } from '../../src/view/ladder.ts';
import { overviewOf } from '../../src/view/overview.ts';
import { stripOf } from '../../src/view/strip.ts';
import { exp1Result } from '../tables/fixture.ts';

const screen = (change: Partial<Result>) => overviewOf(focusOf({ ...exp1Result(), ...change }));
const server = { server: '10.0.0.1:80', connections: 3, clients: 1, hurt: 0, well: 3, unserved: 0 };

describe('without incidents', () => {
  test('nothing is wrong only where every connection was answered', () => {
    const well = screen({ incidents: [], diagnostics: [], servers: [server] });
    expect(well).toMatchObject({ isFine: true, headline: 'No problems found.' });
    const open = screen({ incidents: [], diagnostics: [], servers: [{ ...server, well: 1 }] });
    expect(open.isFine).toBe(false);
    expect(open.headline).toMatch(/^These files do not show what became of 2 of 10 connections/);
  });

  test('a server that closed first without an answer is well, and that is said', async () => {
    const told = (result: Result) => overviewOf(focusOf(result)).healthy();
    const two = { ...exp1Result(), servers: [{ ...server, unserved: 2 }] };
    expect(told(two)).toEqual([
      '10.0.0.1:80: 3 connections without a problem (1 client); the server closed 2 of these first and sent no data, though its client did',
    ]);
    const shown = await analyze([
      path.join(import.meta.dirname, '../../samples/field/packets/empty-reply.pcap'),
    ]);
    expect(shown.servers.map((s) => [s.server, s.well, s.unserved]).sort()).toEqual([
      ['127.0.0.1:9001', 2, 2],
      ['127.0.0.1:9002', 2, 0],
      ['127.0.0.1:9004', 2, 0],
    ]);
    expect(told(shown)[0]).toContain('; the server closed them first and sent no data');
  });

  test('ports of one host are not servers', () => {
    const two = [server, { ...server, server: '10.0.0.1:81' }];
    expect(screen({ incidents: [], servers: two }).looked).toMatch(/ to 2 ports of 10\.0\.0\.1 in /);
    const hosts = [server, { ...server, server: '[fd00::1]:80' }];
    expect(screen({ incidents: [], servers: hosts }).looked).toMatch(/ to 2 servers in /);
  });
});

test('in colours nothing of them is printed as text, of one problem or several', async () => {
  const several = await analyze([path.join(import.meta.dirname, '../../samples/live/syn-lost-on-path/6.18')]);
  expect(several.incidents.length).toBeGreaterThan(1);
  for (const result of [exp1Result(), several])
    expect(renderOverview(result, { width: 80, color: true })).not.toContain('\\u001b');
});

test('a table without a clock says that its time is unknown', async () => {
  const result = await analyze([
    path.join(import.meta.dirname, '../../samples/tools/netstat/netstat-anp.txt'),
  ]);
  const [view] = overviewOf(focusOf(result)).incidents;
  expect(view!.facts[0]).toEqual({ label: 'When', text: 'unknown: no time is shown in these files' });
});

test('a bundle of the flight recorder says what triggered it, and when', async () => {
  const result = await analyze([path.join(import.meta.dirname, '../../samples/field/flight')]);
  const triggered =
    'The flight recorder was triggered by ListenOverflows+1 (ListenOverflows rose by 4 in 1.1 s) at 2026-11-30T15:52:10Z.';
  expect(overviewOf(focusOf(result)).triggered).toBe(triggered);
  expect(renderOverview(result, { width: 100, color: false })).toContain('triggered by ListenOverflows+1');
  expect(renderMarkdown(result).indexOf('triggered by')).toBeLessThan(400);
  expect(screen({}).triggered).toBe('');
});

describe('the picture of an incident', () => {
  const [incident] = exp1Result().incidents;
  const picture = {
    from: '2026-11-18T11:06:40.000100Z',
    to: '2026-11-18T11:06:40.000400Z',
    clock: 'utc' as const,
    step: 0.00001,
    causes: [],
    queue: null,
  };

  test('is no axis whose ends read the same: the steps of one connection then', () => {
    const short = { ...incident!, cause: { ...incident!.cause, children: [] }, picture };
    const [view] = screen({ incidents: [short] }).incidents;
    expect(view!.strip).toBeNull();
    expect(view!.ladder).not.toBeNull();
    expect(stripOf({ ...short, picture: { ...picture, to: '2026-11-18T11:06:41Z' } }).axis).not.toBeNull();
  });
});

describe('a ladder that is cut', () => {
  const focus = focusOf(exp1Result());
  const [id] = focus.telling;
  const all = ladderOf(focus, id!).steps;

  test('has as much of the end as of the begin, and says how much is between', () => {
    const short = ladderOf(focus, id!, 6);
    expect(short.steps.map((s) => s.what)).toEqual([...all.slice(0, 3), ...all.slice(-3)].map((s) => s.what));
    expect(dividersOf(short, 3)[0]).toBe(`… ${all.length - 6} more steps`);
  });

  test('no line stands for a single step', () => {
    expect(ladderOf(focus, id!, all.length - 1).omitted).toBe(0);
    expect(ladderOf(focus, id!, all.length - 2).omitted).toBe(2);
  });
});

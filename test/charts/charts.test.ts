import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile, type TopLevelSpec } from 'vega-lite';
import { describe, expect, test } from 'vitest';
import { fromJSONSchema } from 'zod';
import { brokenAxis, ONE_CUT } from '../../src/charts/broken-axis.ts';
import { buildCharts, chartBuilders } from '../../src/charts/index.ts';
import { inlineSvg } from '../../src/charts/render.ts';
import { servers } from '../../src/charts/servers.ts';
import { stepAxis } from '../../src/charts/time-axis.ts';
import type { Result } from '../../src/tables/result.ts';
import { exp1Result } from '../tables/fixture.ts';
import { bigResult } from '../tables/variants.ts';
import { draw } from './draw.ts';

const schemaPath = createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json');
const schema = fromJSONSchema(JSON.parse(readFileSync(schemaPath, 'utf8')));

const inOrderOnly = (r: Result): Result => ({
  ...r,
  timeline: r.timeline.map((i) => ({ ...i, at: null, clock: 'order' as const, time: '' })),
});

const RESULTS: [string, Result][] = [
  ['experiment 1', exp1Result()],
  ['no times at all', inOrderOnly(exp1Result())],
  ['1,000 connections', bigResult(1000)],
];

const EMPTY: Result = {
  ...exp1Result(),
  causes: [],
  incidents: [],
  findings: [],
  connections: [],
  timeline: [],
  activity: null,
  durations: { handshake: null, lasted: null },
};

describe.each(RESULTS)('%s', (_, result) => {
  const charts = buildCharts(result);

  test('every builder has something to show', () => {
    expect(charts.map((c) => c.id)).toEqual(chartBuilders.map((b) => b.id));
  });

  test.each(charts.map((c) => [c.id, c] as const))('%s is valid Vega-Lite', (_id, { spec }) => {
    expect(schema.safeParse(spec).success).toBe(true);
    expect(spec.$schema).toBe('https://vega.github.io/schema/vega-lite/v6.json');
    const warnings: unknown[] = [];
    const log = {
      level: () => log,
      error: () => log,
      info: () => log,
      debug: () => log,
      warn: (...w: unknown[]) => {
        warnings.push(w);
        return log;
      },
    };
    compile(spec as unknown as TopLevelSpec, { logger: log as never });
    expect(warnings).toEqual([]);
  });

  test.each(charts.map((c) => [c.id, c] as const))('%s draws marks and is described', async (_id, chart) => {
    const svg = await draw(chart);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.match(/role-mark[^>]*>\s*<(path|text|line)/g)?.length).toBeGreaterThan(0);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(chart.description).toMatch(/^[A-Z].{20,}\.$/s);
  });

  test('its charts stay small', () => {
    for (const { spec } of charts) expect(JSON.stringify(spec).length).toBeLessThan(200_000);
  });
});

test('the schema check can fail', () => {
  const [first] = buildCharts(exp1Result());
  expect(schema.safeParse({ ...first!.spec, layer: [{ mark: 'barr' }] }).success).toBe(false);
});

test('steps finer than a millisecond are counted from the first: a Date holds no finer ones', () => {
  const axis = { from: '2026-11-18T11:06:40.000100Z', clock: 'utc' as const };
  const fine = stepAxis({ ...axis, step: 0.00002 });
  expect(fine.at(1)).toEqual({ from: 0.02, to: 0.04 });
  expect(JSON.stringify(fine.x)).toContain('ms after 2026-11-18 11:06:40.000100 UTC');
  const { from, to } = stepAxis({ ...axis, step: 0.001 }).at(1);
  expect(to - from).toBe(1);
});

test('servers with one connection each are no chart', () => {
  const labels = ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'];
  const at = (counts: (i: number) => number[]) => ({
    ...exp1Result().activity!,
    servers: labels.map((label, i) => ({ label, counts: counts(i) })),
  });
  const one = at((i) => [0, 1, 2].map((step) => Number(step === i)));
  expect(servers.build({ ...exp1Result(), activity: one })).toBeNull();
  expect(servers.build({ ...exp1Result(), activity: at(() => [1, 1, 1]) })).not.toBeNull();
});

test('nothing to show gives no chart', () => {
  expect(buildCharts(EMPTY)).toEqual([]);
});

test('the state timeline shows states by colour, and says what it leaves out', async () => {
  const chart = buildCharts(exp1Result()).find((c) => c.id === 'state-timeline')!;
  expect(chart.title).toBe('TCP states of both ends of 10 connections');
  const svg = await draw(chart);
  for (const text of ['FIN_WAIT2', 'CLOSE_WAIT', '// 15 min 47 s', 'c7 :43782 client *'])
    expect(svg).toContain(text);
  const big = buildCharts(bigResult(1000)).find((c) => c.id === 'state-timeline')!;
  expect(JSON.stringify(big.spec)).toContain('30 examples of 833 connections');
});

test('listener pressure merges counters that read the same, and shows the accept queue', async () => {
  const svg = await draw(buildCharts(exp1Result()).find((c) => c.id === 'listener-pressure')!);
  expect(svg).toContain('ListenOverflows = ListenDrops');
  expect(svg).toContain('in accept queue');
  expect(svg).toContain('no time');
});

test('a SYN that two captures show is one SYN; one that one capture shows twice is a retry', () => {
  const template = exp1Result().timeline[0]!;
  const syn = {
    ...template,
    kind: 'packet' as const,
    what: 'SYN, seq 1, ack 0, win 64240',
    at: 0,
    clock: 'utc' as const,
  };
  const timeline = [syn, { ...syn, source: 'other.pcap', at: 1e3 }, { ...syn, at: 1e9 }];
  const spec = JSON.stringify(
    buildCharts({ ...exp1Result(), timeline }).find((c) => c.id === 'listener-pressure')!.spec,
  );
  expect(spec.match(/"signal":"SYN"/g)).toHaveLength(1);
  expect(spec.match(/"signal":"SYN again"/g)).toHaveLength(1);
});

test('inlined, a chart follows the page: no fixed ink or paper, no id, no style attribute, no reference', async () => {
  for (const chart of buildCharts(exp1Result())) {
    const svg = inlineSvg(await draw(chart));
    expect(svg).toContain('currentColor');
    expect(svg).not.toMatch(/#24292f|#fffffe| id=| style=|href=|url\(/);
  }
});

describe('the broken axis', () => {
  test('cuts long waits out and keeps order', () => {
    const times = [0, 100, 250, 400, 41e6, 41.001e6, 960e9];
    const axis = brokenAxis(times);
    expect(axis.breaks.map((b) => b.label)).toEqual(['41 ms', '16 min 0 s']);
    const places = times.map((t) => axis.x(t));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(places[0]).toBeGreaterThanOrEqual(0);
    expect(places.at(-1)).toBeLessThanOrEqual(100);
  });

  test('is linear without breaks when moments are even', () => {
    const axis = brokenAxis([0, 1e9, 2e9, 3e9, 4e9]);
    expect(axis.breaks).toEqual([]);
    expect(axis.x(1e9)).toBeCloseTo(25);
    expect(axis.ticks.map((t) => t.label)).toContain('+2 s');
  });

  test('SYN retries, a short talk and a TIME_WAIT in a table: the talk gets the room', () => {
    const talk = [3.04, 3.07, 3.1, 3.14, 3.23, 3.32, 3.46, 3.51].map((s) => s * 1e9);
    const axis = brokenAxis([0, 3.6e6, 1.02e9, ...talk, 17.4e9]);
    expect(axis.x(talk.at(-1)!) - axis.x(talk[0]!)).toBeGreaterThan(25);
    expect(axis.breaks.map((b) => b.label)).toEqual(expect.arrayContaining(['2.02 s', '13.9 s']));
  });

  test('takes one moment, equal moments, and very many stretches', () => {
    expect(brokenAxis([5]).x(5)).toBeCloseTo(50);
    expect(brokenAxis([5, 5, 5]).x(5)).toBeCloseTo(50);
    const bursts = Array.from({ length: 200 }, (_, i) => [i * 1e9 * (1 + i), i * 1e9 * (1 + i) + 10]).flat();
    expect(brokenAxis(bursts).breaks.length).toBeLessThan(9);
  });
});

test('one wait is cut out of a wall clock, and none that is not far longer than the rest', () => {
  const label = (ns: number) => `t${ns}`;
  const cut = brokenAxis([0, 1e6, 2e6, 960e9, 960.001e9], { ...ONE_CUT, label });
  expect(cut.breaks).toHaveLength(1);
  expect(cut.ticks.map((t) => t.label)).toEqual(['t0', 't960000000000']);
  expect(brokenAxis([0, 1e9, 2e9, 90e9, 91e9, 190e9], ONE_CUT).breaks).toEqual([]);
  expect(brokenAxis([0, 1, 2, 9e6, 9e6 + 1, 9e12, 9e12 + 1], ONE_CUT).breaks).toHaveLength(1);
});

describe('counts over time', () => {
  const result = exp1Result();

  test('every problem connection is in them, whatever is listed', () => {
    const spec = buildCharts({ ...result, connections: [], findings: [], timeline: [], causes: [] }).find(
      (c) => c.id === 'over-time',
    )!.spec;
    const { values } = (spec as unknown as { data: { values: { connections: number }[] } }).data;
    expect(values.reduce((n, v) => n + v.connections, 0)).toBe(11);
  });

  test('a single moment is no picture', () => {
    const activity = {
      ...result.activity!,
      causes: [{ rule: 'x', label: 'x', counts: [9, 0, 0] }],
      servers: [],
    };
    expect(buildCharts({ ...result, activity }).map((c) => c.id)).not.toContain('over-time');
  });
});

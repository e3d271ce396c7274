/** Which readings of counters belong together, and what they are: every assumption is said. */
import { expect, it } from 'vitest';
import { counterSeries, type Readings } from '../../src/align/counters.ts';
import { analyze } from '../../src/analyze.ts';
import type { Host } from '../../src/model/case.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { KernelEvent } from '../../src/model/event.ts';
import type { Source } from '../../src/model/source.ts';
import type { CounterEvent } from '../../src/model/table-event.ts';

interface Input {
  name: string;
  format?: string;
  host?: Host;
  readings: { values: Record<string, number>; assumed?: true }[];
}

function bring(...inputs: Input[]) {
  return bringGiven(undefined, ...inputs);
}

function bringGiven(given: Readings | undefined, ...inputs: Input[]) {
  const diagnostics = new Diagnostics();
  const events = new Map<number, KernelEvent[]>();
  const hostOf = new Map<number, Host>();
  const sources = inputs.map(({ name, format = 'proc-net', host, readings }, id): Source => {
    if (host) hostOf.set(id, host);
    const list = readings.map(
      ({ values, assumed }, i): CounterEvent => ({
        kind: 'counters',
        source: id,
        line: i + 1,
        time: null,
        snapshot: i + 1,
        values: new Map(Object.entries(values)),
        delta: false,
        ...(assumed && { assumed }),
      }),
    );
    events.set(id, list);
    const clock = { kind: 'order' as const, base: 0n, resolution: 0 };
    return { id, name, format, clock, host: null, command: null, root: null, records: 1 };
  });
  const series = counterSeries(sources, events, hostOf, diagnostics, given);
  return {
    series: series.map((s) => [s.source.name, s.readings.map((r) => r.values.get('ListenDrops'))]),
    deltas: series.map((s) => s.readings.map((r) => r.delta)),
    said: diagnostics.list().map((d) => [d.code, d.source]),
    messages: diagnostics.list().map((d) => d.message),
  };
}

const values = (drops: number, base = 1000): Record<string, number> =>
  Object.fromEntries([...Array.from({ length: 30 }, (_, i) => [`C${i}`, base + i]), ['ListenDrops', drops]]);

it('pairs files whose names differ in before and after, in the order of their totals', () => {
  const { series, said } = bring(
    { name: 'd/web-after.txt', readings: [{ values: { ListenDrops: 9 } }] },
    { name: 'd/web-before.txt', readings: [{ values: { ListenDrops: 4 } }] },
    { name: 'd/db-before.txt', readings: [{ values: { ListenDrops: 1 } }] },
    { name: 'e/web-before.txt', readings: [{ values: { ListenDrops: 2 } }] },
  );
  expect(series).toEqual([
    ['d/web-after.txt', [4, 9]],
    ['d/db-before.txt', [1]],
    ['e/web-before.txt', [2]],
  ]);
  expect(said).toEqual([['counters-paired', 'd/web-after.txt and d/web-before.txt']]);
});

it('does not pair what falls, and says which counter', () => {
  const { series, messages } = bring(
    { name: 'before.txt', readings: [{ values: { ListenDrops: 9, TW: 1 } }] },
    { name: 'after.txt', readings: [{ values: { ListenDrops: 4, TW: 100 } }] },
  );
  expect(series).toHaveLength(2);
  expect(messages).toEqual([expect.stringContaining('ListenDrops 9 → 4')]);
  // a gauge may fall
  const gauge = bring(
    { name: 'before.txt', readings: [{ values: { TcpCurrEstab: 9, TW: 1 } }] },
    { name: 'after.txt', readings: [{ values: { TcpCurrEstab: 4, TW: 100 } }] },
  );
  expect(gauge.said).toEqual([['counters-paired', 'before.txt and after.txt']]);
});

it('pairs two whole readings without such names only when they lie close together', () => {
  const two = (a: Record<string, number>, b: Record<string, number>) =>
    bring({ name: 'a.txt', readings: [{ values: a }] }, { name: 'b.txt', readings: [{ values: b }] }).series
      .length;
  expect(two(values(9), values(4))).toBe(1);
  expect(two(values(9, 900), values(4, 1000))).toBe(2);
  // an idle host and a busy one
  expect(two(values(4, 10), values(9, 1000))).toBe(2);
  // two counters say little
  expect(two({ ListenDrops: 4, ListenOverflows: 4 }, { ListenDrops: 5, ListenOverflows: 5 })).toBe(2);
});

it('leaves named hosts to their names', () => {
  const host = (name: string): Host => ({ name, unnamed: false, addresses: new Set(), sources: [] });
  const { series, said } = bring(
    { name: 'x-before.txt', host: host('a'), readings: [{ values: values(4) }] },
    { name: 'x-after.txt', host: host('b'), readings: [{ values: values(9) }] },
  );
  expect(series).toHaveLength(2);
  expect(said).toEqual([]);
});

it('tells what nstat printed by what else is known, and else says that it took totals', () => {
  const nstat = (...readings: Record<string, number>[]): Input => ({
    name: 'nstat.json',
    format: 'nstat',
    readings: readings.map((v) => ({ values: v, assumed: true as const })),
  });
  const alone = bring(nstat({ ListenDrops: 5 }, { ListenDrops: 7 }));
  expect(alone.deltas).toEqual([[false, false]]);
  expect(alone.messages).toEqual([expect.stringMatching(/taken as totals since boot .*, although/)]);
  const falling = bring(nstat({ ListenDrops: 5 }, { ListenDrops: 3 }));
  expect(falling.deltas).toEqual([[true, true]]);
  expect(falling.messages).toEqual([expect.stringContaining('a total does not fall (ListenDrops 5 → 3)')]);

  const [before, after] = [values(4), { ...values(9, 1003) }];
  const proc: Input[] = [
    { name: 'before', readings: [{ values: before }] },
    { name: 'after', readings: [{ values: after }] },
  ];
  const step = Object.fromEntries(Object.entries(after).map(([k, v]) => [k, v - before[k]!]));
  const difference = bring(...proc, { ...nstat(step), name: 'n' });
  // counted once
  expect(difference.series).toEqual([['before', [4, 9]]]);
  expect(difference.said).toEqual([
    ['counters-paired', 'before and after'],
    ['counters-repeated', 'n'],
  ]);
  const same = bring(proc[0]!, { ...nstat({ ...before, Other: 1 }), name: 'n' });
  expect(same.series).toEqual([['n', [4]]]);
});

it('counts the four ways in which one incident was read once, and explains the rise exactly', async () => {
  const folder = new URL('../../samples/live/accept-queue-incident/6.18/', import.meta.url).pathname;
  const { counters } = await analyze([folder]);
  const rows = counters.filter((r) => r.counter === 'ListenOverflows');
  expect(rows.map((r) => [r.delta, r.explained])).toEqual([[130, 130]]);
});

const GIVEN: Readings = { before: ['x.txt', 'n1'], after: ['late/', 'n2'] };

it('takes --before and --after for readings of one host, of each tool by itself', () => {
  const { series, said } = bringGiven(
    GIVEN,
    { name: 'late/y.txt', readings: [{ values: { ListenDrops: 9 } }] },
    { name: 'x.txt#2', readings: [{ values: { ListenDrops: 4 } }] },
    { name: 'n1', format: 'nstat', readings: [{ values: { ListenDrops: 3 } }] },
    { name: 'n2', format: 'nstat', readings: [{ values: { ListenDrops: 8 } }] },
    { name: 'late.txt', readings: [{ values: { ListenDrops: 7 } }] },
  );
  expect(series).toEqual([
    ['late/y.txt', [4, 9]],
    ['n1', [3, 8]],
    ['late.txt', [7]],
  ]);
  expect(said).toEqual([]);
});

it('keeps them apart where the text says that they are none, and says why', () => {
  const host = (name: string): Host => ({ name, unnamed: false, addresses: new Set(), sources: [] });
  const pair = (a: Partial<Input>, b: Partial<Input>) =>
    bringGiven(
      { before: ['a'], after: ['b'] },
      { name: 'a', readings: [{ values: { ListenDrops: 4 } }], ...a },
      { name: 'b', readings: [{ values: { ListenDrops: 9 } }], ...b },
    );
  expect(pair({ host: host('web') }, { host: host('web') }).series).toEqual([['a', [4, 9]]]);
  expect(pair({ host: host('web') }, { host: host('db') }).messages).toEqual([
    expect.stringContaining('they are of web and db'),
  ]);
  const fallen = pair({}, { readings: [{ values: { ListenDrops: 1 } }] });
  expect(fallen.series).toHaveLength(2);
  expect(fallen.messages).toEqual([expect.stringContaining('ListenDrops 4 → 1')]);
  expect(pair({}, { format: 'nstat' }).said.map(([code]) => code)).toEqual([
    'counters-not-paired',
    'counters-not-paired',
  ]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSpan, formatTime } from '../../src/align/format-time.ts';
import { findHosts } from '../../src/align/hosts.ts';
import { fitOffset, median } from '../../src/align/robust.ts';
import { tupleKey } from '../../src/align/tuple.ts';
import { checkCivil, placeWallClocks } from '../../src/align/zone.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { Source } from '../../src/model/source.ts';
import type { ClockKind } from '../../src/model/time.ts';

function source(id: number, host: string | null, kind: ClockKind = 'order', base = 0n): Source {
  return {
    id,
    name: `s${id}`,
    format: 'x',
    clock: { kind, base, resolution: 1 },
    host,
    command: null,
    root: null,
    records: 1,
  };
}

describe('clock offsets', () => {
  it('takes the median of odd and even counts', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('finds the offset in spite of wrong pairs, and rejects them', () => {
    const offset = 5_000_000_000;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 9, maxLength: 60 }),
        (jitter) => {
          const pairs = jitter.map((j, i) => ({ local: i * 1e6, reference: i * 1e6 + offset + j }));
          const wrong = [
            { local: 1e6, reference: 1e6 + offset + 3e9 },
            { local: 2e6, reference: 2e6 + offset - 7e9 },
          ];
          const fit = fitOffset([...pairs, ...wrong])!;
          expect(Math.abs(fit.offset - offset)).toBeLessThanOrEqual(40_000);
          expect(fit.rejected).toBe(2);
          expect(fit.worst).toBeLessThanOrEqual(80_000);
        },
      ),
    );
  });

  it('finds a drift over minutes, and none in noise', () => {
    const at = (drift: number) =>
      Array.from({ length: 30 }, (_, i) => {
        const local = i * 10e9;
        return { local, reference: local + 1e9 + drift * local + (i % 3) * 1000 };
      });
    expect(fitOffset(at(20e-6))!.drift).toBeCloseTo(20e-6, 6);
    expect(fitOffset(at(0))!.drift).toBe(0);
  });

  it('has nothing to say without pairs', () => {
    expect(fitOffset([])).toBeNull();
  });
});

describe('times as text', () => {
  it('writes UTC with nanoseconds', () => {
    expect(formatTime(123456789, 'utc', 1_700_000_000_000_000_000n)).toBe('2023-11-14T22:13:20.123456789Z');
    expect(formatTime(-1, 'utc', 1_700_000_000_000_000_000n)).toBe('2023-11-14T22:13:19.999999999Z');
  });

  it('writes a time that a damaged clock claims', () => {
    expect(formatTime(0, 'utc', 10n ** 29n)).toBe('+275760-09-12T00:00:00.000000000Z');
  });

  it('writes times of day, past midnight too', () => {
    expect(formatTime(25947_783229000, 'wall', 0n)).toBe('07:12:27.783229000');
    expect(formatTime(86_400e9 + 1e9, 'wall', 0n)).toBe('00:00:01.000000000 (+1 d)');
  });

  it('leaves out what is not known', () => {
    expect(formatTime(null, 'utc', 0n)).toBe('');
    expect(formatTime(5, 'order', 0n)).toBe('');
  });

  it.each([
    [999, '999 ns'],
    [4_000, '4 µs'],
    [40_370_000, '40.4 ms'],
    [12_916_193_000, '12.9 s'],
    [960_007_376_000, '16 min 0 s'],
    [7_500e9, '2 h 5 min'],
  ])('writes %d ns as %s', (ns, text) => {
    expect(formatSpan(ns)).toBe(text);
  });
});

describe('times of day made absolute', () => {
  const DAY = 86_400_000_000_000n;
  it('needs a date', () => {
    const s = source(0, null, 'wall');
    placeWallClocks([s], { zone: 'Asia/Shanghai' });
    expect(s.clock.kind).toBe('wall');
  });

  it.each([
    ['+08:00', -8n],
    ['Asia/Shanghai', -8n],
    ['UTC', 0n],
    ['America/New_York', 4n],
  ])('applies the zone %s', (zone, hours) => {
    const s = source(0, null, 'wall');
    placeWallClocks([s], { date: '2024-06-20', zone });
    expect(s.clock).toMatchObject({ kind: 'realtime', base: 19894n * DAY + hours * 3_600_000_000_000n });
  });

  it('refuses what is no date or zone', () => {
    expect(() => checkCivil({ date: '20-6-2024' })).toThrow(/YYYY-MM-DD/);
    expect(() => checkCivil({ zone: 'Mars/Base' })).toThrow(/time zone/);
  });
});

describe('hosts', () => {
  const addresses = (...list: string[]) => ({ certain: new Set(list), likely: new Set<string>() });

  it('joins sources by name, then by local address', () => {
    const sources = [source(0, 'web'), source(1, null), source(2, null), source(3, null)];
    const map = new Map([
      [0, addresses('10.0.0.2')],
      [1, addresses('10.0.0.2')],
      [2, addresses('10.0.0.9')],
      [3, { certain: new Set<string>(), likely: new Set(['10.0.0.2']) }],
    ]);
    const { hosts, hostOf } = findHosts(sources, map, new Diagnostics());
    expect(hosts.map((h) => [h.name, h.unnamed])).toEqual([
      ['web', false],
      ['10.0.0.9', true],
    ]);
    expect(hostOf.get(1)?.name).toBe('web');
    expect(hostOf.get(3)?.name).toBe('web');
  });

  it('leaves a source without name or address without a host', () => {
    const { hosts, hostOf } = findHosts([source(0, null)], new Map(), new Diagnostics());
    expect(hosts).toEqual([]);
    expect(hostOf.size).toBe(0);
  });
});

describe('tuple keys', () => {
  const a = { address: '10.0.0.1', port: 4000 };
  const b = { address: '10.0.0.2', port: 80 };
  it('are the same from both ends', () => {
    expect(tupleKey(a, b, 'x')).toBe(tupleKey(b, a, 'y'));
  });
  it('keep the loopback tuples of two hosts apart', () => {
    const c = { address: '127.0.0.1', port: 1 };
    const d = { address: '127.0.0.1', port: 2 };
    expect(tupleKey(c, d, 'x')).not.toBe(tupleKey(c, d, 'y'));
  });
});

import { describe, expect, it } from 'vitest';
import type { ConnectionRow } from '../../src/tables/connections.ts';
import { parsePeriod, withinPeriod } from '../../src/view/period.ts';
import { exp1Result } from '../tables/fixture.ts';

const base = exp1Result();
const lived = (row: Partial<ConnectionRow>, period: string) =>
  withinPeriod({ ...base, connections: [{ ...base.connections[0]!, ...row }] }, parsePeriod(period))
    .connections.length === 1;

const UTC = {
  clock: 'utc',
  startTime: '2026-11-20T06:56:27.774821000Z',
  endTime: '2026-11-20T07:12:27.783293000Z',
} as const;

describe('--time', () => {
  it.each([
    ['06:56..06:57', true],
    ['07:00:00..07:01:00', true],
    ['06:50..06:56', false],
    ['07:12:27.7832930..', true],
    ['07:12:27.783294..', false],
    ['..2026-11-20T06:56:27Z', false],
    ['..2026-11-20T06:56:28Z', true],
    ['2026-11-21T00:00:00Z..', false],
  ])('%s of a connection in UTC is %s', (period, expected) => {
    expect(lived(UTC, period)).toBe(expected);
  });

  it('counts seconds where the clock has no date, and nothing where there is no time', () => {
    const row = { clock: 'relative', startTime: '9.500000000', endTime: '12.000000000' } as const;
    expect(lived(row, '10..11')).toBe(true);
    expect(lived(row, '12.5..')).toBe(false);
    expect(lived({ clock: 'order', startTime: '', endTime: '' }, '00:00..23:59')).toBe(false);
  });

  it.each(['06:56', '..', 'noon..', '06:56..06:57..06:58'])('%s is refused with an example', (text) => {
    expect(() => parsePeriod(text)).toThrow(/expected FROM\.\.TO, each like/);
  });

  it('takes causes and findings along, and says what is hidden', () => {
    const cut = withinPeriod(base, parsePeriod('01:00..01:01'));
    expect(cut.connections).toEqual([]);
    expect(cut.causes).toEqual([]);
    expect(cut.findings).toEqual([]);
    expect(cut.story.at(-1)).toBe(
      'Shown are the 0 connections known to have lived from 01:00 to 01:01; 10 others not.',
    );
    expect(withinPeriod(base, parsePeriod('06:56..07:13')).cut).toMatch(
      / not\. Problems are counted over the whole input\.$/,
    );
  });
});

// The roll-up says of all groups what is true of each.
import { expect, it } from 'vitest';
import { Fold, newSince } from '../../src/archive/fold.ts';
import type { CauseAt, GroupRow } from '../../src/model/batch.ts';
import { causeSentences, limits } from '../../src/view/rollup.ts';

const AT = { rule: 'r', title: 'Reset', listener: '10.0.0.1:80', host: 'a', first: '', last: '', hours: {} };

function group(key: string, more: Partial<GroupRow>): GroupRow {
  return {
    ...{
      key,
      place: key,
      reason: 'alone',
      content: '',
      version: '0',
      members: [key],
      bytes: 1,
      hosts: [],
      day: 'unknown',
    },
    ...{ first: '', last: '', packets: 1, lines: 0, connections: 1, problems: 1, damage: [], causes: [] },
    ...more,
  };
}

function causes(...found: Pick<CauseAt, 'severity' | 'confidence'>[]) {
  const fold = new Fold(null);
  for (const [i, one] of found.entries())
    fold.group(group(String(i), { causes: [{ ...AT, ...one, connections: 1 }] }), false);
  return fold.result(0);
}

it('a cause is as sure as the least sure of the groups that make it so grave', () => {
  const mixed = causes(
    { severity: 'error', confidence: 'proved' },
    { severity: 'error', confidence: 'possible' },
  );
  expect(causeSentences(mixed)[0]).toContain('Reset (possible): 2 groups');
  expect(mixed.at[0]!.confidence).toBe('possible');
  const { at } = causes(
    { severity: 'warning', confidence: 'possible' },
    { severity: 'error', confidence: 'inferred' },
  );
  expect(at[0]).toMatchObject({ severity: 'error', confidence: 'inferred' });
});

it('damage is counted in all groups, however few of them are listed', () => {
  const fold = new Fold(null);
  const damage = [{ code: 'x', place: '', at: '', message: 'cut', count: 1 }];
  for (let i = 0; i < 1001; i++) fold.group(group(String(i), { damage }), false);
  const rollup = fold.result(0);
  expect([rollup.damaged.length, limits(rollup)]).toEqual([1000, ['1,001 groups read despite damage.']]);
});

it('new is what was not there at the last run, or before a day; of a cause at several places, how many', () => {
  const cause = { ...AT, severity: 'error', confidence: 'proved', connections: 1 } as const;
  const fold = new Fold(new Set([`${cause.rule} ${cause.listener} ${cause.host}`]));
  const days = { a: '2026-11-01T10:00:00.5Z', b: '2026-11-20T00:00:00.1Z' };
  for (const [host, first] of Object.entries(days))
    fold.group(group(host, { causes: [{ ...cause, host, first, last: first }] }), false);
  const rollup = fold.result(0);
  const said = (since?: string) =>
    causeSentences(since ? newSince(rollup, since) : rollup)[0]!.split('UTC.')[1];
  expect(said()).toBe(' New at 1 of 2 places since the last run.');
  expect(said('2026-11-20T00:00:00.000Z')).toBe(' New at 1 of 2 places since 2026-11-20.');
  expect(said('2026-11-01T00:00:00.000Z')).toBe(' New since 2026-11-01.');
  expect(said('2026-12-01T00:00:00.000Z')).toBe(' Not new since 2026-12-01.');
});

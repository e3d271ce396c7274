// The roll-up says of all groups what is true of each.
import { expect, it } from 'vitest';
import { Fold } from '../../src/archive/fold.ts';
import type { CauseAt, GroupRow } from '../../src/model/batch.ts';
import { causeSentences, limits } from '../../src/view/rollup.ts';

const AT = { rule: 'r', title: 'Reset', listener: '10.0.0.1:80', host: 'a', first: '', last: '', hours: {} };

function group(key: string, more: Partial<GroupRow>): GroupRow {
  return {
    ...{
      key,
      place: key,
      reason: 'alone',
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

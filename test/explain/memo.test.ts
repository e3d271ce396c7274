import { expect, test } from 'vitest';
import { forget, memoised } from '../../src/explain/memo.ts';

test.each([undefined, null, 0, 'x'])('%s is derived once, and again when it was forgotten', (value) => {
  let derived = 0;
  const of = memoised((_: object) => {
    derived++;
    return value;
  });
  const key = {};
  expect([of(key), of(key), derived]).toEqual([value, value, 1]);
  forget(key);
  expect([of(key), of(key), derived]).toEqual([value, value, 2]);
});

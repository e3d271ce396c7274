import { expect, test } from 'vitest';
import { endpoints, moment, number, period } from '../../src/explain/words.ts';

test('numbers: numerals, thousands apart', () => {
  expect([0, 10, 11, 104_700].map(number)).toEqual(['no', '10', '11', '104,700']);
});

test('times are told to the millisecond, and no finer than their source', () => {
  expect(moment('06:56:30.000000000')).toBe('06:56:30');
  expect(moment('07:12:27.783229000')).toBe('07:12:27.783');
  expect(moment('00:00:01.500000000 (+1 d)')).toBe('00:00:01.500 (+1 d)');
  expect(moment('2026-11-20T23:56:28.371332938Z')).toBe('2026-11-20 23:56:28.371 UTC');
  expect(moment('12.371332938')).toBe('12.371 s');
});

test('a period names its day once', () => {
  expect(period('2026-11-20T23:56:28.371332938Z', '2026-11-20T23:56:32.866157174Z')).toBe(
    ' between 2026-11-20 23:56:28.371 and 23:56:32.866 UTC',
  );
  expect(period('2026-11-20T23:59:59.000000000Z', '2026-11-21T00:00:01.000000000Z')).toBe(
    ' between 2026-11-20 23:59:59 and 2026-11-21 00:00:01 UTC',
  );
  expect(period('06:56:30.000000000', '06:56:30.000000001')).toBe(' at 06:56:30');
});

test('thousands of endpoints are told by their addresses', () => {
  const many = Array.from({ length: 5128 }, (_, i) => ({ address: `10.0.0.${i % 7}`, port: 20_000 + i }));
  expect(endpoints(many)).toBe('10.0.0.0, 10.0.0.1, 10.0.0.2 and 4 more addresses');
  expect(endpoints(many.slice(0, 2))).toBe('10.0.0.0:20000 and 10.0.0.1:20001');
});

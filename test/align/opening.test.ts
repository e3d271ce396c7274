import { expect, test } from 'vitest';
import { differ, type Opening } from '../../src/align/opening.ts';

const client = { address: '10.0.0.1', port: 4000 };
const server = { address: '10.0.0.2', port: 80 };
const opening = (end: Opening['end'], sent: number | null, received: number | null): Opening => ({
  ...{ end, sent, received },
});

test('both ends of one connection tell the same numbers', () => {
  expect(differ(opening(client, 100, 2 ** 31), opening(server, 2 ** 31, 100))).toBe(false);
  // the SYN carried data (TCP Fast Open)
  expect(differ(opening(client, 1560, 900), opening(server, 900, 100))).toBe(false);
});

test('a tuple used again has other numbers', () => {
  expect(differ(opening(client, 100, 900), opening(server, 900 + 65_537, 5_332_854))).toBe(true);
  expect(differ(opening(client, 100, null), opening(client, 1_000_000, 900))).toBe(true);
});

test('what is not known is no difference, nor another name behind a NAT', () => {
  expect(differ(opening(client, 100, null), opening(client, null, 900))).toBe(false);
  expect(differ(null, opening(client, 1, 2))).toBe(false);
  expect(differ(opening(client, 1e6, 9e8), opening({ address: '192.0.2.1', port: 9 }, 1e6, 9e8))).toBe(false);
});

import { expect, it } from 'vitest';
import { formatWords } from '../../src/model/address.ts';
import { displayAddress, hostNameWords } from '../../src/model/hostnames.ts';

it('gives a name the same address each time, and the name back', () => {
  const words = hostNameWords('db-1.example.net');
  expect(hostNameWords('db-1.example.net')).toEqual(words);
  const address = formatWords(...words);
  expect(address).toMatch(/^100::/);
  expect(displayAddress(address)).toBe('db-1.example.net');
});

it('gives different names different addresses', () => {
  const addresses = Array.from({ length: 10_000 }, (_, i) => formatWords(...hostNameWords(`host-${i}`)));
  expect(new Set(addresses).size).toBe(10_000);
});

it('leaves every other address as it is', () => {
  expect(displayAddress('10.0.0.1')).toBe('10.0.0.1');
  expect(displayAddress('100::1')).toBe('100::1');
});

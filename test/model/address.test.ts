import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEndpoint, formatWords, normaliseAddress, parseWords } from '../../src/model/address.ts';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['1::', '1::'],
  ])('writes %s as %s', (text, canonical) => {
    expect(normaliseAddress(text)).toBe(canonical);
  });

  it.each([
    '256.1.1.1',
    '1.2.3',
    '1.2.3.',
    '1..2.3',
    '1.2.3.4.5',
    '1.2.3.0004',
    '1.2.3.4 ',
    'host.example',
    '1:2:3',
    '::1::',
    '12345::',
    '1:2:3:4:5:6:7:8:9',
    '*',
    '',
  ])('does not take %j for an address', (text) => {
    expect(parseWords(text)).toBeNull();
    expect(normaliseAddress(text)).toBe(text);
  });

  it('reads back what it writes, for any address', () => {
    const word = fc.oneof(fc.integer(), fc.constantFrom(0, 0xffff, -1));
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        expect(parseWords(formatWords(a, b, c, d))).toEqual([a | 0, b | 0, c | 0, d | 0]);
      }),
    );
  });

  it('puts brackets around IPv6 with a port', () => {
    expect(formatEndpoint({ address: '2001:db8::1', port: 80 })).toBe('[2001:db8::1]:80');
    expect(formatEndpoint({ address: '10.0.0.1', port: 80 })).toBe('10.0.0.1:80');
  });
});

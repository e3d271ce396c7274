import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.ts';
import type { ConnectionRow } from '../../src/model/result.ts';
import { parseFilter } from '../../src/view/filter.ts';

const row = {
  client: { address: '10.1.2.3', port: 40000 },
  server: { address: '2001:db8::5', port: 443 },
} as ConnectionRow;
const findings = [{ rule: 'unread-data-reset' } as Finding];
const holds = (text: string) => parseFilter(text)(row, findings);

describe('--filter', () => {
  it.each([
    ['port 443', true],
    ['port 80', false],
    ['host 10.1.2.3', true],
    ['host ::ffff:10.1.2.3', true],
    ['net 10.1.0.0/16', true],
    ['net 10.2.0.0/16', false],
    ['net 2001:db8::/32', true],
    ['net 0.0.0.0/0', true],
    ['rule unread-data-reset', true],
    ['not port 443', false],
    ['port 80 or port 443 and host 10.1.2.3', true],
    ['(port 80 or port 443) and host 9.9.9.9', false],
    ['!port 80 && (host 10.1.2.3 || rule graceful-close)', true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });

  it.each([
    ['port', /needs a value/],
    ['(port)', /needs a value/],
    ['rule foo', /no rule is called foo/],
    ['port x', /not a port/],
    ['port 70000', /not a port/],
    ['host nowhere', /not an address/],
    ['net 10.0.0.0/33', /ADDRESS\/BITS/],
    ['(port 80', /not closed/],
    ['port 80 port 81', /unexpected "port"/],
    ['color red', /unknown word "color"/],
    ['port 80 and', /missing/],
  ])('refuses %s', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message);
  });
});

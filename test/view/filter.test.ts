import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/model/case.ts';
import type { Finding } from '../../src/model/finding.ts';
import { parseFilter } from '../../src/view/filter.ts';

const client = { address: '10.1.2.3', port: 40000 };
const row = {
  id: 'c11',
  client,
  server: { address: '2001:db8::5', port: 443 },
  lives: [{ state: 'CLOSE', owner: null, transitions: [{ from: 'FIN_WAIT2' }] }, null],
  rows: [{ local: client, state: 'CLOSE_WAIT', pid: 4711, comm: 'nginx' }],
  calls: [],
  wires: [],
} as unknown as Case;
const findings = [{ rule: 'unread-data-reset', severity: 'error', confidence: 'inferred' } as Finding];
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
    ['cause unread-data-reset', true],
    ['client port 443', false],
    ['server port 443', true],
    ['dst port 443 and src net 10.0.0.0/8', true],
    ['client 10.1.2.3', true],
    ['server 10.1.2.3', false],
    ['portrange 440-450', true],
    ['server portrange 30000-50000', false],
    ['severity error', true],
    ['severity warning', false],
    ['confidence inferred', true],
    ['confidence proved', false],
    ['state close-wait', true],
    ['state FIN_WAIT2', true],
    ['state last-ack', false],
    ['pid 4711', true],
    ['pid 4712', false],
    ['comm nginx', true],
    ['conn c11', true],
    ['conn c1', false],
    ['conn 10.1.2.3:40000', true],
    ['conn [2001:db8::5]:443-10.1.2.3:40000', true],
    ['conn 10.1.2.3:443', false],
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
    ['rule foo', /no cause is called foo/],
    ['port x', /not a port/],
    ['port 70000', /not a port/],
    ['host nowhere', /not an address/],
    ['net 10.0.0.0/33', /ADDRESS\/BITS/],
    ['(port 80', /not closed/],
    ['port 80 port 81', /unexpected "port"/],
    ['color red', /unknown word "color"/],
    ['prot 443', /did you mean port\?/],
    ['constructor x', /unknown word "constructor"/],
    ['rule unread-data', /did you mean unread-data-reset\?/],
    ['portrange 50-40', /not PORT-PORT/],
    ['portrange 50', /not PORT-PORT/],
    ['severity bad', /is not info, warning, error/],
    ['state open', /no state of TCP/],
    ['pid nginx', /not a number/],
    ['conn here-there', /ADDRESS:PORT/],
    ['server', /needs a value/],
    ['port 80 and', /missing/],
  ])('refuses %s', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message);
  });
});

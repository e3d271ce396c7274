/** Every counter of TCP and IP that the kernel under the tests has is explained. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { counterMeaning } from '../../src/explain/hosts/counter-meanings.ts';
import { counterName } from '../../src/read/lines/shared/counters.ts';

const GROUPS = new Set(['TcpExt', 'IpExt', 'Ip', 'Tcp', 'IcmpMsg']);

/** Names as events carry them. */
function countersOf(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const names = lines.filter((_, i) => i % 2 === 0);
  return names.flatMap((line) => {
    const [group = '', ...own] = line.split(' ');
    return GROUPS.has(group.slice(0, -1)) ? own.map((name) => counterName(group.slice(0, -1), name)) : [];
  });
}

test.each(['/proc/net/netstat', '/proc/net/snmp'])('%s', (file) => {
  const names = countersOf(file);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !counterMeaning(name)?.counts)).toEqual([]);
});

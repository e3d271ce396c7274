/** samples/field/between: what stands between the hosts, as client, router and server each saw it, and what looks alike. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/between');

const findings = async (...names: string[]) =>
  (await analyze(names.map((name) => path.join(FOLDER, name)))).findings;
const told = async (...names: string[]) =>
  (await findings(...names)).map((f) => `${f.rule} ${f.confidence} ${f.group} ${f.side}`);

test.each([
  ['icmp_admin-client.pcap', 'proved syn path'],
  ['icmp_admin-router.pcap', 'proved syn path'],
  // a text does not quote the numbers
  ['icmp_admin.txt', 'inferred syn path'],
  ['icmp6_admin-client.pcap', 'proved syn path'],
  ['icmp6_admin-router.pcap', 'proved syn path'],
  ['icmp6_admin.txt', 'inferred syn path'],
  ['icmp_port-client.pcap', 'proved syn server'],
  ['icmp_port-router.pcap', 'proved syn server'],
  ['icmp_port-server.pcap', 'proved syn server'],
  ['icmp_port.txt', 'inferred syn server'],
])('%s: who refused the SYN', async (name, expected) => {
  expect(await told(name)).toEqual([`icmp-rejected ${expected}`]);
});

test.each(['client', 'router'])('data that were refused until the client gave up: %s', async (place) => {
  const [first] = await findings(`icmp_data-${place}.pcap`);
  expect(first).toMatchObject({
    rule: 'icmp-rejected',
    confidence: 'proved',
    group: 'close',
    role: 'verdict',
  });
  expect(first!.summary).toContain('device 10.78.1.1 refused 8 segments');
});

test('the server does not see what the router refuses', async () => {
  expect((await told('icmp_data-server.pcap')).join()).not.toContain('icmp-rejected');
});

test.each(['client', 'router', 'server'])('refused for a while, then acknowledged: %s', async (place) => {
  expect(await told(`icmp_passing-${place}.pcap`)).toEqual([]);
});

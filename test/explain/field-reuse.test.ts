/** samples/field/resets/reuse-*: a SYN that meets an older connection of its ports. A TIME_WAIT answers as an open one does. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/resets');
const OLD = ['syn-on-time-wait', 'syn-on-stale-connection'];

async function met(name: string) {
  const { findings } = await analyze([path.join(FOLDER, `reuse-${name}.pcap`)]);
  return findings.filter((f) => OLD.includes(f.rule)).map(({ rule, confidence }) => [rule, confidence]);
}

test.each([
  // the file shows how the older one ended (Linux's way, and no SYN-ACK here is Linux's: possible)
  ['time-wait', 'syn-on-time-wait', 'possible'],
  ['open', 'syn-on-stale-connection', 'inferred'],
  // it does not: a TIME_WAIT would have taken what is newer (tcp_timewait_state_process)
  ['newer-number', 'syn-on-stale-connection', 'inferred'],
  ['newer-timestamp', 'syn-on-stale-connection', 'inferred'],
  ['older-number', 'syn-on-stale-connection', 'possible'],
  ['older-timestamp', 'syn-on-stale-connection', 'possible'],
  // the side that answers had closed last
  ['client-closed-first', 'syn-on-stale-connection', 'possible'],
])('%s: %s, %s', async (name, rule, confidence) => {
  expect(await met(name)).toEqual([[rule, confidence]]);
});

test('a connection whose SYN-ACK the file lacks met none', async () => {
  expect(await met('none')).toEqual([]);
});

test('how the older one ended is told, and no reboot is guessed', async () => {
  const { findings } = await analyze([path.join(FOLDER, 'reuse-time-wait.pcap')]);
  const found = findings.find((f) => f.rule === 'syn-on-time-wait')!;
  expect(found.summary).toContain('its SYN was taken when it came again 1.03 s later');
  expect(found.remedy).not.toContain('reboot');
  expect(findings.filter((f) => f.group === 'syn' && f.role === 'verdict')).toHaveLength(1);
});

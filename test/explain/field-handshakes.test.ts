/** Handshakes between "no answer" and "established" (samples/field/packets, tables). */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field');

async function found(name: string) {
  const { findings } = await analyze([path.join(FOLDER, name)]);
  return findings.map((f) => [f.rule, f.confidence, f.severity]);
}

test('SYN and SYN-ACK repeat, and no ACK comes', async () => {
  expect(await found('packets/syn-ack-never-acknowledged.txt')).toEqual([
    ['handshake-unfinished', 'possible', 'warning'],
  ]);
  const flood = await found('packets/half-open.pcap');
  expect(flood.filter(([rule]) => rule === 'handshake-unfinished')).toHaveLength(60);
});

test('an ACK that comes late, or a capture of one direction, is no unfinished handshake', async () => {
  for (const name of ['packets/syn-ack-acknowledged-late.txt', 'packets/onedir.pcap'])
    expect((await found(name)).map(([rule]) => rule)).not.toContain('handshake-unfinished');
});

test('SYN_RECV after retransmissions is a handshake unfinished; without, it may be one under way', async () => {
  expect(await found('tables/syn-recv.txt')).toEqual([
    ['handshake-unfinished', 'possible', 'warning'],
    ['handshake-unfinished', 'possible', 'info'],
  ]);
});

/** samples/field/packets: windows that stay closed. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/packets');

async function found(name: string) {
  const { findings } = await analyze([path.join(FOLDER, name)]);
  return findings.map((f) => [f.rule, f.confidence]);
}

test('10 probes, each answered with window 0: the receiver does not read', async () => {
  expect(await found('zero-window.pcap')).toEqual([['peer-window-closed', 'inferred']]);
});

test('a window that opens again is none', async () => {
  expect((await found('zero-window-opened.pcap')).map(([rule]) => rule)).not.toContain('peer-window-closed');
});

test('segments dropped because the receive buffer was full, as the kernel says; old data dropped are none of that', async () => {
  const of = async (name: string) => (await analyze([path.join(FOLDER, '../drops', name)])).findings;
  const [full, ...others] = await of('receive-buffer.txt');
  expect(others).toEqual([]);
  expect(full).toMatchObject({ rule: 'receive-buffer-full', confidence: 'proved', group: 'stuck' });
  expect(full!.summary).toContain('192.0.2.10:22912 dropped 2 segments: its receive buffer was full');
  expect((await of('old-data.txt')).map((f) => f.rule)).not.toContain('receive-buffer-full');
});

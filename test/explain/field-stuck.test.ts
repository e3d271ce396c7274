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

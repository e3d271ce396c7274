/** One connection in captures of both ends (samples/field/between): what they show together, and what they only seem to. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { RST } from '../../src/model/tcp.ts';
import { type Capture, flagsOf, readCapture, writeCapture } from './captures.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/between');
const capture = (name: string) => readCapture(path.join(FOLDER, `${name}.pcap`));
const without = ({ header, records }: Capture, isGone: (record: Buffer) => boolean): Capture => ({
  header,
  records: records.filter((r) => !isGone(r)),
});

async function verdicts(client: Capture, server: Capture) {
  const { findings } = await analyze([
    writeCapture('client.pcap', client),
    writeCapture('server.pcap', server),
  ]);
  return findings.filter((f) => f.role === 'verdict');
}

test.each<[string, (server: Capture) => Capture]>([
  ['whose filter may let no RST pass', (s) => without(s, (r) => (flagsOf(r) & RST) !== 0)],
  ['that lacks a segment of the server too', (s) => without(s, (r) => s.records.indexOf(r) === 5)],
  ['that lacks what the server sent later', (s) => without(s, (r) => s.records.indexOf(r) === 7)],
])("the server's capture lacks the RST, and is one %s: not proved", async (_what, changed) => {
  const [found] = await verdicts(capture('reset_forged-client'), changed(capture('reset_forged-server')));
  expect(found).toMatchObject({ rule: 'middlebox-reset', confidence: 'inferred' });
});

test('a RST of the server that its own capture has was not made between', async () => {
  const found = await verdicts(capture('reset_own-client'), capture('reset_own-server'));
  expect(found.map((f) => f.rule)).not.toContain('middlebox-reset');
});

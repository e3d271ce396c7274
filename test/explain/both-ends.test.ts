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

test('data that only the capture of their sender has were lost on the way', async () => {
  const found = await verdicts(capture('large_then_gone-client'), capture('large_then_gone-server'));
  expect(found.find((f) => f.rule === 'data-lost-on-path')).toMatchObject({
    confidence: 'inferred',
    group: 'stuck',
    side: 'path',
    summary: expect.stringMatching(/^The last 6,000 bytes of client .* the other capture has none of them/),
  });
});

test.each<[string, Capture, Capture]>([
  [
    'the other capture had ended before',
    capture('large_then_gone-client'),
    without(
      capture('large_then_gone-server'),
      (r) => capture('large_then_gone-server').records.findIndex((o) => o.equals(r)) > 6,
    ),
  ],
  ['they came with another try', capture('icmp_passing-client'), capture('icmp_passing-server')],
  ['both are of one place', capture('large_then_gone-client'), capture('large_then_gone-client')],
])('%s: nothing was lost between two captures', async (_what, client, server) => {
  const found = await verdicts(client, server);
  expect(found.map((f) => f.rule)).not.toContain('data-lost-on-path');
});

test('a probe on one host says nothing of SYNs that another host had before it was attached', async () => {
  const BUNDLES = path.resolve(import.meta.dirname, '../../samples/bundle');
  const { findings } = await analyze(
    ['syn-queue/6.1', 'accept-queue-syn/6.18'].map((b) => path.join(BUNDLES, b)),
  );
  expect(findings.map((f) => f.rule)).not.toContain('netfilter-drop');
});

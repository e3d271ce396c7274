/** Connections closed by the book are asked few rules: the others would have nothing to say of them. */
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { Facts } from '../../src/explain/facts/facts.ts';
import { liveSamples } from './samples.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

// orderly ones among others, of every way to close and some that only look orderly
const NAMES = [
  'exit-mix',
  'graceful-client-first',
  'graceful-server-first',
  'fin-with-ack',
  'half-close',
  'deferred-accept',
  'syn-on-time-wait',
  'listener-closed',
  'cookie-overflow',
  'linger-zero',
  'simultaneous-close',
  'data-into-minisock',
];

test('the few rules say what all of them do', async () => {
  const samples = liveSamples().filter((s) => NAMES.includes(path.basename(path.dirname(s.folder))));
  const all = () =>
    Promise.all(
      samples.map((s) => analyze(['packets.pcap', 'tcpstates.txt'].map((f) => path.join(s.folder, f)))),
    );
  const forgotten = vi.spyOn(Facts.prototype, 'forget');
  const few = await all();
  expect(forgotten.mock.calls.length).toBeGreaterThan(5);
  vi.spyOn(Facts.prototype, 'byTheBook', 'get').mockReturnValue(false);
  expect(few).toEqual(await all());
});

/** Captures that are odd, but right, through the whole line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../src/analyze.ts';
import { ACK, RST, SYN } from '../src/model/tcp.ts';
import { type Sent, writeCapture } from './fuzz/loads.ts';

const folder = mkdtempSync(join(tmpdir(), 'odd-'));
afterAll(() => rmSync(folder, { recursive: true }));

const refused = (port: number, at: number): Sent[] => [
  { at, from: 1, fromPort: port, to: 2, toPort: 0, flags: SYN, seq: 7, ack: 0 },
  { at: at + 9, from: 2, fromPort: 0, to: 1, toPort: port, flags: RST | ACK, seq: 0, ack: 8 },
];

test('a port of 0 is a port on the wire; connections of two captures are in the order of time', async () => {
  const paths = ['one', 'two'].map((name) => join(folder, name));
  writeCapture(paths[0]!, [...refused(4000, 0), ...refused(0, 100)]);
  writeCapture(paths[1]!, refused(4001, 50));
  const told = async (inputs: string[]) =>
    (await analyze(inputs)).connections.map((c) => `${c.client.port}-${c.server.port} ${c.connState}`);
  expect(await told([paths[0]!])).toEqual(['4000-0 REJ', '0-0 REJ']);
  expect(await told(paths)).toEqual(['4000-0 REJ', '4001-0 REJ', '0-0 REJ']);
});

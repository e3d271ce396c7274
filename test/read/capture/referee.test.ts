/** pcap-parser, an independent reader of classic microsecond captures, must give the same packets. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { collect } from './collect.ts';
import { generateCapture } from './generate.ts';

interface RefereePacket {
  header: { timestampSeconds: number; timestampMicroseconds: number; originalLength: number };
  data: Buffer;
}

const { parse } = createRequire(import.meta.url)('pcap-parser') as {
  parse(input: Readable): { on(event: string, listener: (value: RefereePacket) => void): void };
};

function referee(file: Buffer): Promise<RefereePacket[]> {
  const packets: RefereePacket[] = [];
  return new Promise((resolve, reject) => {
    const parser = parse(Readable.from([file], { objectMode: false }));
    parser.on('packet', (packet) => packets.push(packet));
    parser.on('error', reject as never);
    parser.on('end', () => resolve(packets));
  });
}

const isClassicMicroseconds = (file: Buffer) =>
  file.length >= 24 && [file.readUInt32LE(0), file.readUInt32BE(0)].includes(0xa1b2c3d4);

async function compare(file: Buffer): Promise<void> {
  const expected = await referee(file);
  const { frames, sources } = collect(file, [1000, 50_000, 50_001]);
  expect(frames.length).toBe(expected.length);
  expect(frames.length).toBeGreaterThan(0);
  const base = Number(sources[0]!.clock.base / 1_000_000_000n);
  for (const [i, { header, data }] of expected.entries()) {
    const { time, length, data: mine } = frames[i]!;
    expect(Math.round(time / 1000)).toBe(
      (header.timestampSeconds - base) * 1_000_000 + header.timestampMicroseconds,
    );
    expect(length).toBe(header.originalLength);
    expect(mine).toBe(data.toString('latin1'));
  }
}

describe('pcap-parser gives the same packets', () => {
  const own = 'node_modules/pcap-parser/test';
  test.each(['smtp.pcap', 'be.pcap'])('of its own %s', (name) => compare(readFileSync(join(own, name))));

  test('of a generated capture', () => compare(generateCapture({ packets: 3000, inFlight: 50, seed: 7 })));

  const corpus = process.env.CORPUS;
  test.skipIf(!corpus)('of every classic capture of the corpus', async () => {
    const folder = join(corpus!, 'zeek');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.pcap'),
    );
    const classic = names.map((name) => readFileSync(join(folder, name))).filter(isClassicMicroseconds);
    expect(classic.length).toBeGreaterThan(30);
    for (const file of classic) await compare(file);
  });
});

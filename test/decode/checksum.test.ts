/** TCP checksums, which are verified on request. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../src/decode/decode.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { Packet } from '../../src/model/packet.ts';
import { formatOf } from '../read/capture/collect.ts';
import { CUT_BY_OUTER, capturesIn, corpus, fields, hasTshark } from '../read/capture/tshark.ts';
import { some } from '../thorough.ts';
import { frameOf, ipPackets } from './frames.ts';

const raw = { linkType: 101 };

function check(bytes: Uint8Array, kind = {}, checksums = true): number {
  const packet = new Packet();
  new Decoder({ checksums }).decode(frameOf(bytes, { ...raw, ...kind }), packet);
  return packet.checksum;
}

test('a segment is good, and bad with any byte changed that the checksum covers', () => {
  for (const ip of ipPackets) {
    expect(check(ip)).toBe(1);
    for (const at of [12, 19, 20, ip.length - 1]) {
      const changed = Buffer.from(ip);
      changed[at]! ^= 0x10;
      expect(check(changed)).toBe(2);
    }
  }
});

test('nothing is said of one that was not captured whole, or when nobody asks', () => {
  const ip = ipPackets.find((one) => one.length > 100)!;
  expect(check(ip, { captured: ip.length - 1, length: ip.length })).toBe(0);
  expect(check(ip, {}, false)).toBe(0);
});

/** tcp.checksum.status: 0 bad, 1 good, 2 not verified. */
const STATUS = ['bad', 'good', 'unverified'];
const OURS = ['unverified', 'good', 'bad'];

describe.skipIf(!corpus || !hasTshark)('tshark finds the same', () => {
  test.each(some(capturesIn('zeek'), 8))('in %s', (name) => {
    const path = join(corpus!, 'zeek', name);
    const decoder = new Decoder({ checksums: true });
    const packet = new Packet();
    const mine = new Map<string, string>();
    const reader = formatOf(readFileSync(path)).open('it', {
      sink: {
        frame(_source, frame) {
          if (decoder.decode(frame, packet) === 0) mine.set(String(packet.frame), OURS[packet.checksum]!);
        },
        packet: () => undefined,
        event: () => undefined,
      },
      diagnostics: new Diagnostics(),
      source: (init) => ({ ...init, id: 0, records: 0 }),
      progress: () => undefined,
    });
    reader.push(readFileSync(path));
    reader.end();
    const options = ['-o', 'tcp.check_checksum:TRUE'];
    for (const [frame, status] of fields(path, ['frame.number', 'tcp.checksum.status'], 'tcp', options)) {
      // What it has cut short it finds bad.
      if (CUT_BY_OUTER.includes(name) && STATUS[Number(status)] === 'bad') continue;
      expect(`${frame} ${mine.get(frame!)}`).toBe(`${frame} ${STATUS[Number(status)]}`);
    }
  });
});

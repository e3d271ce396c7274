import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../../src/decode/decode.ts';
import { Frame, Packet } from '../../../src/model/packet.ts';
import { some, THOROUGH } from '../../thorough.ts';
import { buildPcap, buildPcapng, packetsOf } from './build.ts';
import { collect, formatOf } from './collect.ts';

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const packets = packetsOf(SMTP);
const files = [
  ['pcap', SMTP],
  ['pcap, big-endian', buildPcap(packets, { big: true })],
  ['pcapng', buildPcapng(packets)],
  ['pcapng, big-endian', buildPcapng(packets, true)],
] as const;

describe.each(files)('%s', (_, file) => {
  const all = collect(file).frames;
  const format = formatOf(file);
  const offset = fc.nat(file.length);

  test('gives the same whatever blocks it comes in', () => {
    fc.assert(
      fc.property(fc.array(offset, { maxLength: 40 }), (cuts) => {
        expect(collect(file, cuts).frames).toEqual(all);
      }),
    );
    const everyByte = Array.from({ length: file.length }, (_, i) => i);
    expect(collect(file, everyByte).frames).toEqual(all);
  });

  test('cut anywhere loses the tail only, and says so when a record was cut', () => {
    let last = 0;
    const sizes = Array.from({ length: file.length + 1 }, (_, size) => size);
    for (const size of some(sizes, 1000)) {
      const { frames } = collect(file.subarray(0, size), [], format);
      expect(frames.length).toBeGreaterThanOrEqual(last);
      last = frames.length;
      if (size % 97 === 0) expect(frames).toEqual(all.slice(0, last));
    }
    expect(last).toBeGreaterThanOrEqual(all.length - 1);
    expect(collect(file.subarray(0, file.length - 3)).diagnostics.damaged).toBe(true);
  });

  test('with bytes changed anywhere never throws, and nothing is read beyond a block', () => {
    const change = fc.record({ at: offset, value: fc.nat(255) });
    const decoder = new Decoder();
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 30 }),
        fc.array(offset, { maxLength: 5 }),
        (changes, cuts) => {
          const damaged = Uint8Array.from(file);
          for (const { at, value } of changes) if (at < damaged.length) damaged[at] = value;
          const seen = collect(damaged, cuts, format);
          for (const { data, length, linkType } of seen.frames) {
            const frame = Object.assign(new Frame(), {
              bytes: Buffer.from(data, 'latin1'),
              length,
              linkType,
            });
            frame.captured = frame.bytes.length;
            decoder.decode(frame, new Packet());
          }
        },
      ),
      { numRuns: THOROUGH ? 300 : 50 },
    );
  });

  test('with one bit changed loses few packets', () => {
    // Not in what describes the file, nor so near its end that too few records follow to be found again.
    const bits = fc.integer({ min: 48 * 8, max: (file.length - 2000) * 8 });
    fc.assert(
      fc.property(bits, (bit) => {
        const damaged = Uint8Array.from(file);
        damaged[bit >> 3] ^= 1 << (bit & 7);
        const { frames } = collect(damaged, [], format);
        const whole = new Set(all.map((f) => f.data));
        const kept = frames.filter((f) => whole.has(f.data)).length;
        expect(kept).toBeGreaterThanOrEqual(all.length - 3);
      }),
      { numRuns: THOROUGH ? 500 : 50 },
    );
  });
});

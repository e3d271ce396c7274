/** Every segment of the corpus, field by field against tshark. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../src/decode/decode.ts';
import { formatWords, normaliseAddress } from '../../src/model/address.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { OPT_MSS, OPT_TIMESTAMP, OPT_WSCALE, Packet } from '../../src/model/packet.ts';
import { formatOf } from '../read/capture/collect.ts';
import { CUT_BY_OUTER, capturesIn, corpus, fields, hasTshark } from '../read/capture/tshark.ts';
import { some } from '../thorough.ts';

const TCP_FIELDS = ['srcport', 'dstport', 'seq_raw', 'ack_raw', 'flags', 'window_size_value', 'len'].map(
  (f) => `tcp.${f}`,
);
const OPTION_FIELDS = ['mss_val', 'wscale.shift', 'timestamp.tsval', 'timestamp.tsecr'].map(
  (f) => `tcp.options.${f}`,
);
const IP_FIELDS = ['ip.src', 'ip.dst', 'ip.ttl', 'ipv6.src', 'ipv6.dst', 'ipv6.hlim'];

/** One text a segment, in the notation that theirs() uses. */
function ours(file: Buffer): { number: number; path: string; text: string }[] {
  const rows: { number: number; path: string; text: string }[] = [];
  const decoder = new Decoder();
  const p = new Packet();
  const context = {
    sink: {
      frame(_: unknown, frame: Parameters<Decoder['decode']>[0]) {
        if (decoder.decode(frame, p) !== 0) return;
        const has = (bit: number, value: number) => ((p.options & bit) === 0 ? '' : String(value >>> 0));
        const text = [
          ...[p.srcPort, p.dstPort, p.seq >>> 0, p.ack >>> 0, p.flags, p.window, p.payload],
          ...[
            has(OPT_MSS, p.mss),
            has(OPT_WSCALE, p.windowScale),
            has(OPT_TIMESTAMP, p.tsVal),
            has(OPT_TIMESTAMP, p.tsEcr),
          ],
          ...[
            formatWords(p.src0, p.src1, p.src2, p.src3),
            formatWords(p.dst0, p.dst1, p.dst2, p.dst3),
            p.ttl,
          ],
        ].join(' ');
        rows.push({ number: p.frame, path: decoder.encapsulations[p.encapsulation]!, text });
      },
      packet: () => undefined,
      event: () => undefined,
    },
    diagnostics: new Diagnostics(),
    source: (init: object) => ({ ...init, id: 0, records: 0 }) as never,
    progress: () => undefined,
  };
  const reader = formatOf(file).open('it', context);
  reader.push(file);
  reader.end();
  return rows;
}

function theirs(path: string): Map<number, string> {
  const rows = fields(path, ['frame.number', ...TCP_FIELDS, ...OPTION_FIELDS, ...IP_FIELDS], 'tcp');
  return new Map(
    rows.map(([number, ...row]) => {
      const tcp = row.slice(0, 7).map((value) => String(Number(value)));
      const [src, dst, ttl, src6, dst6, ttl6] = row.slice(11);
      // Of an outer and an inner IP header of different versions the inner one is IPv6 only in 6in4, which is not here.
      const ip = src ? [src, dst, ttl] : [normaliseAddress(src6!), normaliseAddress(dst6!), ttl6];
      return [Number(number), [...tcp, ...row.slice(7, 11), ...ip].join(' ')];
    }),
  );
}

const PAYLOAD = 6;

function comparable(name: string, text: string): string {
  if (!CUT_BY_OUTER.includes(name)) return text;
  return text.split(' ').toSpliced(PAYLOAD, 1, '').join(' ');
}

describe.skipIf(!corpus || !hasTshark)('tshark reads the same from every segment', () => {
  test.each(some(capturesIn('zeek'), 8))('of %s', (name) => {
    const path = join(corpus!, 'zeek', name);
    const expected = theirs(path);
    // Between a Teredo relay and a client any port is used: we know that traffic by its content, tshark does not.
    const mine = ours(readFileSync(path)).filter(
      (row) => expected.has(row.number) || row.path !== 'ipv4>teredo',
    );
    expect(mine.map((row) => row.number)).toEqual([...expected.keys()]);
    for (const { number, text } of mine) {
      const [got, wanted] = [text, expected.get(number)!].map((one) => `${number}: ${comparable(name, one)}`);
      expect(got).toBe(wanted);
    }
  });
});

/** Packet lists of Wireshark against what tcpdump prints of the same capture. */
import { describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/model/packet.ts';
import { ACK, RST, SYN } from '../../../src/model/tcp.ts';
import { codes, formats, read, readSample } from './harness.ts';

const list = (name: string) => readSample(`tools/wireshark-list/${name}`);
const segment = (p: Packet) => [
  p.src3,
  p.srcPort,
  p.dst3,
  p.dstPort,
  p.flags,
  p.payload,
  p.window,
  p.options,
];
const numbered = (p: Packet) => [...segment(p), p.seq, p.ack];

describe('the packet list of Wireshark', () => {
  const known = readSample('tools/tcpdump/tcpdump-nnS.txt').packets;

  it('says what tcpdump says', () => {
    const { packets } = list('tshark-absolute-t-e.txt');
    // a RST without ACK has an acknowledgement number of 0 in both
    expect(packets.map(numbered)).toEqual(known.map(numbered));
  });

  it.each(['tshark.txt', 'tshark-tabs.txt', 'tshark-t-ad.txt', 'export.csv'])(
    '%s: relative numbers',
    (name) => {
      const out = list(name);
      expect(formats(out)).toEqual(['wireshark-list']);
      expect(out.packets.map(segment)).toEqual(known.map(segment));
      expect(codes(out)).toEqual([]);
    },
  );

  it('takes the clock that the column shows', () => {
    const clocks = ['tshark.txt', 'tshark-t-ad.txt', 'tshark-absolute-t-e.txt'].map(
      (name) => list(name).sources[0]!.clock,
    );
    expect(clocks.map((c) => c.kind)).toEqual(['relative', 'wall', 'realtime']);
    expect(list('tshark-absolute-t-e.txt').packets[1]!.time).toBe(559_116_000);
    expect(list('tshark.txt').packets[1]!.time).toBe(24_000);
  });

  it('moves the numbers of ports that are used again', () => {
    const row = (n: number, notes: string) =>
      `${n} ${n}.000000 10.0.0.2 -> 10.0.0.1 TCP 74 ${notes}4000 > 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460`;
    const out = read(
      [row(1, ''), row(2, '[TCP Retransmission] '), row(3, '[TCP Port numbers reused] ')].join('\n'),
    );
    const [first, again, later] = out.packets.map((p) => p.seq);
    expect(again).toBe(first);
    expect(later).not.toBe(first);
  });

  it('reads the export without arrows, and counts what stands above TCP', () => {
    const out = read(
      [
        'No.     Time           Source                Destination           Protocol Length Info',
        '      1 0.000000       192.0.2.9             192.0.2.1             TCP      66     4000 → http(80) [SYN] Seq=0 Win=8192 Len=0',
        '      2 0.000100       192.0.2.1             192.0.2.9             TCP      54     80 → 4000 [RST, ACK] Seq=1 Ack=1 Win=0 Len=0',
        '      3 0.000200       192.0.2.9             192.0.2.1             HTTP     154    GET / HTTP/1.1 ',
        '      4 0.000300       192.0.2.9             192.0.2.1             DNS      154    Standard query 0x1 A x',
      ].join('\n'),
    );
    expect(out.packets.map((p) => [p.dstPort, p.flags])).toEqual([
      [80, SYN],
      [4000, RST | ACK],
    ]);
    expect(codes(out)).toEqual(['info-above-tcp']);
  });

  it('takes Seq=1 of a RST for 0 where it answers a SYN, and for what it is in a conversation that begins in the middle', () => {
    const row = (n: number, from: string, info: string) =>
      `${n} ${n}.000000 ${from} → ${from === '10.0.0.2' ? '10.0.0.1' : '10.0.0.2'} TCP 74 ${info}`;
    const reset = row(2, '10.0.0.1', '80 → 4000 [RST, ACK] Seq=1 Ack=1 Win=0 Len=0');
    const [, refusal] = read(
      [row(1, '10.0.0.2', '4000 → 80 [SYN] Seq=0 Win=64240 Len=0'), reset].join('\n'),
    ).packets;
    const [data, later] = read(
      [row(1, '10.0.0.2', '4000 → 80 [PSH, ACK] Seq=1 Ack=1 Win=501 Len=100'), reset].join('\n'),
    ).packets;
    expect(refusal!.seq).toBe(0);
    expect(later!.seq).toBe(data!.ack);
  });

  it('says that times which fall are no times since the beginning', () => {
    const row = (time: string) =>
      `1 ${time} 10.0.0.2 → 10.0.0.1 TCP 74 4000 → 80 [SYN] Seq=0 Win=64240 Len=0`;
    expect(codes(read([row('0.500000'), row('0.000100')].join('\n')))).toEqual(['times-fall']);
  });
});

import { describe, expect, test } from 'vitest';
import { Decoder } from '../../src/decode/decode.ts';
import { OUTCOMES } from '../../src/decode/outcomes.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import * as options from '../../src/model/packet.ts';
import { Packet } from '../../src/model/packet.ts';
import type { Source } from '../../src/model/source.ts';
import { decode, ethernet, frameOf, hex, ipPackets, ipv4, ipv6, u16, udp } from './frames.ts';

/** 20 bytes of TCP header with options behind it, in an IPv4 packet. */
function segment(opts: string, payload = 0): Buffer {
  const bytes = hex(opts);
  const head = Buffer.concat([
    hex('0050 1f90 00000001 80000002'),
    Buffer.of((5 + bytes.length / 4) << 4, 0x12),
    hex('01f6 0000 0000'),
  ]);
  return ipv4(6, Buffer.concat([head, bytes, Buffer.alloc(payload, 1)]));
}
const raw = { linkType: 101 };

describe('a segment', () => {
  test('is filled in whole', () => {
    const bytes = Buffer.concat([
      ethernet(0x0800),
      segment('020405b4 0402080a 00000007 ffffffff 01030309', 5),
    ]);
    const { outcome, packet } = decode(bytes, { interfaceId: 2 });
    expect(outcome).toBe('tcp');
    expect({ ...packet }).toEqual({
      ...{
        frame: 7,
        time: 5,
        vantage: 2 * 65_537 * 8,
        encapsulation: 0,
        direction: 0,
        checksum: 0,
        snapped: 0,
        process: 0,
      },
      ...{
        src0: 0,
        src1: 0,
        src2: 0xffff,
        src3: 0xc0000201 | 0,
        dst0: 0,
        dst1: 0,
        dst2: 0xffff,
        dst3: 0xc0000202 | 0,
      },
      ...{ srcPort: 80, dstPort: 8080, seq: 1, ack: 0x80000002 | 0, flags: 0x12, window: 502, payload: 5 },
      ...{ mss: 1460, windowScale: 9, tsVal: 7, tsEcr: -1, ttl: 63, ipId: 1 },
      options: options.OPT_MSS | options.OPT_SACK_PERMITTED | options.OPT_TIMESTAMP | options.OPT_WSCALE,
      // MSS, SACK permitted, timestamps, NOP, window scale: the first in the lowest bits
      optionOrder: 0o45321,
    });
  });

  test('keeps nothing of the one before it', () => {
    const decoder = new Decoder();
    const packet = new Packet();
    decoder.decode(frameOf(segment('020405b4 0402080a 00000007 ffffffff 01030309'), raw), packet);
    decoder.decode(frameOf(segment(''), raw), packet);
    const { options: bits, optionOrder, mss, windowScale, tsVal, tsEcr } = packet;
    expect([bits, optionOrder, mss, windowScale, tsVal, tsEcr]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each<[string, string, number]>([
    ['timestamps as Linux aligns them', '0101080a 00000001 00000002', options.OPT_TIMESTAMP],
    ['SACK blocks', '0101050a 00000001 00000002', options.OPT_SACK],
    ['MD5', `1312${'00'.repeat(16)} 0101`, options.OPT_MD5],
    ['AO', '1d040000', options.OPT_AO],
    ['MPTCP', '1e0c0081 0000000000000000', options.OPT_MPTCP],
    ['Fast Open', '22020101', options.OPT_FASTOPEN],
    ['Fast Open as an experiment', 'fe04f989', options.OPT_FASTOPEN],
    ['another experiment', 'fe04e2d4', 0],
    ['one that nobody knows', '63040000 020405b4', options.OPT_MSS],
    ['nothing behind their end', '00020405', 0],
    ['a length of 0', '08000000', options.OPT_DAMAGED],
    ['a length of 1', '08010000', options.OPT_DAMAGED],
    ['a length beyond the header', '020405b4 08ff0000', options.OPT_MSS | options.OPT_DAMAGED],
    ['a kind as the last byte', '01010108', options.OPT_DAMAGED],
    ['an MSS of five bytes', '0205000000 030307', options.OPT_DAMAGED | options.OPT_WSCALE],
  ])('with %s', (_, opts, bits) => {
    const { outcome, packet } = decode(segment(opts), raw);
    expect([outcome, packet.options]).toEqual(['tcp', bits]);
  });

  test('has the ninth flag', () => {
    const bytes = segment('');
    bytes[32]! |= 1;
    expect(decode(bytes, raw).packet.flags).toBe(0x112);
  });

  test('counts payload on the wire: not padding, not only what was captured', () => {
    const short = Buffer.concat([ethernet(0x0800), segment('', 2)]);
    expect(decode(Buffer.concat([short, Buffer.alloc(18)])).packet.payload).toBe(2);
    const long = Buffer.concat([ethernet(0x0800), segment('', 1400)]);
    expect(decode(long, { captured: 60, length: long.length })).toMatchObject({
      outcome: 'tcp',
      packet: { payload: 1400 },
    });
  });

  test('with a total length of 0 (segmentation offload) is as long as its frame', () => {
    const bytes = Buffer.concat([ethernet(0x0800), segment('', 3000)]);
    bytes.writeUInt16BE(0, 16);
    expect(decode(bytes, { captured: 128, length: bytes.length }).packet.payload).toBe(3000);
  });
});

describe('a frame that was cut', () => {
  const whole = Buffer.concat([ethernet(0x0800), segment('0101080a 00000001 00000002', 100)]);

  test('says what it lacks at every length', () => {
    const seen = Array.from({ length: whole.length + 1 }, (_, captured) => {
      const { outcome, packet } = decode(whole, { captured, length: whole.length });
      return outcome === 'tcp' ? `tcp ${packet.options} ${packet.payload}` : outcome;
    });
    const runs = seen.map((text, at) => [at, text]).filter(([at, text]) => seen[Number(at) - 1] !== text);
    expect(runs).toEqual([
      [0, 'truncated-link'],
      [14, 'truncated-ip'],
      [34, 'truncated-tcp'],
      [50, `tcp ${options.OPT_DAMAGED} 100`],
      [66, `tcp ${options.OPT_TIMESTAMP} 100`],
    ]);
  });

  test('never makes any real packet fail, in any link type', () => {
    for (const linkType of [0, 1, 9, 12, 50, 51, 101, 104, 105, 108, 113, 127, 228, 229, 276]) {
      for (const ip of ipPackets.slice(0, 8)) {
        for (let captured = 0; captured <= ip.length; captured++)
          decode(ip, { linkType, captured, length: ip.length });
      }
    }
  });
});

describe('a frame without a segment', () => {
  const tcp = segment('').subarray(20);
  const nested = Buffer.concat([ethernet(0x8100), ...Array.from({ length: 50 }, () => hex('0001 8100'))]);
  test.each<[string, string, Buffer, number]>([
    ['ARP', 'not-ip', Buffer.concat([ethernet(0x0806), Buffer.alloc(28)]), 1],
    ['spanning tree', 'not-ip', Buffer.concat([ethernet(38), hex('424203'), Buffer.alloc(40)]), 1],
    ['an unknown EtherType', 'unknown-ethertype', Buffer.concat([ethernet(0x99fe), Buffer.alloc(60)]), 1],
    ['encrypted MACsec', 'encrypted', Buffer.concat([ethernet(0x88e5), hex('2c'), Buffer.alloc(60)]), 1],
    ['ESP', 'encrypted', ipv4(50, Buffer.alloc(60, 7)), 101],
    ['ESP over UDP', 'encrypted', udp(4500, 40000, Buffer.alloc(60, 7)), 101],
    ['IKE at the port of ESP', 'not-tcp', udp(4500, 4500, Buffer.alloc(60)), 101],
    ['a keepalive of NAT traversal', 'not-tcp', udp(4500, 4500, hex('ff')), 101],
    ['DNS from the port of ESP', 'not-tcp', udp(4500, 53, Buffer.alloc(60, 7)), 101],
    [
      'data of WireGuard',
      'encrypted',
      udp(40000, 51_820, Buffer.concat([hex('04000000'), Buffer.alloc(60, 7)])),
      101,
    ],
    [
      'a keepalive of WireGuard',
      'not-tcp',
      udp(40000, 51_820, Buffer.concat([hex('04000000'), Buffer.alloc(28, 7)])),
      101,
    ],
    ['L2TP version 3 over IP', 'unknown-tunnel', ipv4(115, Buffer.alloc(60, 7)), 101],
    ['compressed IP', 'unknown-tunnel', ipv4(108, Buffer.alloc(60, 7)), 101],
    [
      'GRE with source routes',
      'unknown-tunnel',
      ipv4(47, Buffer.concat([hex('4000 0800'), Buffer.alloc(60)])),
      101,
    ],
    ['a keepalive of GRE', 'not-tcp', ipv4(47, hex('0000 0000')), 101],
    ['GRE with an unknown protocol', 'unknown-ethertype', ipv4(47, hex('0000 99fe 00000000')), 101],
    ['PPP with compressed headers', 'unknown-tunnel', hex('002d 4500'), 9],
    ['LCP', 'not-ip', hex('c021 0101'), 9],
    ['OSPF', 'not-tcp', ipv4(89, Buffer.alloc(24)), 101],
    ['SCTP', 'not-tcp', ipv4(132, Buffer.alloc(24)), 101],
    ['FCoE', 'not-ip', Buffer.concat([ethernet(0x8906), Buffer.alloc(60)]), 1],
    ['USB', 'not-ip', Buffer.alloc(60), 189],
    ['a link type without a layer', 'unknown-link-type', Buffer.alloc(60), 246],
    ['ICMP', 'not-tcp', ipv4(1, Buffer.alloc(8)), 101],
    ['DNS', 'not-tcp', udp(5353, 53, Buffer.alloc(30)), 101],
    ['IPv6 with nothing in it', 'not-tcp', ipv6(59, Buffer.alloc(0)), 101],
    ['a later fragment', 'fragment', ipv4(6, Buffer.alloc(50), 100), 101],
    ['a later fragment of UDP', 'not-tcp', ipv4(17, Buffer.alloc(50), 100), 101],
    ['a later fragment in IPv6', 'fragment', ipv6(44, hex('0600 0008 00000001 0000000000000000')), 101],
    ['IP version 5', 'bad-ip-header', hex(`55${'00'.repeat(30)}`), 101],
    [
      'IPv4 behind the EtherType of IPv6',
      'bad-ip-header',
      Buffer.concat([ethernet(0x86dd), segment(''), Buffer.alloc(9)]),
      1,
    ],
    ['an IPv4 header of 16 bytes', 'bad-ip-header', hex(`44000020${'00'.repeat(28)}`), 101],
    ['a total length below the header', 'bad-ip-header', hex(`45000013${'00'.repeat(28)}`), 101],
    ['an extension header beyond the packet', 'bad-ip-header', ipv6(0, hex('06ff 000000000000')), 101],
    ['a TCP header of 16 bytes', 'bad-tcp-header', ipv4(6, Buffer.from(tcp).fill(0x40, 12, 13)), 101],
    ['a TCP header beyond the packet', 'bad-tcp-header', ipv4(6, Buffer.from(tcp).fill(0xf0, 12, 13)), 101],
    ['a TCP header that ends early', 'bad-tcp-header', ipv4(6, tcp.subarray(0, 15)), 101],
    ['a beacon', 'not-ip', Buffer.concat([hex('8000'), Buffer.alloc(60)]), 105],
    ['a Wi-Fi frame without data', 'not-ip', Buffer.concat([hex('c801'), Buffer.alloc(24)]), 105],
    ['an encrypted Wi-Fi frame', 'wifi-unreadable', Buffer.concat([hex('0841'), Buffer.alloc(60)]), 105],
    ['a fragment of Wi-Fi', 'wifi-unreadable', Buffer.concat([hex('0805'), Buffer.alloc(60)]), 105],
    [
      'an aggregate of Wi-Fi',
      'wifi-unreadable',
      Buffer.concat([hex('8801'), Buffer.alloc(22), hex('8000'), Buffer.alloc(60)]),
      105,
    ],
    ['a header of radiotap beyond its frame', 'truncated-link', hex('0000ff00 00000000'), 127],
    ['an AYIYA that asks for an answer', 'not-tcp', udp(9, 5072, hex('42421203 00000000')), 101],
    ['fifty VLAN tags', 'too-deep', nested, 1],
    [
      'a VXLAN around fifty VLAN tags',
      'too-deep',
      udp(9, 4789, Buffer.concat([hex('08000000 00000100'), nested])),
      101,
    ],
    ['garbage at the port of a tunnel', 'not-tcp', udp(9, 4789, Buffer.alloc(60, 0x5a)), 101],
    [
      'a frame of ARP in a tunnel',
      'not-tcp',
      udp(9, 4789, Buffer.concat([hex('08000000 00000100'), ethernet(0x0806)])),
      101,
    ],
    [
      'something unknown in a tunnel',
      'not-tcp',
      udp(9, 4789, Buffer.concat([hex('08000000 00000100'), ethernet(0x7777)])),
      101,
    ],
  ])('%s is %s', (_, outcome, bytes, linkType) => {
    expect(decode(bytes, { linkType }).outcome).toBe(outcome);
  });
});

describe('the report', () => {
  const source = { name: 'it' } as Source;
  const report = (frames: readonly (readonly [Uint8Array, number])[]) => {
    const decoder = new Decoder();
    const diagnostics = new Diagnostics();
    frames.forEach(([bytes, linkType], i) => {
      decoder.decode(Object.assign(frameOf(bytes, { linkType }), { number: i + 1 }), new Packet());
    });
    decoder.report(source, diagnostics);
    return diagnostics.list();
  };

  test('counts each outcome and names its first frame', () => {
    const unknown = Buffer.concat([ethernet(0x99fe), Buffer.alloc(60)]);
    const rows = report([
      [segment(''), 101],
      [Buffer.alloc(9), 246],
      [unknown, 1],
      [Buffer.alloc(9), 247],
      [unknown, 1],
    ]);
    expect(rows.map((d) => [d.code, d.severity, d.locator, d.count, d.source])).toEqual([
      ['unknown-ethertype', 'data-loss', 'frame 3', 2, 'it'],
      ['unknown-link-type', 'data-loss', 'frame 2', 2, 'it'],
    ]);
    expect(rows[0]!.message).toContain('EtherType 0x99fe');
    expect(rows[1]!.message).toContain('link type 246');
  });

  test('says nothing when every frame held a segment', () => {
    expect(report([[segment(''), 101]])).toEqual([]);
  });

  test('has its outcomes in the order of their numbers', () => {
    expect(OUTCOMES.map(({ id }) => id)).toEqual([...new Set(OUTCOMES.map(({ id }) => id))]);
    expect(OUTCOMES[0]!.id).toBe('tcp');
  });
});

test('a capture made of ever new encapsulations has a bounded table of them', () => {
  const decoder = new Decoder();
  const packet = new Packet();
  const tags = [0x8100, 0x8926];
  for (let n = 0; n < 2000; n++) {
    const path = Array.from({ length: 11 }, (_, i) => tags[(n >> i) & 1]!);
    const heads = path.map((type, i) =>
      Buffer.concat([Buffer.alloc(type === 0x8926 ? 4 : 2), u16(path[i + 1] ?? 0x0800)]),
    );
    const bytes = Buffer.concat([ethernet(path[0]!), ...heads, segment('')]);
    expect(decoder.decode(frameOf(bytes), packet)).toBe(0);
  }
  expect(decoder.encapsulations.length).toBe(257);
  expect(decoder.encapsulations[packet.encapsulation]).toBe('…');
});

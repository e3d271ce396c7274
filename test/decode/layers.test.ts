import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { layers } from '../../src/decode/layers.ts';
import { DIRECTION_IN, DIRECTION_OUT, type Packet } from '../../src/model/packet.ts';
import { describe as describeInterface, enhanced, packetsOf, section } from '../read/capture/build.ts';
import { fields, hasTshark } from '../read/capture/tshark.ts';
import { decode, ethernet, hex, ipPackets, ipv4, ipv6, u16, udp } from './frames.ts';

const SNAP = hex('aaaa03 000000 0800');
const around = (...head: Uint8Array[]) => Buffer.concat([...head, ip]);
const ip = ipPackets[3]!;
const bare = decode(ip, { linkType: 101 }).packet;
const expected = { ...bare };

/** All that a packet holds but where it was seen. */
const content = (packet: Packet) => ({ ...packet, vantage: 0, direction: 0, encapsulation: 0 });

describe('the list of layers', () => {
  test('holds every file of the folder, named by its id', () => {
    const files = readdirSync('src/decode/layers').map((name) => name.replace('.ts', ''));
    expect(layers.map(({ id }) => id).sort()).toEqual(files.sort());
  });

  test('has one layer for each announcement', () => {
    const all = layers.flatMap(({ over }) => over);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('the same segment is found', () => {
  const vlan = (type: number) => Buffer.concat([u16(100), u16(type)]);
  const mac = Buffer.alloc(12, 6);
  const inner = (...head: Uint8Array[]) => around(...head, ethernet(0x0800));
  const gtp = (head: Buffer, options: Buffer = Buffer.alloc(0)) =>
    around(head, u16(options.length + ip.length), hex('00000001'), options);
  const FRAMES: readonly [string, Buffer, number, string][] = [
    ['raw IP', ip, 101, ''],
    ['raw IP as BSD wrote it', ip, 12, ''],
    ['raw IPv4', ip, 228, ''],
    ['Ethernet', around(ethernet(0x0800)), 1, ''],
    ['VLAN', around(ethernet(0x8100), vlan(0x0800)), 1, 'vlan'],
    ['QinQ', around(ethernet(0x88a8), vlan(0x8100), vlan(0x0800)), 1, 'vlan>vlan'],
    ['old QinQ', around(ethernet(0x9100), vlan(0x8100), vlan(0x0800)), 1, 'vlan>vlan'],
    ['802.3 with SNAP', around(ethernet(300), SNAP), 1, ''],
    ['802.3 with SNAP in a VLAN', around(ethernet(0x8100), vlan(300), SNAP), 1, 'vlan'],
    ['802.3 with the SAP of IP', around(ethernet(300), hex('060603')), 1, ''],
    ['null, little-endian', around(hex('02000000')), 0, ''],
    ['null, big-endian', around(hex('00000002')), 0, ''],
    ['loop', around(hex('00000002')), 108, ''],
    ['PPP', around(hex('0021')), 9, ''],
    ['PPP with HDLC framing', around(hex('ff03 0021')), 50, ''],
    ['PPP, compressed', around(hex('21')), 9, ''],
    ['Cisco HDLC', around(hex('0f00 0800')), 104, ''],
    ['PPPoE', around(ethernet(0x8864), hex('1100 0001 0064 0021')), 1, 'pppoe'],
    ['two MPLS labels', around(ethernet(0x8847), hex('00010040 00020140')), 1, 'mpls'],
    ['an Ethernet pseudowire', inner(ethernet(0x8847), hex('00010140 00000000')), 1, 'mpls'],
    ['VN-tag', around(mac, hex('8926 00000000 0800')), 1, 'vn-tag'],
    ['E-tag', around(mac, hex('893f 0000000000000800')), 1, 'e-tag'],
    ['HSR', around(mac, hex('892f 0040 0001 0800')), 1, 'redundancy-tag'],
    ['Cisco metadata', around(mac, hex('8909 0101 0001 0005 0800')), 1, 'cisco-metadata'],
    ['MACsec that signs', around(mac, hex('88e5 2000 00000001 0200000000010001 0800')), 1, 'macsec'],
    ['a backbone bridge', inner(mac, hex('88e7 00000064')), 1, 'backbone'],
    ['TRILL', inner(mac, hex('22f3 003f 0001 0002')), 1, 'trill'],
    ['a service header', around(mac, hex('894f 0fc2 0201 00000164')), 1, 'nsh'],
    ['Ethernet in IP', ipv4(97, inner(hex('3000'))), 101, 'ipv4>ether-ip'],
    ['MPLS in IP', ipv4(137, around(hex('00010140'))), 101, 'ipv4>mpls'],
    ['L2TP', udp(50001, 1701, around(hex('0002 0001 0002 ff03 0021'))), 101, 'ipv4>l2tp'],
    [
      'L2TP with length and sequence',
      udp(1701, 1701, around(hex('4802'), u16(14 + ip.length), hex('0001 0002 0000 0000 0021'))),
      101,
      'ipv4>l2tp',
    ],
    ['WCCP', ipv4(47, around(hex('0000 883e 00000000'))), 101, 'ipv4>gre'],
    ['VXLAN-GPE', udp(50000, 4790, around(hex('0c000001 00000100'))), 101, 'ipv4>vxlan'],
    ['a bridge tunnel', around(ethernet(300), hex('aaaa03 0000f8 0800')), 1, ''],
    ['FabricPath', inner(mac, hex('8903 0000')), 1, 'fabric-path'],
    ['IP in IP', ipv4(4, ip), 101, 'ipv4'],
    ['IPv4 in IPv6', ipv6(4, ip), 101, 'ipv6'],
    ['GRE', ipv4(47, around(hex('0000 0800'))), 101, 'ipv4>gre'],
    [
      'GRE with checksum, key and sequence',
      ipv4(47, around(hex('b000 0800'), Buffer.alloc(12))),
      101,
      'ipv4>gre',
    ],
    ['GRE with Ethernet', ipv4(47, inner(hex('0000 6558'))), 101, 'ipv4>gre'],
    [
      'PPTP',
      ipv4(47, around(hex('3081 880b 0000 0000'), Buffer.alloc(8), hex('ff03 0021'))),
      101,
      'ipv4>gre',
    ],
    ['ERSPAN I', ipv4(47, inner(hex('0000 88be'))), 101, 'ipv4>gre'],
    ['ERSPAN II', ipv4(47, inner(hex('1000 88be 00000000 10010001 00000000'))), 101, 'ipv4>gre>erspan'],
    ['GRE over UDP', udp(50000, 4754, around(hex('0000 0800'))), 101, 'ipv4>gre'],
    ['MPLS over UDP', udp(50000, 6635, around(hex('00010140'))), 101, 'ipv4>mpls'],
    ['VXLAN', udp(50000, 4789, inner(hex('08000000 00000100'))), 101, 'ipv4>vxlan'],
    [
      'VXLAN over a VLAN',
      Buffer.concat([ethernet(0x8100), vlan(0x0800), udp(1, 8472, inner(hex('08000000 00000100')))]),
      1,
      'vlan>ipv4>vxlan',
    ],
    [
      'Geneve with options',
      udp(50000, 6081, inner(hex('0200 6558 00000100'), Buffer.alloc(8))),
      101,
      'ipv4>geneve',
    ],
    ['GTP-U', udp(2152, 2152, gtp(hex('30ff'))), 101, 'ipv4>gtp-u'],
    ['GTP-U, towards another port', udp(2152, 9, gtp(hex('30ff'))), 101, 'ipv4>gtp-u'],
    ['GTP-U with an extension', udp(9, 2152, gtp(hex('34ff'), hex('00000085 01000000'))), 101, 'ipv4>gtp-u'],
    ['AYIYA', udp(50000, 5072, around(hex('4252 1104 00000000'), Buffer.alloc(36))), 101, 'ipv4>ayiya'],
    ['6in4, and IP in that', ipv4(41, ipv6(4, ip)), 101, 'ipv4>ipv6'],
    ['Wi-Fi', around(hex('0801'), Buffer.alloc(22), SNAP), 105, ''],
    ['Wi-Fi between access points', around(hex('0803'), Buffer.alloc(28), SNAP), 105, ''],
    ['Wi-Fi with quality of service', around(hex('8802'), Buffer.alloc(24), SNAP), 105, ''],
    ['the same with HT control', around(hex('8882'), Buffer.alloc(28), SNAP), 105, ''],
    [
      'Wi-Fi as its card received it',
      around(hex('0000 0c00 02000000 00000000 0802'), Buffer.alloc(22), SNAP),
      127,
      '',
    ],
    [
      'the authentication header',
      ipv4(51, Buffer.concat([hex('0404 0000'), Buffer.alloc(20), ipv4(4, ip).subarray(20)])),
      101,
      'ipv4',
    ],
  ];
  test.each(FRAMES)('in %s', (_, bytes, linkType, path) => {
    const seen = decode(bytes, { linkType });
    expect(seen.outcome).toBe('tcp');
    expect(seen.path).toBe(path);
    expect(content(seen.packet)).toEqual(content(expected as Packet));
  });

  test('behind Cisco metadata, in a capture', () => {
    const packets = packetsOf(readFileSync('samples/field/link/cisco-metadata.pcap'));
    const seen = packets.map(({ data }) => decode(data));
    expect(seen.map(({ outcome, path }) => [outcome, path])).toEqual(
      packets.map(() => ['tcp', 'cisco-metadata']),
    );
    expect(seen[0]!.packet).toMatchObject({ srcPort: 40_000, dstPort: 80, seq: 1000 });
  });

  test('in a pseudowire without a control word, which tshark does not look for', () => {
    const bytes = around(ethernet(0x8847), hex('00010140'), Buffer.alloc(12, 0xa4), u16(0x0800));
    expect(decode(bytes)).toMatchObject({ outcome: 'tcp', path: 'mpls' });
  });

  test.skipIf(!hasTshark)('by tshark', () => {
    const linkTypes = [...new Set(FRAMES.map(([, , linkType]) => linkType))];
    const folder = mkdtempSync(join(tmpdir(), 'layers-'));
    const path = join(folder, 'all.pcapng');
    writeFileSync(
      path,
      Buffer.concat([
        section(),
        ...linkTypes.map((linkType) => describeInterface({ linkType })),
        ...FRAMES.map(([, bytes, linkType]) => enhanced(linkTypes.indexOf(linkType), 0n, bytes)),
      ]),
    );
    const names = ['tcp.srcport', 'tcp.dstport', 'tcp.seq_raw', 'tcp.ack_raw'];
    const rows = fields(path, ['frame.protocols', ...names], '', [
      '-d',
      'udp.port==8472,vxlan',
      '-d',
      'udp.port==9,gtp',
    ]);
    rmSync(folder, { recursive: true });
    const { srcPort, dstPort, seq, ack } = expected;
    const segment = [srcPort, dstPort, seq >>> 0, ack >>> 0].map(String);
    expect(rows.map(([, ...row], i) => [FRAMES[i]![0], rows[i]![0], ...row])).toEqual(
      FRAMES.map(([name], i) => [name, rows[i]![0], ...segment]),
    );
  });
});

describe('IPv6', () => {
  const segment = ip.subarray(20);
  const next = (type: number, body: Uint8Array) =>
    Buffer.concat([Buffer.of(type, (body.length + 2) / 8 - 1), body]);
  const six = Buffer.alloc(6);
  test.each<[string, Buffer]>([
    ['without more', ipv6(6, segment)],
    ['with hop-by-hop options', ipv6(0, Buffer.concat([next(6, six), segment]))],
    [
      'with routing and destination options',
      ipv6(43, Buffer.concat([next(60, six), next(6, Buffer.alloc(14)), segment])),
    ],
    ['as an atomic fragment', ipv6(44, Buffer.concat([hex('0600 0000 00000001'), segment]))],
    ['as a jumbogram', ipv6(6, segment, 0)],
    ['with an authentication header', ipv6(51, Buffer.concat([hex('0604 0000'), Buffer.alloc(20), segment]))],
  ])('%s leads to TCP', (_, bytes) => {
    const { outcome, packet, path } = decode(bytes, { linkType: 101 });
    expect([outcome, path]).toEqual(['tcp', '']);
    const { src0, src3, dst3, seq, payload, ttl, ipId } = packet;
    expect([src0, src3, dst3, ttl, ipId]).toEqual([0x20010db8, 1, 0xff, 61, 0]);
    expect([seq, payload]).toEqual([expected.seq, expected.payload]);
  });

  test('in Teredo is known by its port, or by its content', () => {
    const packet = ipv6(6, segment);
    const prefix = Buffer.from(packet);
    prefix.set(hex('2001000041379e508000'), 8);
    const origin = hex('0000 0102 03040506');
    for (const bytes of [
      udp(3544, 9, packet),
      udp(9, 3544, Buffer.concat([origin, packet])),
      udp(9, 10, prefix),
    ]) {
      expect(decode(bytes, { linkType: 101 })).toMatchObject({ outcome: 'tcp', path: 'ipv4>teredo' });
    }
    expect(decode(udp(9, 10, packet), { linkType: 101 }).outcome).toBe('not-tcp');
    expect(decode(udp(9, 10, Buffer.concat([prefix, hex('00')])), { linkType: 101 }).outcome).toBe('not-tcp');
  });
});

describe('Linux cooked captures', () => {
  const v1 = (type: number) => around(u16(type), hex('0001 0006 020000000001 0000 0800'));
  const v2 = (type: number, ifindex: number) =>
    around(hex('0800 0000 0000'), u16(ifindex), hex('0001'), Buffer.of(type, 6), hex('020000000001 0000'));

  test('tell the direction', () => {
    const directions = (frame: (type: number) => Buffer, linkType: number) =>
      [0, 1, 2, 3, 4].map((type) => decode(frame(type), { linkType }).packet.direction);
    const truth = [DIRECTION_IN, DIRECTION_IN, DIRECTION_IN, 0, DIRECTION_OUT];
    expect(directions(v1, 113)).toEqual(truth);
    expect(directions((type) => v2(type, 3), 276)).toEqual(truth);
  });

  test('hold the segment and keep places apart', () => {
    const places = [
      decode(v1(0), { linkType: 113 }),
      decode(v1(4), { linkType: 113 }),
      decode(v1(4), { linkType: 113, interfaceId: 1 }),
      decode(v2(0, 70_000 & 0xffff), { linkType: 276, interfaceId: 2 }),
      decode(v2(4, 2), { linkType: 276, interfaceId: 2 }),
      decode(v2(4, 3), { linkType: 276, interfaceId: 2 }),
    ];
    expect(new Set(places.map(({ packet }) => packet.vantage)).size).toBe(places.length);
    for (const { outcome, packet } of places) {
      expect(outcome).toBe('tcp');
      expect(content(packet)).toEqual(content(expected as Packet));
    }
    expect(decode(v1(4), { linkType: 113, interfaceId: 1 }).packet.vantage).toBe(1 * 65_537 * 8 + 5);
  });

  test('of netlink are not IP', () => {
    expect(decode(around(hex('0004 0338 0000 0000000000000000 0800')), { linkType: 113 }).outcome).toBe(
      'not-ip',
    );
  });
});

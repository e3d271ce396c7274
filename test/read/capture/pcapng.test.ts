import { readFileSync } from 'node:fs';
import { expect, describe as group, test } from 'vitest';
import { pcapng } from '../../../src/read/capture/pcapng.ts';
import {
  block,
  buildPcapng,
  describe,
  enhanced,
  option,
  packetsOf,
  section,
  simple,
  statistics,
} from './build.ts';
import { codes, collect } from './collect.ts';

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const packets = packetsOf(SMTP);
const data = (n: number) => Buffer.alloc(60, n);
const BASE = 1_700_000_000n;
const firsts = (frames: readonly { data: string }[]) => frames.map((f) => f.data.charCodeAt(0));

group('pcapng', () => {
  test.each([false, true])('holds the same packets as the classic capture (big-endian: %s)', (big) => {
    const seen = collect(buildPcapng(packets, big));
    expect(seen.frames).toEqual(collect(SMTP).frames);
    expect(seen.sources[0]!.clock).toEqual(collect(SMTP).sources[0]!.clock);
    expect(codes(seen)).toEqual({});
  });

  test('numbers interfaces over all sections, of either byte order', () => {
    const file = Buffer.concat([
      section(),
      describe({ linkType: 1 }),
      describe({ linkType: 113 }),
      enhanced(1, BASE * 1_000_000n, data(1)),
      section(true),
      describe({ linkType: 276, big: true }),
      enhanced(0, BASE * 1_000_000n + 7n, data(2), { big: true }),
    ]);
    const { frames, sources } = collect(file);
    expect(frames.map((f) => [f.interfaceId, f.linkType, f.time])).toEqual([
      [1, 113, 0],
      [2, 276, 7000],
    ]);
    expect(sources.length).toBe(1);
  });

  test.each([
    ['10^-0', 0, BASE, 0n],
    ['10^-3', 3, BASE * 1000n + 123n, 123_000_000n],
    ['10^-6', 6, BASE * 1_000_000n + 999_999n, 999_999_000n],
    ['10^-9', 9, BASE * 1_000_000_000n + 123_456_789n, 123_456_789n],
    ['10^-10', 10, BASE * 10_000_000_000n + 1_234_567_899n, 123_456_789n],
    ['2^-10', 0x8a, BASE * 1024n + 1n, 976_562n],
    ['2^-20', 0x94, BASE * (1n << 20n) + 3n, 2861n],
    ['2^-32', 0xa0, BASE * (1n << 32n) + 0xffffffffn, 999_999_999n],
  ])('reads times in ticks of %s s, rounded down', (_, resolution, ticks, expected) => {
    const file = Buffer.concat([section(), describe({ resolution }), enhanced(0, ticks, data(1))]);
    const { frames, sources } = collect(file);
    expect(sources[0]!.clock.base).toBe(BASE * 1_000_000_000n);
    expect(BigInt(frames[0]!.time)).toBe(expected);
  });

  test('does not believe a time beyond the year 9999: the packet gets that of the one before', () => {
    const file = Buffer.concat([
      section(),
      describe(),
      enhanced(0, 1n << 63n, data(1)),
      enhanced(0, BASE * 1_000_000n + 4n, data(2)),
      enhanced(0, (1n << 64n) - 1n, data(3)),
    ]);
    const seen = collect(file);
    expect(seen.sources[0]!.clock.base).toBe(BASE * 1_000_000_000n);
    expect(seen.frames.map((f) => f.time)).toEqual([0, 4000, 4000]);
    expect(codes(seen)).toEqual({ 'capture-absurd-time': ['data-loss', 2, 'frame 1'] });
  });

  test('reads picoseconds exactly for as long as they can count', () => {
    const day = 86_400n * 1_000_000_000_000n;
    const file = Buffer.concat([
      section(),
      describe({ resolution: 12, offset: BASE }),
      enhanced(0, 1999n, data(1)),
      enhanced(0, 100n * day + 123_456_789_999n, data(2)),
    ]);
    expect(collect(file).frames.map((f) => BigInt(f.time))).toEqual([
      1n,
      (100n * day) / 1000n + 123_456_789n,
    ]);
  });

  test('adds the offset of an interface, and keeps interfaces of different ticks on one clock', () => {
    const file = Buffer.concat([
      section(),
      describe({ resolution: 9 }),
      describe({ resolution: 6, offset: BASE }),
      enhanced(0, BASE * 1_000_000_000n + 5n, data(1)),
      enhanced(1, 2_000_001n, data(2)),
      describe({ resolution: 3, offset: -5n }),
      enhanced(2, (BASE + 5n + 60n) * 1000n + 1n, data(3)),
    ]);
    const { frames, sources } = collect(file);
    expect(frames.map((f) => f.time)).toEqual([5, 2_000_001_000, 60_001_000_000]);
    expect(sources[0]!.clock.resolution).toBe(1_000_000);
  });

  test('gives simple packets the time of the packet before, and says so', () => {
    const file = Buffer.concat([
      section(),
      describe({ snapLength: 30 }),
      simple(data(1).subarray(0, 30), 60),
      enhanced(0, BASE * 1_000_000n + 4n, data(2)),
      simple(data(3).subarray(0, 30), 60),
    ]);
    const seen = collect(file);
    expect(seen.frames.map((f) => [f.time, f.captured, f.length])).toEqual([
      [0, 30, 60],
      [4000, 60, 60],
      [4000, 30, 60],
    ]);
    expect(codes(seen)).toEqual({ 'capture-no-time': ['info', 2, 'frame 1'] });
    expect(seen.sources[0]!.clock.kind).toBe('realtime');
  });

  test('with simple packets only has an order and no clock', () => {
    const { sources } = collect(Buffer.concat([section(), describe(), simple(data(1))]));
    expect(sources[0]!.clock.kind).toBe('order');
  });

  test('reads the obsolete packet block', () => {
    const file = Buffer.concat([
      section(),
      describe(),
      enhanced(0, BASE * 1_000_000n, data(1), { obsolete: true }),
    ]);
    expect(firsts(collect(file).frames)).toEqual([1]);
  });

  test('reports what the capture lost, from the last statistics of each interface', () => {
    const file = Buffer.concat([
      section(),
      describe(),
      describe(),
      statistics(0, 3),
      statistics(0, 7),
      statistics(1, 5),
    ]);
    expect(codes(collect(file))).toEqual({ 'capture-dropped-packets': ['data-loss', 12, ''] });
  });

  test('keeps 126 interfaces apart, each with ticks of its own', () => {
    const resolutions = Array.from({ length: 126 }, (_, i) => (i % 2 ? 0x80 | (i % 33) : i % 10));
    const perSecond = resolutions.map((r) => (r & 0x80 ? 2n ** BigInt(r & 0x7f) : 10n ** BigInt(r)));
    const file = Buffer.concat([
      section(),
      ...resolutions.map((resolution, i) => describe({ resolution, name: `eth${i}` })),
      ...perSecond.map((ticks, i) => enhanced(i, (BASE + BigInt(i)) * ticks + ticks / 2n, data(i + 1))),
    ]);
    const seen = collect(file);
    expect(codes(seen)).toEqual({});
    expect(seen.frames.map((f) => [f.interfaceId, f.time])).toEqual(
      perSecond.map((ticks, i) => [i, i * 1e9 + (ticks === 1n ? 0 : 5e8)]),
    );
  });

  // Name resolution, systemd's journal, TLS secrets, a custom block, one that is not to be copied.
  test.each([4, 9, 10, 0xbad, 0x40000bad])('skips blocks without packets in silence: type %i', (type) => {
    const unknown = block(type, Buffer.alloc(1000, 6));
    const file = Buffer.concat([section(), unknown, describe(), unknown, enhanced(0, 0n, data(1)), unknown]);
    const seen = collect(file);
    expect(firsts(seen.frames)).toEqual([1]);
    expect(codes(seen)).toEqual({});
  });

  test('skips blocks it does not know and says so', () => {
    const file = Buffer.concat([
      section(),
      block(77, data(9)),
      describe(),
      block(78, data(9)),
      enhanced(0, 0n, data(1)),
    ]);
    const seen = collect(file);
    expect(firsts(seen.frames)).toEqual([1]);
    expect(codes(seen)).toEqual({ 'pcapng-unknown-block': ['info', 2, 'byte 28'] });
  });

  test('is told by its magic and byte order', () => {
    expect(pcapng.sniff(section(true))).toBe(true);
    expect(pcapng.sniff(section().fill(0, 8, 12))).toBe(false);
  });
});

/** Three packets, of which the test spoils the second, at byte `at`. */
function spoil(change: (file: Buffer, at: number) => void): { seen: ReturnType<typeof collect>; at: number } {
  const head = Buffer.concat([section(), describe(), enhanced(0, BASE * 1_000_000n, data(1))]);
  const tail = [2, 3].map((n) => enhanced(0, BASE * 1_000_000n + BigInt(n), data(n)));
  const file = Buffer.concat([head, ...tail]);
  change(file, head.length);
  return { seen: collect(file), at: head.length };
}

group('damaged pcapng', () => {
  test.each([
    ['a length of 4 GiB', (file: Buffer, at: number) => file.writeUInt32LE(0xfffffffc, at + 4)],
    ['a length of 0', (file: Buffer, at: number) => file.writeUInt32LE(0, at + 4)],
    ['a length that is no multiple of 4', (file: Buffer, at: number) => file.writeUInt32LE(93, at + 4)],
    ['a length beyond the file', (file: Buffer, at: number) => file.writeUInt32LE(65_536 + 92, at + 4)],
    ['lengths that differ', (file: Buffer, at: number) => file.writeUInt32LE(96, at + 88)],
  ])('is read on after a block with %s', (_, change) => {
    const { seen, at } = spoil(change);
    expect(firsts(seen.frames)).toEqual([1, 3]);
    expect(codes(seen)).toEqual({ 'pcapng-damaged-block': ['data-loss', 1, `byte ${at}`] });
    expect(seen.diagnostics.list()[0]!.message).toContain('92 bytes skipped');
  });

  test('with a last block of 4 GiB keeps what came before', () => {
    const file = Buffer.concat([section(), describe(), enhanced(0, 0n, data(1))]);
    const bad = block(10, data(2));
    bad.writeUInt32LE(0xffffffff, 4);
    const seen = collect(Buffer.concat([file, bad]));
    expect(firsts(seen.frames)).toEqual([1]);
    expect(codes(seen)).toEqual({ 'pcapng-damaged-block': ['error', 1, `byte ${file.length}`] });
    expect(seen.diagnostics.list()[0]!.message).toContain('claims 4294967295 bytes');
  });

  test('cut within a block says where', () => {
    const file = buildPcapng(packets);
    const last = buildPcapng(packets.slice(0, -1)).length;
    const seen = collect(file.subarray(0, file.length - 5));
    expect(seen.frames.length).toBe(packets.length - 1);
    expect(codes(seen)).toEqual({ 'pcapng-truncated-block': ['data-loss', 1, `byte ${last}`] });
  });

  test('cut within the options of a packet is only cut', () => {
    const file = Buffer.concat([section(), describe(), enhanced(0, 0n, data(1))]);
    const cut = enhanced(0, 0n, data(2), { options: option(1, Buffer.alloc(40, 65)) }).subarray(0, 100);
    const seen = collect(Buffer.concat([file, cut]));
    expect(codes(seen)).toEqual({ 'pcapng-truncated-block': ['data-loss', 1, `byte ${file.length}`] });
  });

  test('with a packet of an interface that is not there numbers the packet and says so', () => {
    const file = Buffer.concat([section(), describe(), enhanced(9, 0n, data(1)), enhanced(0, 0n, data(2))]);
    const seen = collect(file);
    expect(seen.frames.map((f) => [f.number, f.data.charCodeAt(0)])).toEqual([[2, 2]]);
    expect(codes(seen)).toEqual({ 'pcapng-missing-interface': ['data-loss', 1, 'frame 1'] });
  });

  test('with more captured than the block holds gives what is there', () => {
    const file = Buffer.concat([section(), describe(), enhanced(0, 0n, data(1), { captured: 5000 })]);
    const seen = collect(file);
    expect(seen.frames.map((f) => [f.captured, f.length])).toEqual([[60, 5000]]);
    expect(codes(seen)).toEqual({ 'pcapng-captured-exceeds-block': ['data-loss', 1, 'frame 1'] });
  });

  test('with more captured than was on the wire says so', () => {
    const file = Buffer.concat([section(), describe(), enhanced(0, 0n, data(1), { length: 10 })]);
    expect(codes(collect(file))).toEqual({ 'capture-exceeds-length': ['info', 1, 'frame 1'] });
  });

  test('with an option that reaches beyond its block reads the interface without it', () => {
    const itf = describe({ resolution: 9 });
    itf.writeUInt16LE(500, 18);
    const seen = collect(Buffer.concat([section(), itf, enhanced(0, 1_000_000n, data(1))]));
    expect(seen.sources[0]!.clock.base).toBe(1_000_000_000n);
    expect(codes(seen)).toMatchObject({ 'pcapng-damaged-option': ['data-loss', 1, 'byte 28'] });
  });

  test('of another version is not read', () => {
    const seen = collect(Buffer.concat([section(false, 2), describe(), enhanced(0, 0n, data(1))]));
    expect(seen.frames).toEqual([]);
    expect(codes(seen)).toEqual({ 'pcapng-unknown-version': ['error', 1, 'byte 0'] });
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { pcap } from '../../../src/read/capture/pcap.ts';
import { some, THOROUGH } from '../../thorough.ts';
import { buildPcap, type PcapKind, packetsOf } from './build.ts';
import { codes, collect } from './collect.ts';
import { fields, hasTshark } from './tshark.ts';

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const packets = packetsOf(SMTP);
const hasEditcap = spawnSync('editcap', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'pcap-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A record that says what the test wants it to say. */
const record = (n: number) => ({ second: 1000 + n, fraction: n, data: Buffer.alloc(60, n + 1) });
const records = (count: number) => Array.from({ length: count }, (_, n) => record(n));

describe('a classic capture', () => {
  test('gives its packets with times relative to the first whole second', () => {
    const { frames, sources, diagnostics } = collect(SMTP);
    expect(frames.length).toBe(packets.length);
    const base = packets[0]!.second;
    for (const [i, { second, fraction, data }] of packets.entries()) {
      const frame = frames[i]!;
      expect(frame.time).toBe((second - base) * 1e9 + fraction * 1000);
      expect(frame.data).toBe(Buffer.from(data).toString('latin1'));
      expect(frame.number).toBe(i + 1);
    }
    expect(sources[0]).toMatchObject({ name: 'test', format: 'pcap', records: packets.length });
    expect(sources[0]!.clock).toEqual({
      kind: 'realtime',
      base: BigInt(base) * 1_000_000_000n,
      resolution: 1000,
    });
    expect(diagnostics.list()).toEqual([]);
  });

  test.each([
    ['microseconds, big-endian', { big: true }, 1000],
    ['nanoseconds, little-endian', { magic: 0xa1b23c4d }, 1],
    ['nanoseconds, big-endian', { magic: 0xa1b23c4d, big: true }, 1],
    ['modified, little-endian', { magic: 0xa1b2cd34 }, 1000],
    ['modified, big-endian', { magic: 0xa1b2cd34, big: true }, 1000],
  ])('of %s gives the same packets', (_, kind, unit) => {
    const { frames, sources } = collect(buildPcap(packets, kind));
    const expected = collect(SMTP).frames.map((f) => ({
      ...f,
      time: Math.floor(f.time / 1e9) * 1e9 + ((f.time % 1e9) / 1000) * unit,
    }));
    expect(frames).toEqual(expected);
    expect(sources[0]!.clock.resolution).toBe(unit);
  });

  test.skipIf(!hasEditcap).each([
    ['nsecpcap', 1],
    ['modpcap', 1000],
  ])('written as %s by editcap gives the same packets', (kind, resolution) => {
    const path = join(folder, kind);
    execFileSync('editcap', ['-F', kind, 'node_modules/pcap-parser/test/smtp.pcap', path], {
      stdio: 'ignore',
    });
    const { frames, sources, diagnostics } = collect(readFileSync(path));
    expect(frames).toEqual(collect(SMTP).frames);
    expect(sources[0]!.clock.resolution).toBe(resolution);
    expect(diagnostics.list()).toEqual([]);
  });

  const SNAPPED = packets.map((p) => ({ ...p, length: p.data.length + 9 }));
  const OLD: [string, PcapKind][] = [
    ['2.2, lengths swapped', { version: [2, 2], swapped: () => true }],
    ['2.2, big-endian', { version: [2, 2], swapped: () => true, big: true }],
    ['2.0 in the modified format', { version: [2, 0], swapped: () => true, magic: 0xa1b2cd34 }],
    ['2.3, lengths swapped in some records', { version: [2, 3], swapped: (i) => i % 3 === 0 }],
    ['2.3, none swapped', { version: [2, 3] }],
    ['543.0 of DG/UX', { version: [543, 0], swapped: () => true }],
  ];
  test.each(some(OLD, 2))('of version %s gives the same packets, as tshark has them', (_, kind) => {
    const file = buildPcap(SNAPPED, kind);
    const { frames, diagnostics } = collect(file);
    expect(frames).toEqual(collect(buildPcap(SNAPPED)).frames);
    expect(diagnostics.list()).toEqual([]);
    if (!hasTshark) return;
    const path = join(folder, 'old.pcap');
    writeFileSync(path, file);
    const rows = fields(path, ['frame.len', 'frame.cap_len']);
    expect(rows).toEqual(frames.map(({ length, captured }) => [String(length), String(captured)]));
  });

  test('of version 2.2 that is damaged is read on behind the damage', () => {
    const whole = buildPcap(SNAPPED, { version: [2, 2], swapped: () => true });
    const kept = whole.subarray(0, 24 + 16 + SNAPPED[0]!.data.length);
    const seen = collect(Buffer.concat([kept, Buffer.alloc(40), whole.subarray(kept.length)]));
    expect(seen.frames.length).toBe(packets.length);
    expect(codes(seen)).toMatchObject({ 'pcap-damaged-record': ['data-loss', 1, `byte ${kept.length}`] });
  });

  test('with an FCS length in its link type word has the link type without it', () => {
    const { frames } = collect(buildPcap(records(1), { linkType: 0x44000071 }));
    expect(frames[0]!.linkType).toBe(0x71);
  });

  test('may step before its first second', () => {
    const { frames, ...rest } = collect(buildPcap([record(5), record(2)]));
    expect(frames.map((f) => f.time)).toEqual([5000, -3e9 + 2000]);
    expect(codes({ frames, ...rest })).toEqual({ 'capture-time-backwards': ['info', 1, 'frame 2'] });
  });

  test('is told by its magic alone', () => {
    expect(pcap.sniff(SMTP.subarray(0, 24))).toBe(true);
    expect(pcap.sniff(Buffer.from('tcpdump: listening on eth0'))).toBe(false);
    expect(pcap.sniff(Buffer.of(0xd4, 0xc3, 0xb2))).toBe(false);
  });
});

describe('a damaged classic capture', () => {
  test('that is cut within a record keeps the ones before and says where it was cut', () => {
    const seen = collect(SMTP.subarray(0, SMTP.length - 1));
    const last = packets.at(-1)!.data.length + 16;
    expect(seen.frames.length).toBe(packets.length - 1);
    expect(codes(seen)).toEqual({ 'pcap-truncated-record': ['data-loss', 1, `byte ${SMTP.length - last}`] });
  });

  test('that ends within its header is an error', () => {
    const seen = collect(SMTP.subarray(0, 20));
    expect(seen.sources).toEqual([]);
    expect(codes(seen)).toEqual({ 'pcap-truncated-header': ['error', 1, 'byte 0'] });
  });

  test('that is only a header has no packets and no fault', () => {
    const seen = collect(SMTP.subarray(0, 24));
    expect(seen.sources[0]!.records).toBe(0);
    expect(codes(seen)).toEqual({});
  });

  test.each([0xffffffff, 0x7fffffff, 262_145])(
    'is read on after a record that claims %i bytes',
    (captured) => {
      const all = records(9);
      const file = buildPcap(all.map((r, n) => (n === 3 ? { ...r, captured } : r)));
      const seen = collect(file);
      const at = 24 + 3 * 76;
      expect(seen.frames.map((f) => f.data.charCodeAt(0))).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
      expect(codes(seen)).toEqual({ 'pcap-damaged-record': ['data-loss', 1, `byte ${at}`] });
      expect(seen.diagnostics.list()[0]!.message).toContain(`read on at byte ${at + 76}, 76 bytes skipped`);
    },
  );

  test('after which nothing follows is read so far', () => {
    const seen = collect(buildPcap([...records(3), { ...record(3), captured: 0xfffffff0 }]));
    expect(seen.frames.length).toBe(3);
    expect(codes(seen)).toEqual({ 'pcap-damaged-record': ['error', 1, `byte ${24 + 3 * 76}`] });
  });

  test('with a hole of zeros is read on behind it', () => {
    const file = buildPcap(records(8));
    file.fill(0, 24 + 2 * 76, 24 + 5 * 76);
    const seen = collect(file);
    expect(seen.frames.map((f) => f.data.charCodeAt(0))).toEqual([1, 2, 6, 7, 8]);
    expect(codes(seen)).toEqual({ 'pcap-damaged-record': ['data-loss', 1, `byte ${24 + 2 * 76}`] });
  });

  test('with more captured than was on the wire is believed when the next record stands where it should', () => {
    const seen = collect(buildPcap(records(4).map((r, n) => (n === 1 ? { ...r, length: 20 } : r))));
    expect(seen.frames.map((f) => f.length)).toEqual([60, 60, 60, 60]);
    expect(codes(seen)).toEqual({ 'capture-exceeds-length': ['info', 1, 'frame 2'] });
  });

  test('with no length on the wire in any record is read', () => {
    const seen = collect(buildPcap(records(4).map((r) => ({ ...r, length: 0 }))));
    expect(seen.frames.map((f) => f.length)).toEqual([60, 60, 60, 60]);
    expect(codes(seen)).toEqual({ 'capture-exceeds-length': ['info', 4, 'frame 1'] });
  });

  test('with more captured than was on the wire is not believed when it does not', () => {
    const seen = collect(
      buildPcap(records(7).map((r, n) => (n === 1 ? { ...r, captured: 100, length: 60 } : r))),
    );
    expect(seen.frames.map((f) => f.data.charCodeAt(0))).toEqual([1, 3, 4, 5, 6, 7]);
    expect(codes(seen)).toEqual({ 'pcap-damaged-record': ['data-loss', 1, `byte ${24 + 76}`] });
  });

  test('that claims more than the file has left is read on behind that record', () => {
    const seen = collect(
      buildPcap(records(7).map((r, n) => (n === 4 ? { ...r, captured: 65_596, length: 60 } : r))),
    );
    expect(seen.frames.map((f) => f.data.charCodeAt(0))).toEqual([1, 2, 3, 4, 6, 7]);
    expect(codes(seen)).toEqual({ 'pcap-damaged-record': ['data-loss', 1, `byte ${24 + 4 * 76}`] });
  });

  test('with a length of 4 GiB on the wire still gives what was captured', () => {
    const seen = collect(buildPcap(records(3).map((r, n) => (n === 2 ? { ...r, length: 0xffffffff } : r))));
    expect(seen.frames.length).toBe(3);
    expect(codes(seen)).toEqual({ 'capture-absurd-length': ['info', 1, 'frame 3'] });
  });

  test('with a fraction of a second or more says so', () => {
    const seen = collect(buildPcap([record(0), { ...record(1), fraction: 1_500_000 }]));
    expect(seen.frames[1]!.time).toBe(2.5e9);
    expect(codes(seen)).toEqual({ 'pcap-time-fraction': ['info', 1, 'frame 2'] });
  });

  test('with times years apart says which are not exact', () => {
    const seen = collect(buildPcap([record(0), { ...record(1), second: 1000 + 200 * 86_400 }]));
    expect(codes(seen)).toEqual({ 'capture-time-far': ['info', 1, 'frame 2'] });
  });

  test('of megabytes without a record is searched in linear time and bounded memory', () => {
    const garbage = Buffer.alloc(THOROUGH ? 20_000_000 : 5_000_000, 0xff);
    const file = Buffer.concat([buildPcap(records(1)), garbage, buildPcap(records(3)).subarray(24)]);
    const cuts = Array.from({ length: Math.floor(garbage.length / 65_536) }, (_, i) => (i + 1) * 65_536);
    const before = process.memoryUsage().arrayBuffers;
    const seen = collect(file, cuts);
    expect(seen.frames.length).toBe(4);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(file.length * 1.5);
  });
});

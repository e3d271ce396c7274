import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import { HEAD_BYTES, openBytes } from '../../../src/read/bytes.ts';
import { THOROUGH } from '../../thorough.ts';
import { generateCapture } from './generate.ts';

const folder = mkdtempSync(join(tmpdir(), 'bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const LARGE = generateCapture({ packets: THOROUGH ? 30_000 : 10_000, inFlight: 100, seed: 3 });

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function readAll(path: string, blockBytes?: number) {
  const diagnostics = new Diagnostics();
  const source = await openBytes(path, 'it', diagnostics, blockBytes);
  const parts: Buffer[] = [];
  const head = source ? Buffer.from(source.head) : null;
  let consumed = 0;
  for await (const block of source?.blocks() ?? []) {
    parts.push(Buffer.from(block));
    expect(source!.consumed).toBeGreaterThanOrEqual(consumed);
    consumed = source!.consumed;
  }
  consumed = source?.consumed ?? 0;
  const said = diagnostics.list().map((d) => `${d.code} ${d.severity} ${d.locator}`);
  return { all: Buffer.concat(parts), head, said, source, consumed, message: diagnostics.list()[0]?.message };
}

describe('a file', () => {
  test.each([
    ['smaller than a block', SMTP, 1 << 20],
    ['of many small blocks', SMTP, 100],
    ['of several blocks', LARGE, 1 << 19],
    ['of blocks as large as the head', LARGE, HEAD_BYTES],
  ])('%s comes whole and in order', async (_, bytes, blockBytes) => {
    const seen = await readAll(put('plain', bytes), blockBytes);
    expect(seen.all.equals(bytes)).toBe(true);
    expect(seen.head!.equals(bytes.subarray(0, seen.head!.length))).toBe(true);
    expect(seen.head!.length).toBeGreaterThanOrEqual(Math.min(HEAD_BYTES, bytes.length));
    expect([seen.source!.size, seen.consumed, seen.said]).toEqual([bytes.length, bytes.length, []]);
  });

  test('that is empty has an empty head and no blocks', async () => {
    const seen = await readAll(put('empty', Buffer.alloc(0)));
    expect([seen.head!.length, seen.all.length, seen.said]).toEqual([0, 0, []]);
  });

  test('that is not there, and a folder, are named as such', async () => {
    const missing = await readAll(join(folder, 'nothing'));
    expect([missing.source, missing.said]).toEqual([null, ['unreadable error ']]);
    expect(missing.message).toBe('cannot be read: no such file or directory');
    expect((await readAll(folder)).message).toBe('cannot be read: illegal operation on a directory');
  });

  test('can be closed after its head', async () => {
    for (const bytes of [LARGE, gzipSync(LARGE)]) {
      const source = await openBytes(put('closed', bytes), 'it', new Diagnostics(), 1000);
      await source!.close();
    }
  });
});

describe('standard input', () => {
  test.each([
    ['plain', LARGE],
    ['gzip', gzipSync(LARGE)],
  ])('is read the same (%s)', async (_, bytes) => {
    const real = Object.getOwnPropertyDescriptor(process, 'stdin')!;
    const pieces = Array.from({ length: 50 }, (__, i) =>
      bytes.subarray((i * bytes.length) / 50, ((i + 1) * bytes.length) / 50),
    );
    // The first bytes may come one by one.
    pieces.splice(0, 1, pieces[0]!.subarray(0, 1), pieces[0]!.subarray(1, 2), pieces[0]!.subarray(2));
    Object.defineProperty(process, 'stdin', { value: Readable.from(pieces), configurable: true });
    const seen = await readAll('-').finally(() => Object.defineProperty(process, 'stdin', real));
    expect(seen.all.equals(LARGE)).toBe(true);
    expect([seen.source!.size, seen.said]).toEqual([null, []]);
  });
});

describe('gzip', () => {
  const packed = gzipSync(LARGE);

  test.each([
    ['one member', packed, LARGE],
    ['several members', Buffer.concat([gzipSync(SMTP), gzipSync(LARGE)]), Buffer.concat([SMTP, LARGE])],
    ['padding of zeros', Buffer.concat([gzipSync(SMTP), Buffer.alloc(512)]), SMTP],
    ['nothing in it', gzipSync(Buffer.alloc(0)), Buffer.alloc(0)],
  ])('with %s is unwrapped', async (_, bytes, expected) => {
    const seen = await readAll(put('packed.gz', bytes), 10_000);
    expect(seen.all.equals(expected)).toBe(true);
    expect([seen.consumed, seen.said]).toEqual([bytes.length, []]);
  });

  test('that is cut gives everything up to the cut', async () => {
    const cut = packed.subarray(0, packed.length >> 1);
    const seen = await readAll(put('cut.gz', cut));
    expect(seen.all.length).toBeGreaterThan(LARGE.length * 0.4);
    expect(seen.all.equals(LARGE.subarray(0, seen.all.length))).toBe(true);
    expect(seen.said).toEqual([`gzip-truncated data-loss byte ${cut.length}`]);
  });

  test('that is damaged gives nearly everything before the damage', async () => {
    const damaged = Buffer.from(packed);
    const middle = packed.length >> 1;
    damaged.fill(0, middle, middle + 200);
    const seen = await readAll(put('damaged.gz', damaged));
    expect(seen.all.length).toBeGreaterThan(LARGE.length * 0.3);
    expect(seen.said.length).toBe(1);
    expect(seen.said[0]).toMatch(/^gzip-damaged data-loss byte \d+$/);
  });

  test('with a wrong checksum at its end is damaged, and read', async () => {
    const damaged = Buffer.from(gzipSync(SMTP));
    damaged[damaged.length - 8]! ^= 1;
    const seen = await readAll(put('checksum.gz', damaged));
    expect(seen.all.length).toBeGreaterThan(SMTP.length - 600);
    expect(seen.said[0]).toMatch(/^gzip-damaged/);
  });

  test.runIf(THOROUGH)('of 256 MB of zeros passes in bounded memory', async () => {
    const bomb = put('bomb.gz', gzipSync(Buffer.alloc(1 << 28)));
    const source = await openBytes(bomb, 'it', new Diagnostics());
    const before = process.memoryUsage().rss;
    let size = 0;
    for await (const block of source!.blocks()) size += block.length;
    expect(size).toBe(1 << 28);
    expect(process.memoryUsage().rss - before).toBeLessThan(1e8);
  });
});

/** `command` of this machine over `bytes`; the tests that need it are skipped where it is not installed. */
const pack = (command: string, args: readonly string[], bytes: Uint8Array) =>
  execFileSync(command, ['-c', ...args], {
    input: bytes,
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
const has = (command: string) => spawnSync(command, ['--version']).status === 0;

describe.skipIf(!has('zstd'))('zstd', () => {
  const zstd = (bytes: Uint8Array, ...args: string[]) => pack('zstd', args, bytes);
  const packed = zstd(LARGE);

  test.each([
    ['one frame', packed, LARGE],
    ['its strongest level and a long window', zstd(LARGE, '--ultra', '-22', '--long=27'), LARGE],
    ['no checksum', zstd(LARGE, '--no-check', '--fast=5'), LARGE],
    ['several frames', Buffer.concat([zstd(SMTP), zstd(LARGE)]), Buffer.concat([SMTP, LARGE])],
    ['a skippable frame first', Buffer.concat([skippable(70_000), zstd(SMTP), skippable(0)]), SMTP],
    ['many empty frames', Buffer.concat(Array(5000).fill(zstd(Buffer.alloc(0)))), Buffer.alloc(0)],
    ['nothing in it', zstd(Buffer.alloc(0)), Buffer.alloc(0)],
  ])('with %s is unwrapped', async (_, bytes, expected) => {
    const seen = await readAll(put('packed.zst', bytes), 10_000);
    expect(seen.all.equals(expected)).toBe(true);
    expect([seen.consumed, seen.said]).toEqual([bytes.length, []]);
  });

  test('that is cut gives everything up to the cut', async () => {
    const cut = packed.subarray(0, packed.length >> 1);
    const seen = await readAll(put('cut.zst', cut), 10_000);
    expect(seen.all.length).toBeGreaterThan(LARGE.length * 0.3);
    expect(seen.all.equals(LARGE.subarray(0, seen.all.length))).toBe(true);
    expect(seen.said).toEqual([`zstd-truncated data-loss byte ${cut.length}`]);
  });

  test('that is damaged gives what stands before the damage', async () => {
    const damaged = Buffer.from(packed);
    const middle = packed.length >> 1;
    damaged.fill(0, middle, middle + 200);
    const seen = await readAll(put('damaged.zst', damaged), 10_000);
    expect(seen.all.length).toBeGreaterThan(LARGE.length * 0.2);
    expect(seen.said.length).toBe(1);
    expect(seen.said[0]).toMatch(/^zstd-damaged data-loss byte \d+$/);
  });

  test.each([
    ['a wrong checksum', flipped(zstd(SMTP), 1)],
    ['something else behind it', Buffer.concat([zstd(SMTP), Buffer.from('something else')])],
    ['a window of 2 GB', zstd(SMTP, '--no-content-size').fill(0xa8, 5, 6)],
  ])('with %s is damaged', async (_, bytes) => {
    expect((await readAll(put('damaged.zst', bytes))).said[0]).toMatch(/^zstd-damaged/);
  });

  test.runIf(THOROUGH)(
    'of 300 MB of zeros is stopped as a bomb, which then takes no more memory',
    async () => {
      const seen = await measure(put('bomb.zst', zstd(Buffer.alloc(300 << 20), '-1')));
      expect(seen.said).toEqual(['compression-bomb data-loss']);
      expect(seen.size).toBeLessThanOrEqual(1 << 28);
      expect(seen.grown).toBeLessThan(1e8);
    },
  );
});

function skippable(size: number): Buffer {
  const frame = Buffer.alloc(8 + size, 0xab);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(size, 4);
  return frame;
}

function flipped(bytes: Buffer, fromEnd: number): Buffer {
  bytes[bytes.length - fromEnd]! ^= 1;
  return bytes;
}

describe.skipIf(!has('xz'))('xz', () => {
  const xz = (bytes: Uint8Array, ...args: string[]) => pack('xz', args, bytes);
  const packed = xz(LARGE, '-1');

  test.each([
    ['one stream', packed, LARGE],
    ['its strongest level', xz(SMTP, '-9e'), SMTP],
    ['many blocks', xz(LARGE, '-1', '--block-size=100000', '--check=crc32'), LARGE],
    [
      'several streams',
      Buffer.concat([xz(SMTP), Buffer.alloc(8), xz(LARGE, '-1')]),
      Buffer.concat([SMTP, LARGE]),
    ],
    ['nothing in it', xz(Buffer.alloc(0)), Buffer.alloc(0)],
  ])('with %s is unwrapped', async (_, bytes, expected) => {
    const seen = await readAll(put('packed.xz', bytes), 10_000);
    expect(seen.all.equals(expected)).toBe(true);
    expect([seen.consumed, seen.said]).toEqual([bytes.length, []]);
  });

  test('that is cut, damaged, or needs what is not there, gives what it can and says so', async () => {
    const cut = await readAll(put('cut.xz', packed.subarray(0, packed.length >> 1)), 10_000);
    expect(cut.all.length).toBeGreaterThan(LARGE.length * 0.4);
    expect(cut.all.equals(LARGE.subarray(0, cut.all.length))).toBe(true);
    expect(cut.said[0]).toMatch(/^xz-truncated data-loss/);
    const damaged = Buffer.from(packed);
    damaged.fill(0, packed.length >> 1, (packed.length >> 1) + 200);
    const seen = await readAll(put('damaged.xz', damaged), 10_000);
    expect(seen.all.length).toBeGreaterThan(LARGE.length * 0.4);
    expect(seen.said[0]).toMatch(/^xz-damaged data-loss/);
    for (const option of ['--lzma2=dict=96MiB', '--check=sha256']) {
      expect((await readAll(put('strange.xz', xz(SMTP, option)))).said[0]).toMatch(/^xz-unsupported/);
    }
  });

  test.runIf(THOROUGH)('of 300 MB of zeros is stopped as a bomb', async () => {
    const seen = await measure(put('bomb.xz', xz(Buffer.alloc(300 << 20), '-0')));
    expect(seen.said).toEqual(['compression-bomb data-loss']);
    expect(seen.grown).toBeLessThan(1e8);
  });
});

test.runIf(THOROUGH)('a gzip bomb is stopped, with a word on how to go on', async () => {
  const seen = await measure(put('bomb.gz', gzipSync(Buffer.alloc(300 << 20))));
  expect(seen.said).toEqual(['compression-bomb data-loss']);
  expect(seen.message).toContain('unpack it first');
  expect(seen.size).toBeLessThanOrEqual(1 << 28);
});

describe('a bomb in other shapes', () => {
  const sixteen = gzipSync(Buffer.alloc(1 << 24));

  test('of many members, each small, is stopped like one', async () => {
    const seen = await measure(put('members.gz', Buffer.concat(Array(20).fill(sixteen))));
    expect(seen.said).toEqual(['compression-bomb data-loss']);
    expect(seen.message).toContain('unpack it first');
    expect(seen.size).toBeLessThanOrEqual(1 << 28);
    expect(seen.grown).toBeLessThan(1e8);
  });

  test('packed once more is refused before anything of the inner one comes out', async () => {
    const seen = await readAll(put('nested.gz', gzipSync(Buffer.concat(Array(20).fill(sixteen)))));
    expect([seen.source, seen.said]).toEqual([null, ['compression-nested error ']]);
    expect(seen.message).toContain('compressed twice, gzip in gzip; unpack it once first');
  });

  test.runIf(THOROUGH)('cut short is both, and what came before is read', async () => {
    const whole = gzipSync(Buffer.alloc(300 << 20));
    const seen = await measure(put('cut-bomb.gz', whole.subarray(0, whole.length - 9)));
    expect(seen.said[0]).toBe('compression-bomb data-loss');
    const small = await measure(put('cut-small.gz', sixteen.subarray(0, sixteen.length - 9)));
    expect(small.said).toEqual(['gzip-truncated data-loss']);
    expect(small.size).toBeGreaterThan(1 << 23);
  });

  test('a hundred thousand empty members are an empty file, one with a byte each a file of bytes', async () => {
    const empty = gzipSync(Buffer.alloc(0));
    const none = await readAll(put('empty.gz', Buffer.concat(Array(100_000).fill(empty))));
    expect([none.all.length, none.said]).toEqual([0, []]);
    const one = gzipSync(Buffer.from('x'));
    const bytes = await readAll(put('ones.gz', Buffer.concat(Array(10_000).fill(one))));
    expect([bytes.all.toString(), bytes.said]).toEqual(['x'.repeat(10_000), []]);
  });
});

async function measure(path: string) {
  const diagnostics = new Diagnostics();
  const source = await openBytes(path, 'it', diagnostics);
  const before = process.memoryUsage().rss;
  let size = 0;
  for await (const block of source!.blocks()) size += block.length;
  const said = diagnostics.list().map((d) => `${d.code} ${d.severity}`);
  return { size, grown: process.memoryUsage().rss - before, said, message: diagnostics.list()[0]?.message };
}

test('a compression that is not read is refused with a word on what to do', async () => {
  const magic = [...Buffer.from('BZh9'), 0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
  const seen = await readAll(put('other', Buffer.from(magic)));
  expect([seen.source, seen.said]).toEqual([null, ['compression-unsupported error ']]);
  expect(seen.message).toContain('compressed with bzip2');
});

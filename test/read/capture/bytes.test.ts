import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { Diagnostics } from '../../../src/model/diagnostic.ts';
import { HEAD_BYTES, openBytes } from '../../../src/read/bytes.ts';
import { generateCapture } from './generate.ts';

const folder = mkdtempSync(join(tmpdir(), 'bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const LARGE = generateCapture({ packets: 30_000, inFlight: 100, seed: 3 });

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

  test('of 256 MB of zeros passes in bounded memory', async () => {
    const bomb = put('bomb.gz', gzipSync(Buffer.alloc(1 << 28)));
    const source = await openBytes(bomb, 'it', new Diagnostics());
    const before = process.memoryUsage().rss;
    let size = 0;
    for await (const block of source!.blocks()) size += block.length;
    expect(size).toBe(1 << 28);
    expect(process.memoryUsage().rss - before).toBeLessThan(1e8);
  });
});

test.each([
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [...Buffer.from('BZh9'), 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
])('%s is refused with a word on what to do', async (name, magic) => {
  const seen = await readAll(put('other', Buffer.from(magic)));
  expect([seen.source, seen.said]).toEqual([null, ['compression-unsupported error ']]);
  expect(seen.message).toContain(`compressed with ${name}`);
});

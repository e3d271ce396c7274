/** xz and zstd unpacked by a thread give what they give without one, whatever happens to the thread. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { openBeside } from '../../src/read/beside.ts';
import { type ByteSource, openBytes } from '../../src/read/bytes.ts';
import { generateCapture } from './capture/generate.ts';

const DIST = resolve(import.meta.dirname, '../../dist/read');
const PROGRAM = pathToFileURL(join(DIST, 'unpacking.js'));
const folder = mkdtempSync(join(tmpdir(), 'beside-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CAPTURE = generateCapture({ packets: 30_000, inFlight: 100, seed: 3 });
const hasTools = ['xz', 'zstd'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const pack = (tool: string) => execFileSync(tool, ['-1q'], { input: CAPTURE });
const PACKED = hasTools ? { xz: pack('xz'), zstd: pack('zstd') } : { xz: CAPTURE, zstd: CAPTURE };

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function readAll(open: (diagnostics: Diagnostics) => Promise<ByteSource | null>) {
  const diagnostics = new Diagnostics();
  const source = await open(diagnostics);
  const parts: Buffer[] = [];
  for await (const block of source?.blocks() ?? []) parts.push(Buffer.from(block));
  return { bytes: Buffer.concat(parts), said: diagnostics.list(), consumed: source?.consumed };
}

const alone = (path: string) => readAll((d) => openBytes(path, 'it', d));
const beside = (path: string, program = PROGRAM) => readAll((d) => openBeside(path, 'it', d, program, 0));

test.skipIf(!hasTools).each(Object.entries(PACKED))('%s, whole and cut short', async (name, packed) => {
  const whole = put(name, packed);
  const all = await beside(whole);
  expect([all.bytes.equals(CAPTURE), all.said, all.consumed]).toEqual([true, [], packed.length]);
  const cut = put(name, packed.subarray(0, packed.length >> 1));
  const [there, here] = [await beside(cut), await alone(cut)];
  expect(there.bytes.length).toBeGreaterThan(CAPTURE.length / 4);
  expect(there.bytes.equals(here.bytes)).toBe(true);
  expect(there.said.map((d) => d.code)).toEqual([`${name}-truncated`]);
  expect(there.said).toEqual(here.said);
});

test.skipIf(!hasTools)('no thread for other files, for small ones, and for what is no file', async () => {
  const diagnostics = new Diagnostics();
  for (const path of [
    put('gzip', gzipSync(CAPTURE)),
    put('plain', CAPTURE),
    join(folder, 'none'),
    folder,
    '-',
  ]) {
    expect(await openBeside(path, 'it', diagnostics, PROGRAM, 0)).toBeNull();
  }
  expect(await openBeside(put('small', PACKED.xz), 'it', diagnostics, PROGRAM)).toBeNull();
  expect(diagnostics.list()).toEqual([]);
});

test.skipIf(!hasTools).each(['throw new Error("of a thread")', 'process.exit(3)'])(
  'a thread that fails half-way (%s) leaves the rest to this one',
  async (failure) => {
    const program = put(
      'thread.mjs',
      `import { parentPort, workerData } from 'node:worker_threads';
       import { openBytes } from ${JSON.stringify(pathToFileURL(join(DIST, 'bytes.js')).href)};
       const source = await openBytes(workerData.path, 'it', { add() {} });
       parentPort.postMessage({ block: source.head.slice(), consumed: 1 });
       parentPort.once('message', () => { ${failure} });`,
    );
    const { bytes, said } = await beside(put('whole', PACKED.xz), pathToFileURL(program));
    expect([bytes.equals(CAPTURE), said]).toEqual([true, []]);
  },
);

test.skipIf(!hasTools)('a thread that gives nothing is done without', async () => {
  const program = pathToFileURL(put('nothing.mjs', 'process.exit(3)'));
  expect(await openBeside(put('whole', PACKED.xz), 'it', new Diagnostics(), program, 0)).toBeNull();
});

test.skipIf(!hasTools)('what was opened can be closed unread', async () => {
  const source = await openBeside(put('whole', PACKED.zstd), 'it', new Diagnostics(), PROGRAM, 0);
  expect(source!.head.length).toBeGreaterThan(0);
  await source!.close();
});

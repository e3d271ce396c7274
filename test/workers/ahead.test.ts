/** Several captures read at once, by threads: what comes of it is what one thread makes of them. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { MAIN_THREAD, openPool, type Pool } from '../../src/workers/pool.ts';
import { generateCapture } from '../read/capture/generate.ts';
import { THOROUGH } from '../thorough.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const WORKER = pathToFileURL(join(ROOT, 'dist/workers/worker.js'));

let folder: string;
let alone: Awaited<ReturnType<typeof tracked>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ahead-'));
  const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
  const packets = THOROUGH ? 2000 : 400;
  const capture = (seed: number) => generateCapture({ packets, inFlight: 50, seed });
  for (const seed of [1, 2, 3]) put(`a${seed}.pcap`, capture(seed));
  const packed = gzipSync(capture(4));
  put('b-cut.pcap.gz', packed.subarray(0, packed.length >> 1));
  put('b-empty', '');
  put('b-header.pcap', capture(6).subarray(0, 20));
  // threads begin with the last ones
  put('z1.pcap.gz', packed);
  put('z2.pcap', capture(5).subarray(0, packets * 50 + 3));
  put('b-unknown', Uint8Array.of(0, 1, 2, 3, 255));
  for (const name of ['bundle/loopback/6.18', 'live/pcap-and-tcpstates', 'tools/retis']) {
    cpSync(join(ROOT, 'samples', name), join(folder, name), { recursive: true });
  }
  alone = await tracked(MAIN_THREAD);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The result as text, and the files that threads were asked to read. */
async function tracked(pool: Pool) {
  const asked: string[] = [];
  const noted: Pool = {
    parallel: pool.parallel,
    threads: pool.threads,
    least: pool.least,
    trim: () => pool.trim(),
    close: () => pool.close(),
    run: (name, argument) => {
      if (name === 'track') asked.push((argument as { path: string }).path);
      return pool.run(name, argument);
    },
  };
  try {
    return { text: JSON.stringify(await analyze([folder], { pool: noted }), null, 1), asked };
  } finally {
    await noted.close();
  }
}

test('the result is the same with any number of threads, of captures whole, packed, cut and damaged', async () => {
  expect(alone.asked).toEqual([]);
  for (const code of ['pcap-truncated-record', 'gzip-truncated', 'empty-file', 'unknown-format']) {
    expect(alone.text).toContain(code);
  }
  for (const threads of [1, 2]) {
    const { text, asked } = await tracked(openPool(threads, WORKER, { bytes: 0, connections: 0 }));
    const last = ['z2.pcap', 'z1.pcap.gz'].map((name) => join(folder, name));
    expect(asked.slice(0, threads)).toEqual(last.slice(0, threads));
    expect(text === alone.text).toBe(true);
  }
});

test('captures too small for a thread are read without one', async () => {
  expect((await tracked(openPool(1, WORKER))).asked).toEqual([]);
});

test.each([
  ['throws', 'throw new Error("of a thread")'],
  ['ends', 'process.exit(3)'],
  ['answers with an error', 'parentPort.postMessage({ error: new Error("of a thread") })'],
])('a file is read here when its thread %s', async (_, failure) => {
  const program = join(folder, '.thread.mjs');
  writeFileSync(
    program,
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${failure} });`,
  );
  const { text, asked } = await tracked(openPool(2, pathToFileURL(program), { bytes: 0, connections: 0 }));
  expect(asked.length).toBeGreaterThan(1);
  expect(text === alone.text).toBe(true);
});

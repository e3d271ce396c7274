/** Connections decided by several threads: every table and the result are what one thread makes of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { investigate } from '../../src/analyze.ts';
import { MAIN_THREAD, openPool, type Pool } from '../../src/workers/pool.ts';
import { some, THOROUGH } from '../thorough.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const WORKER = pathToFileURL(join(ROOT, 'dist/workers/worker.js'));
const SHAPE = { kind: 'small', packets: THOROUGH ? 8000 : 1200 };

let folder: string;
beforeAll(async () => {
  // plain JavaScript, which has no types of its own here
  const { generateCapture } = (await import(pathToFileURL(join(ROOT, 'bench/captures.js')).href)) as {
    generateCapture(shape: object): Buffer;
  };
  folder = mkdtempSync(join(tmpdir(), 'deciding-'));
  const whole = generateCapture(SHAPE);
  writeFileSync(join(folder, 'one.pcap'), whole);
  for (const [i, part] of cut(whole, 3).entries()) writeFileSync(join(folder, `cut.pcap${i}`), part);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The same packets in several files. */
function cut(whole: Buffer, files: number): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 24; at < whole.length; ) {
    const end = at + 16 + whole.readUInt32LE(at + 8);
    records.push(whole.subarray(at, end));
    at = end;
  }
  const each = Math.ceil(records.length / files);
  return Array.from({ length: files }, (_, i) =>
    Buffer.concat([whole.subarray(0, 24), ...records.slice(i * each, (i + 1) * each)]),
  );
}

/** Everything that is written, and how many threads were asked. */
async function told(inputs: string[], pool: Pool) {
  let asked = 0;
  const noted: Pool = {
    ...pool,
    trim: () => pool.trim(),
    close: () => pool.close(),
    run: (name, argument, moved) => {
      if (name === 'decide') asked++;
      return pool.run(name, argument, moved);
    },
  };
  try {
    const { result, tables } = await investigate(inputs, { pool: noted });
    const text = [JSON.stringify(result), ...tables.connections, '\n', ...tables.findings].join('');
    return { text, asked };
  } finally {
    await pool.close();
  }
}

const inFolder = (...names: string[]) => names.map((name) => join(folder, name));

const inputsOf = [
  ['one capture', () => inFolder('one.pcap'), true],
  ['one capture in several files', () => inFolder('cut.pcap2', 'cut.pcap0', 'cut.pcap1'), true],
  ['a bundle', () => [join(ROOT, 'samples/bundle/resets/6.1')], false],
  [
    'a bundle beside a capture',
    () => [join(ROOT, 'samples/bundle/resets/6.1'), ...inFolder('one.pcap')],
    false,
  ],
] as const;

test.each(some(inputsOf, 2))('%s, with any number of threads', async (_, inputs, isDivided) => {
  const alone = await told(inputs(), MAIN_THREAD);
  expect(alone.asked).toBe(0);
  expect(alone.text).toContain('-reset');
  for (const threads of some([2, 1], 1)) {
    const { text, asked } = await told(inputs(), openPool(threads, WORKER, { bytes: 0, connections: 0 }));
    expect(asked).toBe(isDivided ? threads : 0);
    expect(text === alone.text).toBe(true);
  }
});

test('few connections are decided without one', async () => {
  expect((await told(inFolder('one.pcap'), openPool(1, WORKER))).asked).toBe(0);
});

test('what a thread fails to decide is decided here', async () => {
  const program = join(folder, '.thread.mjs');
  writeFileSync(
    program,
    `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error("of a thread") });`,
  );
  const failing = openPool(2, pathToFileURL(program), { bytes: Number.POSITIVE_INFINITY, connections: 0 });
  const { text, asked } = await told(inFolder('one.pcap'), failing);
  expect(asked).toBe(2);
  expect(text === (await told(inFolder('one.pcap'), MAIN_THREAD)).text).toBe(true);
});

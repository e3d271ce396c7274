/**
 * Fuzzes until it is told to stop, in a thread of its own, so that run.js sees it hang. Inputs that reach code that no
 * input has reached before are kept and mutated further: coverage comes from V8, a block at a time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { random } from '../read/capture/generate.ts';
import { mutate, type Random } from './mutate.ts';
import { fileSeeds, folderSeeds } from './seeds.ts';
import { type Input, makeTargets, type Target } from './targets.ts';

export interface Order {
  seed: number;
  /** Where findings, and the input being worked on, are written. */
  out: string;
  targets: readonly string[] | null;
  packed: readonly Uint8Array[];
  /** Iterations done; run.js watches it grow. */
  progress: SharedArrayBuffer;
}

interface Block {
  ranges: { startOffset: number; endOffset: number; count: number }[];
}

/** Blocks of our own source that were ever entered. */
class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Whether something new was entered since the last call. */
  grew(): boolean {
    const before = this.#seen.size;
    this.#session.post('Profiler.takePreciseCoverage', (error, report) => {
      if (error) throw error;
      for (const { url, functions } of report.result) {
        if (!url.includes('/src/')) continue;
        for (const { ranges } of functions as Block[]) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count > 0) this.#seen.add(`${url} ${startOffset} ${endOffset}`);
          }
        }
      }
    });
    return this.#seen.size > before;
  }
}

/** How many inputs are run between looks at the coverage, which cost as much as some inputs. */
const BATCH = 8;
const MAX_POOL = 3000;
/** Milliseconds of work on one input, of a few KB, that are too many. */
const TOO_LONG = 1500;

const order = workerData as Order;
const progress = new Int32Array(order.progress);
const seeds = { files: fileSeeds(), folders: folderSeeds() };
const targets = makeTargets(seeds, order.packed).filter(({ id }) => order.targets?.includes(id) ?? true);
const pools = new Map<string, Input[]>(targets.map(({ id }) => [id, []]));
const coverage = new Coverage();

function vary(input: Input, rng: Random): Input {
  const at = Math.floor(rng() * input.length);
  const other = seeds.files[Math.floor(rng() * seeds.files.length)]!.bytes;
  return input.map((file, i) => {
    const isText = !file.bytes.subarray(0, 200).includes(0);
    return i === at ? { ...file, bytes: mutate(file.bytes, isText, rng, other).subarray(0, 1 << 16) } : file;
  });
}

function next(target: Target, rng: Random): Input {
  const pool = pools.get(target.id)!;
  return pool.length > 0 && rng() < 0.6
    ? vary(pool[Math.floor(rng() * pool.length)]!, rng)
    : target.make(rng);
}

/** Writes an input as a folder; a name that was written before is overwritten. */
function save(name: string, input: Input): void {
  const folder = join(order.out, name);
  mkdirSync(folder, { recursive: true });
  for (const file of input) writeFileSync(join(folder, file.name), file.bytes);
}

async function attempt(target: Target, input: Input, iteration: number): Promise<void> {
  const start = process.cpuUsage();
  try {
    await target.run(input);
  } catch (error) {
    const name = `${target.id}-${order.seed}-${iteration}`;
    save(name, input);
    parentPort!.postMessage({ kind: 'error', name, message: (error as Error).stack ?? String(error) });
  }
  // Not the time of day: the machine may have better things to do.
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  if (took < TOO_LONG) return;
  const name = `slow-${target.id}-${order.seed}-${iteration}`;
  save(name, input);
  parentPort!.postMessage({ kind: 'slow', name, message: `${took.toFixed(0)} ms` });
}

async function main(): Promise<void> {
  const rng = random(order.seed);
  for (let iteration = 0; ; ) {
    const target = targets[Math.floor(rng() * targets.length)]!;
    const batch = Array.from({ length: ['analyze', 'bundles'].includes(target.id) ? 1 : BATCH }, () =>
      next(target, rng),
    );
    for (const input of batch) {
      writeFileSync(
        join(order.out, 'current'),
        JSON.stringify(input.map((f) => [f.name, Buffer.from(f.bytes).toString('base64')])),
      );
      await attempt(target, input, iteration++);
      Atomics.add(progress, 0, 1);
    }
    if (coverage.grew()) {
      const pool = pools.get(target.id)!;
      for (const input of batch) {
        if (pool.length < MAX_POOL) pool.push(input);
        else pool[Math.floor(rng() * MAX_POOL)] = input;
      }
      Atomics.store(progress, 1, coverage.size);
    }
  }
}

await main();

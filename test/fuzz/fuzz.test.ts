/**
 * A few seconds of fuzzing, the same inputs every time, and all that once broke something. `npm run fuzz` goes on for
 * as long as one likes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { random } from '../read/capture/generate.ts';
import { THOROUGH } from '../thorough.ts';
import { fileSeeds, folderSeeds } from './seeds.ts';
import { type Input, makeTargets } from './targets.ts';

/** Iterations by target, about a second each. */
const ITERATIONS: Record<string, number> = {
  captures: 400,
  texts: 300,
  analyze: 60,
  bundles: 60,
  unpack: 150,
};
/** Milliseconds of work on one input, of a few KB, that are too many. */
const TOO_LONG = 3000;

const seeds = { files: fileSeeds(), folders: folderSeeds() };
const smtp = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const packed = ['zstd', 'xz', 'gzip']
  .filter((command) => spawnSync(command, ['--version']).status === 0)
  .map((command) => execFileSync(command, ['-c'], { input: smtp }));
const targets = makeTargets(seeds, packed);

async function timed(run: () => void | Promise<void>): Promise<void> {
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(TOO_LONG);
}

describe.each(targets)('$id', (target) => {
  test('survives what becomes of real files', async () => {
    for (let i = 0; i < ITERATIONS[target.id]! / (THOROUGH ? 1 : 10); i++) {
      const input = target.make(random(i + 1));
      await timed(() => target.run(input));
    }
  });

  const folder = join('test/fuzz/regressions', target.id);
  const cases = readdirSync('test/fuzz/regressions').includes(target.id) ? readdirSync(folder) : [];
  test.each(cases)('survives %s', async (name) => {
    await timed(() => target.run(load(join(folder, name))));
  });
});

/** A file, or the files of a folder. */
function load(path: string): Input {
  const names = path.endsWith('.d')
    ? readdirSync(path).map((name) => [name, join(path, name)])
    : [[path, path]];
  return names.map(([name, file]) => ({ name: name!, bytes: readFileSync(file!) }));
}

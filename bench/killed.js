// node bench/killed.js [--groups 2000] [--big 20] [--kills 10] [--seed N]: a batch that is killed with SIGKILL at random moments and
// started again leaves OUT byte for byte as one that nobody disturbs, and everything is done or in failed.csv. One small capture in
// twenty is broken: cut within a packet, or noise.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { moved } from '../scripts/moved.js';
import { makeArchive } from './archive-captures.js';
import { generateCapture, random } from './captures.js';

const { values: options } = parseArgs({
  options: {
    groups: { type: 'string', default: '2000' },
    big: { type: 'string', default: '20' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string', default: join(tmpdir(), 'tcpautopsy-bench-killed') },
  },
});
const [groups, big, kills] = [Number(options.groups), Number(options.big), Number(options.kills)];
const captures = join(options.folder, 'captures');
const [whole, killed] = [join(options.folder, 'whole'), join(options.folder, 'killed')];

rmSync(options.folder, { recursive: true, force: true });
makeInputs();
const begun = Date.now();
if ((await batch(whole)) !== 2)
  throw new Error('the batch nobody disturbs: expected status 2, some are broken');
const took = Date.now() - begun;
const next = random(Number(options.seed));
const moments = Array.from({ length: kills }, () => next() * took).sort((a, b) => a - b);
for (const [i, moment] of moments.entries()) await batch(killed, moment - (moments[i - 1] ?? 0) + 500);
if ((await batch(killed)) !== 2) throw new Error('the batch after the last kill: expected status 2');
const [expected, found] = [treeOf(whole), treeOf(killed)];
const different = [...new Set([...expected.keys(), ...found.keys()])].filter(
  (path) => expected.get(path) !== found.get(path),
);
const lines = readFileSync(join(whole, 'failed.csv'), 'utf8').trim().split('\n').length - 1;
const done = [...expected.keys()].filter((path) => path.endsWith('/done.json')).length;
console.log(
  `${groups} small and ${big} big captures: ${done} groups done, ${lines} lines in failed.csv, ${(took / 1000).toFixed(0)} s`,
);
console.log(`killed ${kills} times: ${different.length} of ${expected.size} files differ`);
for (const path of different.slice(0, 20)) console.log(`  ${path}`);
process.exit(different.length > 0 ? 1 : 0);

function makeInputs() {
  const small = join(captures, 'small');
  mkdirSync(small, { recursive: true });
  makeArchive(small, groups, 1000);
  const files = filesBelow(small);
  for (const [n, path] of files.entries()) {
    if (n % 20 !== 7) continue;
    const bytes = readFileSync(path);
    writeFileSync(
      path,
      n % 40 === 7 ? bytes.subarray(0, Math.floor(bytes.length * 0.7)) : Buffer.alloc(600, n),
    );
  }
  mkdirSync(join(captures, 'big'));
  for (let n = 0; n < big; n++) {
    const bytes = generateCapture({ kind: 'small', packets: 50_000, seed: n + 1 });
    writeFileSync(
      join(captures, 'big', `${n}.pcap`),
      moved(bytes, Date.UTC(2026, 9, 1 + n) / 1000, [10, 99, 0, n]),
    );
  }
}

/** @param {string} out @param {number | null} [kill] ms after its start */
async function batch(out, kill = null) {
  const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'batch', captures, '-o', out], { stdio: 'ignore' });
  const timer = kill === null ? undefined : setTimeout(() => child.kill('SIGKILL'), kill);
  const [status] = await once(child, 'exit');
  clearTimeout(timer);
  return status;
}

/** Hashes by path. @param {string} folder */
function treeOf(folder) {
  const hash = (/** @type {string} */ path) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return new Map(filesBelow(folder).map((path) => [relative(folder, path), hash(path)]));
}

/** @param {string} folder */
function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort();
}

// Fuzzes every reader, decoder and importer, and the whole line, for as long as is asked:
//   node test/fuzz/run.js [--minutes 30] [--seed N] [--targets captures,texts,analyze,bundles,unpack] [--out FOLDER]
// Says inputs a second, code reached and memory once a minute, and at the end what was found. Exit status 1 when
// something was. Findings are folders under --out; what is to be kept goes to test/fuzz/regressions.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    targets: { type: 'string' },
    out: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const compiled = join(root, 'node_modules/.cache/tcpautopsy-fuzz');
/** Seconds of CPU, or of waiting, after which an input is taken for one that never ends. */
const HANG_CPU = 60;
const HANG_WAIT = 900;
const MEMORY_MB = 1500;

process.chdir(root);
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/fuzz/tsconfig.json'], {
  stdio: 'inherit',
});
copyFileSync('package.json', join(compiled, 'package.json'));
const out = values.out ?? mkdtempSync(join(tmpdir(), 'tcpautopsy-fuzz-'));
mkdirSync(out, { recursive: true });

const smtp = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
const packed = ['zstd', 'xz', 'gzip']
  .filter((command) => spawnSync(command, ['--version']).status === 0)
  .map((command) => execFileSync(command, ['-c'], { input: smtp }));

const findings = [];
let inputs = 0;
let blocks = 0;
let seed = Number(values.seed);
let peak = 0;

function found(kind, name, message) {
  findings.push({ kind, name, message });
  process.stdout.write(`${kind}: ${name}\n${message}\n`);
}

/** Of this process and its worker: a busy machine may leave them waiting. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Runs one worker until `deadline`, or until it hangs, dies or runs out of memory. */
function run(deadline) {
  const progress = new SharedArrayBuffer(8);
  const counts = new Int32Array(progress);
  const workerData = { seed, out, targets: values.targets?.split(',') ?? null, packed, progress };
  const worker = new Worker(join(compiled, 'test/fuzz/worker.js'), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const keep = (kind, message) => {
    const name = `${kind}-${seed}-${counts[0]}.json`;
    copyFileSync(join(out, 'current'), join(out, name));
    found(kind, name, message);
  };
  worker.on('message', ({ kind, name, message }) => found(kind, name, message));
  worker.on('error', (error) => keep('death', error.stack ?? String(error)));
  let last = { count: -1, at: Date.now(), cpu: cpuSeconds() };
  let hangs = false;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
    if (counts[0] !== last.count) last = { count: counts[0], at: Date.now(), cpu: cpuSeconds() };
    else if (!hangs && (cpuSeconds() - last.cpu > HANG_CPU || Date.now() - last.at > HANG_WAIT * 1000)) {
      hangs = true;
      keep('hang', `nothing came of an input for ${(cpuSeconds() - last.cpu).toFixed(0)} s of CPU`);
      worker.terminate();
    }
    if (Date.now() > deadline) worker.terminate();
  }, 500);
  const minute = setInterval(() => say(counts), 60_000);
  return new Promise((resolve) => {
    worker.on('exit', () => {
      clearInterval(watch);
      clearInterval(minute);
      inputs += counts[0];
      blocks = Math.max(blocks, counts[1]);
      resolve();
    });
  });
}

const start = Date.now();
const deadline = start + Number(values.minutes) * 60_000;

function say(counts) {
  const seconds = (Date.now() - start) / 1000;
  const rate = ((inputs + counts[0]) / seconds).toFixed(0);
  const memory = (process.memoryUsage().rss / 2 ** 20).toFixed(0);
  const code = Math.max(blocks, counts[1]);
  process.stdout.write(
    `${(seconds / 60).toFixed(1)} min: ${inputs + counts[0]} inputs, ${rate}/s, ${code} blocks of code, ${memory} MB, ${findings.length} findings\n`,
  );
}

process.stdout.write(`seed ${seed}, findings in ${out}\n`);
while (Date.now() < deadline) {
  await run(deadline);
  seed++;
}
say([0, 0]);
process.stdout.write(`peak memory ${(peak / 2 ** 20).toFixed(0)} MB\n`);
process.exitCode = findings.length > 0 ? 1 : 0;

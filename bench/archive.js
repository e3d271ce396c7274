// node bench/archive.js [--groups N]…: what the main process of a batch takes at N groups, first and second run. Captures
// are real and planned as ever; the groups are simulated (simulated-worker.js).
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeArchive } from './archive-captures.js';

const HOSTS = 1000;
const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const { values: options } = parseArgs({
  options: {
    groups: { type: 'string', multiple: true, default: ['1000', '10000', '100000'] },
    folder: { type: 'string', default: join(tmpdir(), 'tcpautopsy-bench-archive') },
  },
});

const app = join(options.folder, 'app');
rmSync(app, { recursive: true, force: true });
cpSync(here('../dist'), join(app, 'dist'), { recursive: true });
cpSync(here('../package.json'), join(app, 'package.json'));
cpSync(here('simulated-worker.js'), join(app, 'dist/batch-worker.js'));
symlinkSync(here('../node_modules'), join(app, 'node_modules'));
for (const groups of options.groups.map(Number)) {
  const captures = join(options.folder, `in-${groups}`, 'captures');
  mkdirSync(captures, { recursive: true });
  makeArchive(captures, groups, HOSTS);
  const out = join(options.folder, 'OUT');
  rmSync(out, { recursive: true, force: true });
  for (const run of ['first', 'second']) {
    const { peak, cpu, seconds } = main(['batch', captures, '-o', out, '--jobs', '1']);
    const text = [`${(peak / 1e6).toFixed(0)} MB`, `${cpu.toFixed(1)} s CPU`, `${seconds.toFixed(1)} s`].join(
      '\t',
    );
    console.log(`${groups}\t${run}\t${text}\t${((cpu * 1000) / groups).toFixed(2)} ms CPU a group`);
  }
}

/** @param {string[]} args */
function main(args) {
  const usage = join(options.folder, 'usage');
  rmSync(usage, { force: true });
  const begun = Date.now();
  const command = ['--require', here('usage.cjs'), join(app, 'dist/cli.js'), ...args];
  const env = { ...process.env, USAGE: usage };
  const { status } = spawnSync(process.execPath, command, { stdio: 'ignore', env });
  if (status === null || status > 2) throw new Error(`${args.join(' ')} ended with ${status}`);
  const lines = readFileSync(usage, 'utf8').trim().split('\n');
  const own = lines.map((line) => JSON.parse(line)).find((u) => u.program.endsWith('cli.js'));
  return { ...own, seconds: (Date.now() - begun) / 1000 };
}

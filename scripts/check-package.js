// What `npm pack` would ship: the command, the capture script and the BPF programs. With --install, the packed tarball is
// installed into an empty folder as a user would, and does a batch there.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
);
const files = pack.files.map((f) => f.path);
const wanted = [
  'dist/cli.js',
  'dist/browser.js',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/LICENSES.txt',
  'capture/README.md',
  'bpf/README.md',
  'README.md',
  'LICENSE',
];
const missing = wanted.filter((path) => !files.includes(path));
const strays = files.filter((path) => /^(src|test|node_modules|samples\/live)\//.test(path));
// what asks for its text where its code is put in
const licences = readFileSync('dist/LICENSES.txt', 'utf8');
const unnamed = ['arquero', '@uwdata/flechette'].filter((name) => !licences.includes(`${name} `));
for (const name of unnamed) console.error(`dist/LICENSES.txt lacks ${name}`);
for (const path of missing) console.error(`npm pack would not carry ${path}`);
for (const path of strays) console.error(`npm pack would carry ${path}`);
console.log(`npm pack: ${files.length} files, ${(pack.unpackedSize / 1e6).toFixed(1)} MB`);
process.exitCode = missing.length + strays.length + unnamed.length > 0 ? 1 : 0;

if (process.argv.includes('--install')) {
  const folder = mkdtempSync(join(tmpdir(), 'check-package-'));
  const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8' });
  try {
    const [{ filename }] = JSON.parse(
      npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], '.'),
    );
    npm(['install', '--no-audit', '--no-fund', join(folder, filename)], folder);
    mkdirSync(join(folder, 'captures'));
    for (const name of ['burst', 'answers-nothing'])
      copyFileSync(resolve(`samples/field/resets/${name}.pcap`), join(folder, 'captures', `${name}.pcap`));
    const command = [join(folder, 'node_modules/.bin/tcpautopsy'), 'batch', 'captures', '-o', 'OUT'];
    const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), {
      cwd: folder,
      encoding: 'utf8',
    });
    const isDone = status === 0 && existsSync(join(folder, 'OUT/rollup.html'));
    console.log(`installed: ${stdout.split('\n')[0]}`);
    if (!isDone) console.error(`batch of the installed package ended with ${status}: ${stderr}`);
    process.exitCode ||= isDone ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

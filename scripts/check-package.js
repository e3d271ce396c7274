// What `npm pack` would ship: the command, the capture script and the BPF programs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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

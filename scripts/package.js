// npm run package: packages/tcpautopsy-VERSION-linux-x64, one file that runs without Node, the licences of what is in it, and a .deb
// that carries it. The same bytes whenever they are built of the same commit; the time in them is SOURCE_DATE_EPOCH or the commit's.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildDeb } from './package/deb.js';
import { buildExecutable, fetchNode, NODE } from './package/executable.js';
import { licences } from './package/licences.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    // where to write them
    output: { type: 'string', default: join(root, 'packages') },
    // large and at once: to compare two of them
    uncompressed: { type: 'boolean', default: false },
  },
});
if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error(`packages are built on linux-x64, this is ${process.platform}-${process.arch}`);
if (!existsSync(join(root, 'dist/recorder/x86_64/tcpautopsy-record')))
  execFileSync(process.execPath, [join(root, 'scripts/recorder.js')], { stdio: 'inherit' });

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const committed = () => execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? committed());
const place = (name) => join(values.output, name);
const executable = place(`tcpautopsy-${version}-linux-x64`);
const deb = place(`tcpautopsy_${version}_amd64.deb`);
const list = place(`tcpautopsy-${version}-licences.txt`);
const work = mkdtempSync(join(tmpdir(), 'packages-'));
try {
  mkdirSync(values.output, { recursive: true });
  const packages = await buildExecutable(root, version, work, executable);
  const text = licences(root, packages, fetchNode(root), NODE.version);
  writeFileSync(list, text);
  const compression = values.uncompressed ? ['-Znone'] : ['-Zxz', '-z0'];
  buildDeb({ root, version, work, executable, licences: text, epoch, compression, output: deb });
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const path of [executable, deb, list])
  console.log(`${path}: ${(statSync(path).size / 1e6).toFixed(1)} MB`);

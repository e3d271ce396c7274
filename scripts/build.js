// Compiles src/ to dist/, afresh, joins the modules of the command to few files, and keeps its page of help.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.json`], {
  cwd: root,
  stdio: 'inherit',
});
// Node takes a tenth of a second to find and compile three hundred modules one by one. The programs of threads lie beside
// what starts them, here as there; other paths are relative to dist/.
await build({
  entryPoints: {
    cli: `${root}dist/cli.js`,
    worker: `${root}dist/report/side/worker.js`,
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
  packages: 'external',
  logLevel: 'warning',
});
chmodSync(`${root}dist/cli.js`, 0o755);
writeFileSync(`${root}dist/help.txt`, execFileSync(process.execPath, [`${root}dist/cli.js`, '--help']));

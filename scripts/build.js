// Compiles src/ to dist/, afresh, joins the modules of the command to few files, those of the library for pages to one,
// and keeps the page of help.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pageScript } from './page-script.js';

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
const { metafile: ofCommand } = await build({
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
  plugins: [await pageScript(root)],
  logLevel: 'warning',
  metafile: true,
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
const { metafile: ofPages } = await build({
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
  metafile: true,
});
// whose code is in the files is named with its licence, which asks for that
writeFileSync(`${root}dist/LICENSES.txt`, licencesOf([ofCommand, ofPages]));
chmodSync(`${root}dist/cli.js`, 0o755);
writeFileSync(`${root}dist/help.txt`, execFileSync(process.execPath, [`${root}dist/cli.js`, '--help']));

/** The licences of the packages that were put in; one that comes without the text (xz-decompress) has a remark in its code. */
function licencesOf(metafiles) {
  const outputs = metafiles.flatMap(({ outputs }) => Object.values(outputs));
  const inputs = outputs.flatMap((o) => Object.entries(o.inputs).filter(([, i]) => i.bytesInOutput > 0));
  const folders = new Set(
    inputs.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const at = join(root, folder);
    const { name, version: of, license, author } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
    const file = readdirSync(at).find((f) => /^(?:licen[cs]e|copying)/i.test(f));
    const text = file ? readFileSync(join(at, file), 'utf8').trim() : `${license}, ${author?.name ?? author}`;
    return `${name} ${of}\n\n${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

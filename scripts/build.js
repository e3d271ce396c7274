// Compiles src/ to dist/, afresh, makes the command executable, and keeps its page of help.
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.json`], {
  cwd: root,
  stdio: 'inherit',
});
chmodSync(`${root}dist/cli.js`, 0o755);
writeFileSync(`${root}dist/help.txt`, execFileSync(process.execPath, [`${root}dist/cli.js`, '--help']));

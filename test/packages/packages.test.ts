// The one executable file does what `node dist/cli.js` does, and packages are the same bytes whenever they are built.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const here = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const canBuild =
  process.platform === 'linux' &&
  process.arch === 'x64' &&
  here('dpkg-deb') &&
  here('strip') &&
  spawnSync(process.execPath, ['scripts/recorder.js', '--check'], { cwd: ROOT }).status === 0;
const canInstall = canBuild && process.getuid?.() === 0 && here('mmdebstrap') && here('unshare');

let folder: string;
let executable: string;

/** Packages in a folder of that name. */
function build(name: string, umask: string): string {
  const output = join(folder, name);
  const script = `umask ${umask} && exec "$0" scripts/package.js --uncompressed --output "$1"`;
  execFileSync('sh', ['-c', script, process.execPath, output], { cwd: ROOT, stdio: 'pipe' });
  return output;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packages-test-'));
  if (!canBuild) return;
  const output = build('first', '022');
  executable = join(output, readdirSync(output).find((name) => name.endsWith('-linux-x64'))!);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a report of ours says and writes, all of it. */
function report(program: readonly string[], input: string, workers: string) {
  const out = join(folder, 'report');
  rmSync(out, { recursive: true, force: true });
  const words = [...program.slice(1), 'analyze', input, '-o', out, '--workers', workers];
  const { status, stdout, stderr } = spawnSync(program[0]!, words, { cwd: ROOT, encoding: 'utf8' });
  expect([0, 2], stderr).toContain(status);
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((f) =>
    statSync(join(out, f)).isFile(),
  );
  const bytes = Object.fromEntries(files.sort().map((f) => [f, readFileSync(join(out, f), 'latin1')]));
  return { status, stdout, stderr, bytes };
}

it
  .skipIf(!canBuild)
  .each([
    'samples/documents/exp1',
    'samples/bundle/accept-queue-incident',
    'samples/live/pcap-and-tcpstates',
  ])(
  '%s gives the same bytes with 0, 1 and 2 threads',
  (input) => {
    for (const workers of ['0', '1', '2']) {
      const [one, other] = [[executable], [process.execPath, 'dist/cli.js']].map((p) =>
        report(p, input, workers),
      );
      const { bytes, ...said } = one!;
      expect(said).toEqual({ status: other!.status, stdout: other!.stdout, stderr: other!.stderr });
      expect(Object.keys(bytes)).toEqual(Object.keys(other!.bytes));
      expect(Object.keys(bytes).some((f) => f.endsWith('.svg'))).toBe(true);
      for (const [file, text] of Object.entries(bytes))
        expect(text === other!.bytes[file], `${file}, ${workers} threads`).toBe(true);
    }
  },
  300_000,
);

it.skipIf(!canBuild)('what it cannot do it says before it reads anything', () => {
  const words = ['analyze', 'samples/documents/exp1', '-o', join(folder, 'png'), '--png'];
  const { status, stderr } = spawnSync(executable, words, { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).toMatch(/draws no PNG: .* The same charts are in charts\/\*\.svg/);
  expect(status).toBe(1);
  expect(readdirSync(folder)).not.toContain('png');
});

it.skipIf(!canBuild)(
  'two builds are the same bytes',
  () => {
    const [one, other] = [join(folder, 'first'), build('second', '077')].map((output) =>
      readdirSync(output).map(
        (name) =>
          `${createHash('sha256')
            .update(readFileSync(join(output, name)))
            .digest('hex')}  ${name}`,
      ),
    );
    expect(other).toEqual(one);
    expect(one!.filter((line) => line.endsWith('.deb'))).toHaveLength(1);
  },
  600_000,
);

// .ci/run does it as a step
it.skipIf(!canInstall || process.env.PACKAGES_TRIED)(
  'they run in a Debian without Node, and leave nothing behind',
  () => {
    const words = ['test/packages/clean-debian.sh', join(folder, 'first')];
    const { status, stdout, stderr } = spawnSync('bash', words, { cwd: ROOT, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  },
  600_000,
);

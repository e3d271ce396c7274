// The same inputs give the same bytes: whatever their order, the threads, the language and the time zone.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const filesOf = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name !== 'README.md' && name !== 'expected.json')
    .map((name) => join(folder, name));

/** Two hosts with logs and tables, a capture with its log, a bundle, a tool of each kind. */
const INPUTS = [
  ...filesOf('samples/documents/exp1'),
  ...filesOf('samples/live/pcap-and-tcpstates'),
  'samples/bundle/loopback/6.18',
  'samples/live/accept-queue-incident/6.1',
  'samples/tools/tcpdump',
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'determinism-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All bytes of a report by file, without the command line, which is the one thing that may differ. */
function report(
  name: string,
  inputs: readonly string[],
  options: string[] = [],
  env: NodeJS.ProcessEnv = {},
) {
  const out = join(folder, name);
  const words = ['analyze', ...inputs, '-o', out, ...options];
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), ...words], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  expect([0, 2], stderr).toContain(status);
  const command = ['tcpautopsy', ...words].join(' ');
  const bytes: Record<string, string> = {};
  for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!statSync(join(out, file)).isFile()) continue;
    const text = readFileSync(join(out, file)).toString('latin1');
    if (/^(report|result)\./.test(file)) expect(text, file).toContain(command);
    bytes[file] = text.replaceAll(command, 'COMMAND');
  }
  return { bytes, stderr };
}

it('gives the same bytes in any order, with any number of threads, in any language and zone', () => {
  const plain = report('plain', INPUTS, ['--png', '--workers', '0'], { LC_ALL: 'C', TZ: 'UTC' });
  expect(Object.keys(plain.bytes).filter((f) => /^charts\/.*\.(svg|png)$/.test(f)).length).toBeGreaterThan(5);
  const middle = INPUTS.length >> 1;
  const others = [
    report('reversed', INPUTS.toReversed(), ['--png', '--workers', '4'], {
      LC_ALL: 'tr_TR.UTF-8',
      LANG: 'tr_TR.UTF-8',
      TZ: 'Asia/Kathmandu',
    }),
    report('rotated', [...INPUTS.slice(middle), ...INPUTS.slice(0, middle)], ['--no-html'], {
      LC_ALL: 'de_DE.UTF-8',
      LANG: 'de_DE',
      TZ: 'America/St_Johns',
    }),
  ];
  for (const { bytes, stderr } of others) {
    for (const file of Object.keys(bytes)) expect(bytes[file] === plain.bytes[file], file).toBe(true);
    expect(stderr).toBe(plain.stderr);
  }
  // without HTML there are fewer of them
  const [all, fewer] = others.map((o) => Object.keys(o.bytes));
  expect(all).toEqual(Object.keys(plain.bytes));
  expect(fewer).toEqual(expect.arrayContaining(['connections.csv', 'findings.csv', 'result.json']));
}, 240_000);

/** Settings that someone changes while a capture runs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const HOST = path.resolve(import.meta.dirname, '../../capture/host.sh');
const dir = mkdtempSync(path.join(tmpdir(), 'settings-'));
afterAll(() => rmSync(dir, { recursive: true }));

const sh = (work: string) =>
  execFileSync('sh', ['-c', `. "$0"; dir=$1 work=$1/.work; ${work}`, HOST, dir], { encoding: 'utf8' });

test('the value at the stop stands behind that of the start, where it is another', () => {
  mkdirSync(path.join(dir, '.work'));
  const now = sh('settings');
  const name = 'net.ipv4.tcp_fin_timeout';
  expect(now).toMatch(/^net\.ipv4\.tcp_fin_timeout = \d+$/m);
  expect(now).not.toContain('fastopen_key');
  const file = path.join(dir, 'sysctl.txt');
  writeFileSync(file, now.replace(/(tcp_fin_timeout) = \d+/, '$1 = 7777'));
  sh('settings_changed');
  const added = readFileSync(file, 'utf8').slice(now.replace(/(tcp_fin_timeout) = \d+/, '$1 = 7777').length);
  expect(added).toBe(`${now.split('\n').find((line) => line.startsWith(`${name} =`))}\n`);
});

test('nothing is concluded from one that changed', async () => {
  const answer = async (text: string) => {
    const { settings } = await analyze([{ name: 'sysctl.txt', bytes: Buffer.from(text) }]);
    return settings.map((s) => `${s.name} = ${s.value}: ${s.meaning}`).join(' ');
  };
  const first = 'net.ipv4.tcp_syncookies = 1\nnet.core.somaxconn = 4096\n';
  expect(await answer(first)).toContain('net.ipv4.tcp_syncookies = 1: when the SYN queue is full');
  const both = await answer(`${first}net.ipv4.tcp_syncookies = 0\n`);
  expect(both).toContain('net.ipv4.tcp_syncookies = 0: changed while the files were taken');
  expect(both).not.toContain('SYNs are dropped when');
});

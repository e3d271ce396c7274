// Disks that are full or cannot be written, files that may not be read, groups that want too much.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cli, folder, put, sample, treeOf } from './archives.ts';

const CLI = resolve('dist/cli.js');
const isRoot = process.getuid?.() === 0;
const CAPTURE = sample('live/unread-data/6.18/packets.pcap');

function captures(): string {
  const root = folder();
  put(join(root, 'a.pcap'), CAPTURE);
  put(join(root, 'b.pcap'), sample('field/resets/burst.pcap'));
  return root;
}

/** A disk of its own. */
function disk(size: string): { path: string; remount(options: string): void } {
  const path = folder();
  const mount = (...args: string[]) => spawnSync('mount', args).status;
  expect(mount('-t', 'tmpfs', '-o', `size=${size}`, 'none', path)).toBe(0);
  onTestFinished(() => void spawnSync('umount', ['-l', path]));
  return { path, remount: (options) => void mount('-o', `remount,${options}`, path) };
}

describe.runIf(isRoot)('OUT', () => {
  it('on a full disk: says so, and is done when there is room', { timeout: 300_000 }, () => {
    const [root, whole] = [captures(), join(folder(), 'OUT')];
    expect(cli(['batch', root, '-o', whole]).status).toBe(0);
    for (const size of ['40k', '100k', '200k']) {
      const { path, remount } = disk(size);
      const out = join(path, 'OUT');
      const full = cli(['batch', root, '-o', out]);
      expect([size, full.status, full.stderr]).toEqual([size, 74, expect.stringMatching(/no space left/)]);
      remount('size=50M');
      expect(cli(['batch', root, '-o', out]).status).toBe(0);
      expect(treeOf(out)).toEqual(treeOf(whole));
    }
  });

  it('that is read-only: says so before anything is analysed', () => {
    const { path, remount } = disk('10M');
    remount('ro');
    const { status, stderr } = cli(['batch', captures(), '-o', join(path, 'OUT')]);
    expect([status, stderr]).toEqual([74, expect.stringMatching(/read-only file system/)]);
  });
});

it.runIf(isRoot)('what may not be read is named, and the rest is done', () => {
  const [root, place] = [captures(), folder()];
  chmodSync(join(root, 'b.pcap'), 0);
  put(join(root, 'closed/c.pcap'), CAPTURE);
  chmodSync(join(root, 'closed'), 0);
  onTestFinished(() => chmodSync(join(root, 'closed'), 0o755));
  for (const path of [root, place]) chmodSync(path, 0o777);
  const out = join(place, 'OUT');
  const nobody = { uid: 65_534, gid: 65_534, encoding: 'utf8' } as const;
  const { status, stdout } = spawnSync(process.execPath, [CLI, 'batch', root, '-o', out], nobody);
  expect([status, stdout]).toEqual([2, expect.stringMatching(/^1 group done, 0 failed/)]);
  const failed = readFileSync(join(out, 'failed.csv'), 'utf8');
  expect(failed).toMatch(/b\.pcap,.*permission denied/);
  expect(failed).toMatch(/closed,.*permission denied/);
});

describe('a group that wants too much', () => {
  it.each([
    ['--size-limit', '1K', 'size', /b\.pcap,size,.*larger than --size-limit/],
    ['--time-limit', '0.000001', 'time', /pcap,time,.*takes longer than/],
    ['--memory-limit', '1M', 'memory', /pcap,memory,.*needs more than 1 MB of memory/],
  ])('%s %s: has failed, and failed.csv says why', (option, limit, _, why) => {
    const [root, out] = [captures(), join(folder(), 'OUT')];
    const { status } = cli(['batch', root, '-o', out, '--jobs', '1', option, limit]);
    expect(status).toBe(2);
    expect(readFileSync(join(out, 'failed.csv'), 'utf8')).toMatch(why);
    // with what it wants it is done
    const again = cli(['batch', root, '-o', out, '--retry-failed']);
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^\d groups? done, 0 failed/)]);
  });
});

it('two batches at once on one OUT both end, and nothing is there twice', { timeout: 300_000 }, async () => {
  const [root, whole, out] = [captures(), join(folder(), 'OUT'), join(folder(), 'OUT')];
  mkdirSync(out);
  cli(['batch', root, '-o', whole]);
  const both = [1, 2].map(() =>
    spawn(process.execPath, [CLI, 'batch', root, '-o', out], { stdio: 'ignore' }),
  );
  const ends = await Promise.all(both.map((child) => once(child, 'exit')));
  expect(ends.map(([status]) => status)).toEqual([0, 0]);
  expect(treeOf(out)).toEqual(treeOf(whole));
});

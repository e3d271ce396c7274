// A batch on one machine: plan, groups, resume, tables, roll-up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { THOROUGH } from '../thorough.ts';
import { batch, cli, folder, planIn, put, sample, smallArchive, treeOf } from './archives.ts';

describe('groups', () => {
  it('are what belongs together, each with its reason', async () => {
    const [root, out] = [smallArchive(), join(folder(), 'OUT')];
    await batch([root], out);
    const groups = planIn(out).map(({ place, reason, members }) => [
      place.slice(root.length + 1),
      reason,
      members.length,
    ]);
    expect(groups).toEqual([
      ['between', 'same-connections', 3],
      ['broken/cut.pcap', 'alone', 1],
      ['broken/garbage.pcap', 'alone', 1],
      ['logs', 'folder', 2],
      ['series', 'rotation', 5],
      ['web/bundle', 'bundle', expect.any(Number)],
    ]);
  });

  it('of the same content are done once, whatever they are called', async () => {
    const [root, out] = [folder(), join(folder(), 'OUT')];
    put(join(root, 'a/x.pcap'), sample('field/resets/burst.pcap'));
    put(join(root, 'b/y.pcap'), sample('field/resets/burst.pcap'));
    const { done } = await batch([root], out);
    expect(done).toBe(1);
  });
});

describe('a batch that is run again', () => {
  it('does nothing when nothing has changed, and one group when one member has', async () => {
    const [root, out] = [smallArchive(), join(folder(), 'OUT')];
    const first = await batch([root], out);
    expect([first.done, first.failed, first.damaged]).toEqual([5, 1, 1]);
    const before = treeOf(out);
    const second = await batch([root], out);
    expect([second.done, second.failed, second.before]).toEqual([0, 0, 6]);
    expect(treeOf(out)).toEqual(before);
    put(join(root, 'broken/cut.pcap'), sample('field/resets/burst.pcap'));
    const third = await batch([root], out);
    expect([third.done, third.before]).toEqual([1, 5]);
    // what the old member said is in no table any more
    const fresh = join(folder(), 'OUT');
    await batch([root], fresh);
    const withoutHistory = (tree: Record<string, string>) =>
      Object.fromEntries(Object.entries(tree).filter(([path]) => !/^rollup|^charts/.test(path)));
    expect(withoutHistory(treeOf(out))).toEqual(withoutHistory(treeOf(fresh)));
  });

  it('keeps what vanished and names it, and calls new what was not there', async () => {
    const [root, out] = [folder(), join(folder(), 'OUT')];
    put(join(root, 'a.pcap'), sample('field/resets/burst.pcap'));
    const first = await batch([root], out);
    expect(first.rollup!.causes.map((c) => c.isNew)).toContain(false);
    expect(first.rollup!.causes.every((c) => !c.isNew)).toBe(true);
    rmSync(join(root, 'a.pcap'));
    put(join(root, 'b.pcap'), sample('field/resets/answers-nothing.pcap'));
    const second = await batch([root], out);
    expect(second.rollup!.gone.map((g) => g.place)).toEqual([join(root, 'a.pcap')]);
    const known = new Set(first.rollup!.causes.map((c) => c.rule));
    for (const { rule, isNew } of second.rollup!.causes)
      expect([rule, isNew]).toEqual([rule, !known.has(rule)]);
    expect(second.rollup!.causes.some((c) => c.isNew)).toBe(true);
  });

  it('of the same captures by another path and with other options counts none twice', async () => {
    const [root, out] = [folder(), join(folder(), 'OUT')];
    put(join(root, 'a.pcap'), sample('field/resets/burst.pcap'));
    const first = await batch([root], out);
    const again = await batch([relative('.', root)], out, { group: { html: 'never', connections: 'all' } });
    expect([again.done, again.rollup!.groups, again.rollup!.gone]).toEqual([1, first.rollup!.groups, []]);
  });

  it('tries what failed again when it is asked to', async () => {
    const [root, out] = [smallArchive(), join(folder(), 'OUT')];
    await batch([root], out);
    expect((await batch([root], out)).failed).toBe(0);
    expect((await batch([root], out, { retryFailed: true })).failed).toBe(1);
  });
});

describe('the output', () => {
  it('is the same for any number of processes, in shards, and for inputs in any order', async () => {
    const root = smallArchive();
    const parts = ['between', 'broken', 'logs', 'series', 'web'].map((name) => join(root, name));
    const outs = [join(folder(), 'OUT'), join(folder(), 'OUT'), join(folder(), 'OUT')];
    await batch(parts, outs[0]!);
    expect(cli(['batch', ...parts.toReversed(), '-o', outs[1]!, '--jobs', '2']).status).toBe(2);
    for (const index of [3, 1, 2]) await batch(parts, outs[2]!, { shard: { index, count: 3 } });
    const [one, two, three] = outs.map(treeOf);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });

  it('is the same after a batch was killed at any moment', { timeout: 300_000 }, async () => {
    const [root, whole, killed] = [smallArchive(), join(folder(), 'OUT'), join(folder(), 'OUT')];
    await batch([root], whole);
    const args = [resolve('dist/cli.js'), 'batch', root, '-o', killed, '--jobs', '2'];
    for (let i = 0; i < (THOROUGH ? 10 : 2); i++) {
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const ended = once(child, 'exit');
      await new Promise((go) => setTimeout(go, 400 + 350 * i));
      child.kill('SIGKILL');
      await ended;
    }
    cli(['batch', root, '-o', killed]);
    expect(treeOf(killed)).toEqual(treeOf(whole));
  });

  it('is finished by two batches at once', async () => {
    const [root, whole, shared] = [smallArchive(), join(folder(), 'OUT'), join(folder(), 'OUT')];
    await batch([root], whole);
    await Promise.all([batch([root], shared), batch([root], shared)]);
    expect(treeOf(shared)).toEqual(treeOf(whole));
  });
});

describe('a batch refuses', () => {
  it('a folder that holds something else, and one of another format', async () => {
    const other = folder();
    put(join(other, 'mine.txt'), 'x');
    await expect(batch([smallArchive()], other)).rejects.toThrow('is not empty and holds no batch of ours');
    const future = folder();
    put(join(future, 'batch.json'), '{"format":"tcpautopsy-batch/9","version":"9.0.0"}');
    await expect(batch([smallArchive()], future)).rejects.toThrow(/tcpautopsy-batch\/9.*name another folder/);
  });

  it('nothing because of another version: it says so, and analyses again', async () => {
    const [root, out, notes] = [folder(), join(folder(), 'OUT'), [] as string[]];
    put(join(root, 'a.pcap'), sample('field/resets/burst.pcap'));
    put(join(out, 'batch.json'), '{"format":"tcpautopsy-batch/1","version":"0.0.9"}');
    const nothing = () => undefined;
    const events = {
      look: nothing,
      plan: nothing,
      begin: nothing,
      end: nothing,
      note: (text: string) => notes.push(text),
    };
    await batch([root], out, {}, events);
    expect(notes.join()).toMatch(/written by version 0\.0\.9.*analysed again/);
  });
});

it('a member that changes between plan and reading is not analysed as what it was', async () => {
  const [root, out] = [folder(), join(folder(), 'OUT')];
  const path = join(root, 'a.pcap');
  put(path, sample('field/resets/burst.pcap'));
  const nothing = () => undefined;
  const plan = () => {
    writeFileSync(`${path}.new`, sample('field/resets/answers-nothing.pcap'));
    renameSync(`${path}.new`, path);
  };
  const { failed } = await batch(
    [root],
    out,
    {},
    { look: nothing, plan, begin: nothing, end: nothing, note: nothing },
  );
  expect(failed).toBe(1);
  expect(readFileSync(join(out, 'failed.csv'), 'utf8')).toContain('has changed since it was planned');
  utimesSync(path, new Date(), new Date());
  expect((await batch([root], out)).done).toBe(1);
});

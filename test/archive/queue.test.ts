// Batches over a real Redis, with workers that die, and a Redis that does.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionOf, QUEUE } from '../../src/archive/queue.ts';
import { checked } from '../../src/archive/take-jobs.ts';
import { folderOfKey } from '../../src/model/batch.ts';
import { VERSION } from '../../src/platform/package.ts';
import { batch, cli, folder, planIn, put, sample, smallArchive, treeOf } from './archives.ts';

const HAS_REDIS = spawnSync('redis-server', ['--version']).status === 0;
const CLI = resolve('dist/cli.js');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** With an append-only file, so that it may be started again. */
async function redis(port: number, dir: string): Promise<ChildProcess> {
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--appendonly',
    'yes',
    '--save',
    '',
  ];
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  for await (const text of server.stdout!) if (/Ready to accept/.test(String(text))) break;
  server.stdout!.resume();
  return server;
}

function worker(url: string, root: string): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'worker', '--queue', url, '--root', root, '--jobs', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

const later = (ms: number) => new Promise((go) => setTimeout(go, ms));

describe.runIf(HAS_REDIS)('a batch over Redis', () => {
  it('gives what a batch without gives, although workers die and Redis is started again', {
    timeout: 300_000,
  }, async () => {
    const [root, whole] = [smallArchive(), join(folder(), 'OUT')];
    await batch([root], whole);
    const [out, port, dir] = [join(folder(), 'OUT'), await freePort(), folder()];
    const url = `redis://127.0.0.1:${port}`;
    let server = await redis(port, dir);
    const [first, second, third] = [worker(url, '/'), worker(url, '/'), worker(url, '/')];
    const producer = spawn(process.execPath, [CLI, 'batch', root, '-o', out, '--queue', url], {
      stdio: 'pipe',
    });
    const ended = once(producer, 'exit');
    const queue = new Queue(QUEUE, { connection: connectionOf(url) });
    while ((await queue.getActiveCount()) === 0) await later(100);
    await queue.close();
    await later(1000);
    first.kill('SIGKILL');
    await later(500);
    server.kill('SIGTERM');
    await once(server, 'exit');
    await later(1000);
    server = await redis(port, dir);
    second.kill('SIGTERM');
    expect((await ended)[0]).toBe(2);
    expect(treeOf(out)).toEqual(treeOf(whole));
    third.kill('SIGTERM');
    await once(third, 'exit');
  });

  it('gives what a batch without gives, although a lock expires and its group is done twice', {
    timeout: 300_000,
  }, async () => {
    const [root, whole, out] = [folder(), join(folder(), 'OUT'), join(folder(), 'OUT')];
    for (const name of ['burst', 'answers-nothing', 'wrong-ack'])
      put(join(root, `${name}.pcap`), sample(`field/resets/${name}.pcap`));
    const { done } = await batch([root], whole);
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    await redis(port, folder());
    const queue = new Queue(QUEUE, { connection: connectionOf(url) });
    onTestFinished(() => queue.close());
    const first = worker(url, '/');
    const ended = batch([root], out, { queue: url });
    while ((await queue.getActiveCount()) === 0) await later(5);
    // what does the group too: else it ends while its worker stands still
    const stopped = [...childrenOf(first.pid!), first.pid!];
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    const second = worker(url, '/');
    expect(await ended).toMatchObject({ done, failed: 0 });
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    for (const child of [first, second]) child.kill('SIGTERM');
    await Promise.all([first, second].map((child) => child.exitCode ?? once(child, 'exit')));
    expect(treeOf(out)).toEqual(treeOf(whole));
    expect(await queue.getJobCounts('active', 'waiting', 'failed')).toMatchObject({
      active: 0,
      waiting: 0,
      failed: 0,
    });
  });

  it('counts damage as a batch without does, and waits for what it tries again', async () => {
    const [root, out, port] = [folder(), join(folder(), 'OUT'), await freePort()];
    put(join(root, 'cut.pcap'), sample('field/resets/burst.pcap').subarray(0, 300));
    const url = `redis://127.0.0.1:${port}`;
    await redis(port, folder());
    worker(url, '/');
    expect(await batch([root], out, { queue: url })).toMatchObject({ done: 1, failed: 0, damaged: 1 });
    const group = join(out, folderOfKey(planIn(out)[0]!.key));
    rmSync(group, { recursive: true });
    put(join(group, 'failure.json'), JSON.stringify({ message: 'of an earlier run', members: [] }));
    expect(await batch([root], out, { queue: url, retryFailed: true })).toMatchObject({ done: 1, failed: 0 });
  });

  it('says so when there is no Redis', async () => {
    const { status, stderr } = cli([
      'batch',
      smallArchive(),
      '-o',
      join(folder(), 'OUT'),
      '--queue',
      `redis://127.0.0.1:${await freePort()}`,
    ]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/Redis at 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/),
    ]);
  });
});

describe('a job is not trusted', () => {
  const group = {
    ...{ key: 'a'.repeat(64), place: 'x', reason: 'alone', why: '', bytes: 1, copies: [] },
    members: [{ file: '', inside: [], size: 1, hash: 'x', kind: 'capture' }],
  };
  const job = (root: string, file: string, more = {}) => ({
    ...{ version: VERSION, out: join(root, 'OUT'), options: { html: 'never', connections: 'problems' } },
    ...{
      limits: { memory: 1e9, time: 1e6 },
      groups: [{ ...group, members: [{ ...group.members[0], file }] }],
    },
    ...more,
  });

  it('when it is malformed, of another version, or leads out of the root', async () => {
    const root = folder();
    expect(await checked(job(root, join(root, 'a.pcap')), root)).toMatchObject({ version: VERSION });
    expect(await checked({ out: 'x' }, root)).toMatch(/malformed/);
    expect(await checked(job(root, join(root, 'a.pcap'), { version: '9' }), root)).toMatch(
      /of version 9, this worker/,
    );
    expect(await checked(job(root, '/etc/passwd'), root)).toMatch(/is not below --root/);
    expect(await checked(job(root, `${root}/../../etc/passwd`), root)).toMatch(/is not below --root/);
    expect(await checked(job(root, join(root, 'a.pcap'), { out: '/tmp/elsewhere' }), root)).toMatch(
      /is not below/,
    );
    const evil = job(root, join(root, 'a.pcap'));
    evil.groups[0]!.key = '../../../../etc';
    expect(await checked(evil, root)).toMatch(/malformed: groups\.0\.key/);
  });
});

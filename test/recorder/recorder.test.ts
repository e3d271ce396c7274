// The recorder built and run for real on this kernel. Skipped, with the reason in its name, where it cannot be built or run.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { PROVOKE } from '../capture/kit.ts';
import { attached, build, cannotRecord, ROOT, record, recorded, stop, until } from './kit.ts';

const why = cannotRecord();
const folder = why ? '' : mkdtempSync(join(tmpdir(), 'recorder-'));
const CONNECTIONS = join(import.meta.dirname, 'connections.py');
let binary = '';
const bundle = (name: string) => {
  mkdirSync(join(folder, name));
  return { dir: join(folder, name), out: join(folder, name, 'events.bin') };
};
const provoke = (port: number) => execFileSync('python3', [PROVOKE, String(port)]);
const connections = (port: number, n: number) =>
  execFileSync('python3', [CONNECTIONS, String(port), String(n)]);

describe.skipIf(why)(`the recorder on this kernel${why ? ` (skipped: ${why})` : ''}`, () => {
  beforeAll(() => {
    binary = build(join(folder, 'one'));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('built again, at another place, it has the same bytes; static, below 2 MB', () => {
    const place = join(folder, 'a place of another length');
    for (const part of ['bpf', 'capture/recorder', 'scripts', 'package.json'])
      cpSync(join(ROOT, part), join(place, part), { recursive: true });
    const again = readFileSync(build(join(folder, 'two'), place));
    expect(again.equals(readFileSync(binary))).toBe(true);
    expect(again.length).toBeLessThan(2_000_000);
    expect(spawnSync('ldd', [binary], { encoding: 'utf8' }).stderr).toContain('not a dynamic executable');
    const said = JSON.parse(readFileSync(`${binary}.json`, 'utf8'));
    expect(execFileSync('sha256sum', [binary], { encoding: 'utf8' })).toContain(said.sha256);
  }, 600_000);

  it('records resets with their unread bytes, and analyze proves them from its file alone', async () => {
    const { dir, out } = bundle('unread');
    const running = record(binary, ['-o', out, '--port', '8491']);
    await running.ready;
    provoke(8491);
    expect((await stop(running)).status).toBe(0);
    const { events, head, last, damage } = await recorded(dir);
    expect(damage).toEqual([]);
    for (const address of ['127.0.0.1', '::1']) {
      const closed = events.filter(
        (e) => e.kind === 'state' && e.from === 1 && e.to === 7 && e.l === address && e.rport === 8491,
      );
      expect(closed).toHaveLength(1);
      expect(closed[0]).toMatchObject({ unread: 90, comm: 'python3', shutdown: 3 });
      expect(events.find((e) => e.kind === 'reset-sent' && e.sk === closed[0]!.sk)).toMatchObject({
        state: 7,
        rport: 8491,
      });
    }
    const refused = events.filter(
      (e) =>
        e.kind === 'drop' && e.dport === 8491 && head.reasons.drop.names[String(e.reason)] === 'NO_SOCKET',
    );
    expect(refused.map((e) => e.at)).toEqual(['tcp_v4_rcv', 'tcp_v6_rcv']);
    expect(
      events.every((e) => [e.lport ?? e.sport, e.rport ?? e.dport].includes(8491) || e.rport === 0),
    ).toBe(true);
    expect(last).toMatchObject({
      status: 'end',
      emitted: events.length,
      lost: 0,
      problems: [],
      ended: { how: 'interrupted', by: 'SIGINT' },
    });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const rules = (await analyze([dir])).connections.map((c) => `${c.closeRule} ${c.closeConfidence}`);
    expect(rules.filter((r) => r === 'unread-data-reset proved')).toHaveLength(2);
    expect(await until(() => attached() === 0)).toBe(true);
  });

  it('filters by address inside the kernel', async () => {
    const { dir, out } = bundle('host');
    const running = record(binary, ['-o', out, '--port', '8492', '--host', '::1', '--host', '192.0.2.1']);
    await running.ready;
    provoke(8492);
    await stop(running);
    const { events } = await recorded(dir);
    expect(events.filter((e) => e.kind === 'state' && e.from === 1 && e.to === 7)).toHaveLength(2);
    expect(
      events.filter((e) => e.src === '127.0.0.1' || (e.l === '127.0.0.1' && e.r === '127.0.0.1')),
    ).toEqual([]);
  });

  it('attaches every tracepoint that the kernel has; what is missing is named with what the kernel said', async () => {
    const dry = JSON.parse(
      execFileSync(binary, ['--dry-run', '--port', '8491', '--host', '::1'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const pieces = dry.probes.attached.map((p: { piece: string }) => p.piece);
    for (const piece of [
      'state',
      'destroy',
      'reset-sent',
      'reset-received',
      'retransmit',
      'synack-retransmit',
      'drop',
    ])
      expect(pieces).toContain(piece);
    for (const { why } of dry.probes.missing)
      expect(why).toMatch(/fentry|kprobe|this kernel has no|not asked for/);
    expect(
      new Set([...pieces, ...dry.probes.missing.map((p: { piece: string }) => p.piece)]).size,
    ).toBeGreaterThan(25);
  });

  it('without BTF: what the tracepoints tell by themselves', async () => {
    const { dir, out } = bundle('plain');
    const running = record(
      binary,
      ['-o', out, '--port', '8493'],
      ['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /sys/kernel/btf/vmlinux; exec "$0" "$@"'],
    );
    await running.ready;
    provoke(8493);
    expect((await stop(running)).status).toBe(0);
    const { events, head } = await recorded(dir);
    const closed = events.filter((e) => e.kind === 'state' && e.from === 1 && e.to === 7 && e.rport === 8493);
    expect(closed.map((e) => e.l).sort()).toEqual(['127.0.0.1', '::1']);
    expect(closed[0]).not.toHaveProperty('unread');
    expect(events.filter((e) => e.kind === 'error' && e.error === 111)).toHaveLength(2);
    expect(head.probes.missing).toContainEqual({ piece: 'drop', why: expect.stringContaining('no BTF') });
    expect((await analyze([dir])).connections.map((c) => c.closeKind)).toContain('rst');
  });

  it.each([
    ['not root', ['setpriv', '--reuid', '65534', '--clear-groups'], /not root.*CAP_BPF/],
    ['root without CAP_BPF', ['setpriv', '--bounding-set=-bpf,-sys_admin'], /without CAP_BPF \(/],
  ])('%s: says so, and attaches nothing', async (name, before, word) => {
    const copy = join('/tmp', `recorder-${process.pid}`);
    execFileSync('install', ['-m', '755', binary, copy]);
    try {
      const { status, said } = await record(copy, ['-o', join('/tmp', `${name}.bin`)], before).ended;
      expect(status).toBe(125);
      expect(said).toMatch(word);
      expect(existsSync(join('/tmp', `${name}.bin`))).toBe(false);
    } finally {
      rmSync(copy);
    }
  });

  it('records with 8 MB of memory that may be locked', async () => {
    const { dir, out } = bundle('memlock');
    const running = record(
      binary,
      ['-o', out, '--port', '8494'],
      ['prlimit', '--memlock=8388608:8388608', '--'],
    );
    await running.ready;
    provoke(8494);
    expect((await stop(running)).status).toBe(0);
    expect((await recorded(dir)).events.length).toBeGreaterThan(30);
  });

  it('disk full: ends by itself, and what was written is whole and says so', async () => {
    const { dir } = bundle('full');
    const script = `mount -t tmpfs -o size=1500k tmpfs ${dir}; "$0" "$@"; status=$?; cp ${dir}/events.bin ${folder}/full.bin; exit $status`;
    const running = record(
      binary,
      ['-o', join(dir, 'events.bin'), '--port', '8495'],
      ['unshare', '-m', 'sh', '-c', script],
    );
    await running.ready;
    connections(8495, 3000);
    const { status, said } = await running.ended;
    expect(status).toBe(125);
    expect(said).toContain('No space left on device');
    execFileSync('cp', [join(folder, 'full.bin'), join(dir, 'events.bin')]);
    const { last, damage, events } = await recorded(dir);
    expect(damage).toEqual([]);
    expect(events.length).toBeGreaterThan(3000);
    expect(last.ended).toEqual({ how: 'failed', by: 'disk-full' });
    expect(last.emitted).toBeGreaterThan(events.length);
  });

  it('a second one: both record, both know; one file takes one', async () => {
    const [one, other] = [bundle('first'), bundle('second')];
    const running = record(binary, ['-o', one.out, '--port', '8496']);
    await running.ready;
    expect(await record(binary, ['-o', one.out]).ended).toMatchObject({
      status: 125,
      said: expect.stringContaining('is being written by another recorder'),
    });
    const second = record(binary, ['-o', other.out, '--port', '8496']);
    await second.ready;
    provoke(8496);
    await stop(second);
    await stop(running);
    const [a, b] = [await recorded(one.dir), await recorded(other.dir)];
    expect(b.last.problems[0]).toContain('another recorder is running');
    expect(a.events.length).toBe(b.events.length);
  });

  it('killed with -9: nothing stays attached, and what was written is read', async () => {
    const { dir, out } = bundle('killed');
    const running = record(binary, ['-o', out, '--port', '8497']);
    await running.ready;
    provoke(8497);
    // records are on the disk within two seconds
    await new Promise((done) => setTimeout(done, 2500));
    await stop(running, 'SIGKILL');
    expect(await until(() => attached() === 0)).toBe(true);
    const { last, events } = await recorded(dir);
    expect(last.ended).toBeUndefined();
    expect(events.length).toBeGreaterThan(30);
    const { diagnostics } = await analyze([dir]);
    expect(diagnostics.map((d) => d.code)).toContain('events-cut-off');
  });

  it('stopped for a while: what did not fit is counted, by kind, and the silence is named', async () => {
    const { dir, out } = bundle('stopped');
    const running = record(binary, ['-o', out, '--port', '8498', '--buffer', '256K']);
    await running.ready;
    running.child.kill('SIGSTOP');
    connections(8498, 1000);
    await new Promise((done) => setTimeout(done, 5500));
    running.child.kill('SIGCONT');
    await new Promise((done) => setTimeout(done, 500));
    const { said } = await stop(running);
    expect(said).toContain('events were lost');
    const { last, events } = await recorded(dir);
    expect(last.lost).toBeGreaterThan(1000);
    expect(last.emitted).toBe(events.length + last.lost);
    expect(last.problems.join()).toContain('did not run for');
    const { diagnostics } = await analyze([dir]);
    expect(diagnostics.find((d) => d.code === 'events-lost')?.count).toBe(last.lost);
  });

  it('a burst of 20,000 events is whole', async () => {
    const { dir, out } = bundle('burst');
    const running = record(binary, ['-o', out, '--port', '8499']);
    await running.ready;
    connections(8499, 1500);
    await stop(running);
    const { last, events, damage } = await recorded(dir);
    expect(damage).toEqual([]);
    expect(last.lost).toBe(0);
    expect(events.length).toBe(last.emitted);
    expect(events.filter((e) => e.kind === 'state' && e.from === 2 && e.to === 1)).toHaveLength(1500);
    expect(statSync(out).size / events.length).toBeLessThan(200);
  });

  it('ends before its file is larger than it may be', async () => {
    const { dir, out } = bundle('small');
    const running = record(binary, ['-o', out, '--port', '8500', '--max-size', '1M']);
    await running.ready;
    connections(8500, 2000);
    expect((await running.ended).status).toBe(0);
    expect(statSync(out).size).toBeLessThanOrEqual(1 << 20);
    expect((await recorded(dir)).last.ended).toEqual({ how: 'complete', by: 'max-size' });
  });
});

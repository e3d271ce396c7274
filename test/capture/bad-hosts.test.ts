// Hosts that lack something, or lose it while a capture runs: a clear word, nothing left attached, and the rest is read.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { attached, record, recorded, until } from '../recorder/kit.ts';
import {
  cannotCapture,
  has,
  leftRunning,
  manifestOf,
  PROVOKE,
  ROOT,
  SCRIPT,
  start,
  temporary,
} from './kit.ts';

const why = cannotCapture() ?? (has('ip') ? null : 'no ip');
const folder = why ? '' : temporary();
const bundle = (name: string) => join(folder, name);
const machine = why ? '' : execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
const BINARY = join(ROOT, 'dist/recorder', machine, 'tcpautopsy-record');
/** Words in front of a command, which then runs in a mount namespace where that was done. */
const where = (done: string) => ['unshare', '-m', 'sh', '-c', `${done}; exec "$0" "$@"`];
const gone = async (dir: string) =>
  (await until(() => leftRunning(dir).length === 0)) || (await until(() => leftRunning(dir).length === 0));

describe.skipIf(why)(`bad hosts${why ? ` (skipped: ${why})` : ''}`, () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('no tcpdump: the events are recorded, and it says so', async () => {
    const dir = bundle('no-tcpdump');
    const hidden = where('mount --bind /dev/null "$(command -v tcpdump)"');
    const words = ['-o', dir, '--port', '8521', '--', 'python3', PROVOKE, '8521'];
    const { status, stderr } = await start(words, hidden).ended;
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('no packets: no tcpdump on this host');
    const { connections, diagnostics } = await analyze([dir]);
    expect(connections.filter((c) => c.closeRule === 'unread-data-reset')).toHaveLength(2);
    expect(diagnostics.filter((d) => d.severity !== 'info').map((d) => d.message)).toEqual([
      'no packets: no tcpdump on this host',
    ]);
  });

  it('neither BTF nor tracefs: the tracepoints tell what they can, and no mount is left', async () => {
    const dir = bundle('no-tracefs');
    mkdirSync(dir);
    const mounts = readFileSync('/proc/mounts', 'utf8');
    const bare = where(
      'mount --bind /dev/null /sys/kernel/btf/vmlinux; umount -l /sys/kernel/debug/tracing /sys/kernel/tracing 2>/dev/null; umount -l /sys/kernel/debug 2>/dev/null; [ ! -e /sys/kernel/tracing/events ]',
    );
    const running = record(BINARY, ['-o', join(dir, 'events.bin'), '--port', '8522'], bare);
    await running.ready;
    execFileSync('python3', [PROVOKE, '8522']);
    running.child.kill('SIGINT');
    const { status, said } = await running.ended;
    expect(status, said).toBe(0);
    const { events, head } = await recorded(dir);
    expect(events.filter((e) => e.kind === 'state').length).toBeGreaterThan(8);
    expect(head.probes.missing).toContainEqual({ piece: 'drop', why: expect.stringContaining('no BTF') });
    expect(readFileSync('/proc/mounts', 'utf8')).toBe(mounts);
  });

  it('not root: the script says so before it writes anything', () => {
    const dir = bundle('not-root');
    execFileSync('chmod', ['755', folder]);
    const { status, stderr } = spawnSync(
      'setpriv',
      ['--reuid', '65534', '--clear-groups', SCRIPT, '-o', dir],
      {
        encoding: 'utf8',
      },
    );
    expect(status).toBe(125);
    expect(stderr).toContain('not root: run it with sudo, or give it CAP_BPF, CAP_PERFMON and CAP_NET_RAW');
    expect(existsSync(dir)).toBe(false);
  });

  it('two at once: into one folder the second does not go, into another both record', async () => {
    const [dir, other] = [bundle('taken'), bundle('free')];
    const first = start(['-o', dir, '--port', '8526']);
    await first.ready;
    const refused = await start(['-o', dir, '--port', '8526']).ended;
    expect(refused.status).toBe(125);
    expect(refused.stderr).toContain(`a capture is running in ${dir} already (process ${first.child.pid})`);
    const second = await start(['-o', other, '--port', '8526', '--', 'python3', PROVOKE, '8526']).ended;
    expect(second.status, second.stderr).toBe(0);
    first.child.kill('SIGTERM');
    await first.ended;
    for (const one of [dir, other]) expect((await analyze([one])).connections).toHaveLength(4);
  }, 120_000);

  it('a tcpdump that does not end when told to is killed, and named', async () => {
    const dir = bundle('stopped');
    const command = `python3 ${PROVOKE} 8527; kill -STOP $(cat ${dir}/.work/packets.pid)`;
    const { status, stderr } = await start(['-o', dir, '--port', '8527', '--', 'sh', '-c', command]).ended;
    expect(status).toBe(0);
    expect(stderr).toContain('tcpdump did not end within 15 s of being told to and was killed');
    expect(await gone(dir)).toBe(true);
    const { connections, diagnostics } = await analyze([dir]);
    expect(connections.filter((c) => c.closeRule === 'unread-data-reset')).toHaveLength(2);
    expect(diagnostics.map((d) => d.message).join()).toContain('tcpdump did not end');
  }, 120_000);

  it('a recorder of another machine: the packets are recorded, and it says what the kernel said', async () => {
    const place = bundle('other-machine');
    mkdirSync(join(place, 'recorder', machine), { recursive: true });
    execFileSync('cp', ['-r', join(ROOT, 'capture'), place]);
    const bytes = readFileSync(BINARY);
    bytes.writeUInt16LE(0xf3, 18); // RISC-V
    const other = join(place, 'recorder', machine, 'tcpautopsy-record');
    writeFileSync(other, bytes);
    chmodSync(other, 0o755);
    const dir = bundle('other-machine-bundle');
    const words = ['-o', dir, '--port', '8523', '--', 'python3', PROVOKE, '8523'];
    const { status, stderr } = spawnSync(join(place, 'capture/tcpautopsy-capture'), words, {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/no events of the kernel: .*Exec format error/);
    expect((await analyze([dir])).connections).toHaveLength(4);
  });

  it('a network namespace that goes away takes its interface along, and that is said; with -i any it goes on', async () => {
    const netns = `capture-gone-${process.pid}`;
    const inside = ['ip', 'netns', 'exec', netns];
    for (const words of [[], ['-i', 'eth0']]) {
      execFileSync('ip', ['netns', 'add', netns]);
      execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
      execFileSync('ip', ['-n', netns, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1']);
      execFileSync('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
      const dir = bundle(`gone${words.length}`);
      const run = start(['-o', dir, '--port', '8524', ...words], inside);
      await run.ready;
      execFileSync('ip', ['netns', 'exec', netns, 'python3', PROVOKE, '8524']);
      execFileSync('ip', ['-n', netns, 'link', 'del', 'eth0']);
      execFileSync('ip', ['netns', 'del', netns]);
      if (words.length === 0) run.child.kill('SIGTERM');
      const { status, stderr } = await run.ended;
      expect(status, stderr).toBe(words.length === 0 ? 0 : 125);
      const { ended, problems } = manifestOf(dir);
      expect(ended.by).toBe(words.length === 0 ? 'SIGTERM' : 'tcpdump');
      if (words.length > 0) expect(problems.join()).toMatch(/tcpdump ended by itself: .*interface/i);
      expect(await gone(dir)).toBe(true);
      const resets = (await analyze([dir])).connections.filter((c) => c.closeRule === 'unread-data-reset');
      expect(resets.length).toBeGreaterThanOrEqual(2);
    }
  }, 120_000);

  it.each([0, 30, 100, 300, 700, 1500, 3000])(
    'killed with -9 %i ms after its start: nothing stays attached, nothing runs on, what is there is read',
    async (after) => {
      const [dir, one] = [bundle(`killed-${after}`), bundle(`killed-alone-${after}`)];
      const before = attached();
      const run = start(['-o', dir, '--port', '8525']);
      mkdirSync(one);
      const alone = record(BINARY, ['-o', join(one, 'events.bin'), '--port', '8525']);
      await new Promise((done) => setTimeout(done, after));
      run.child.kill('SIGKILL');
      alone.child.kill('SIGKILL');
      await Promise.all([run.ended, alone.ended]);
      let tries = 3;
      while (tries-- > 0 && !(await gone(dir)));
      expect(leftRunning(dir)).toEqual([]);
      expect(await until(() => attached() <= before)).toBe(true);
      for (const left of [dir, one].filter((d) => existsSync(join(d, 'events.bin'))))
        await expect(analyze([left])).resolves.toMatchObject({ connections: [] });
    },
    120_000,
  );
});

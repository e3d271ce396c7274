// The capture for real, on this kernel. Skipped, with the reason in its name, where nothing can be captured.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { recorded } from '../recorder/kit.ts';
import {
  cannotCapture,
  eventsOf,
  has,
  leftRunning,
  linesOf,
  manifestOf,
  PROVOKE,
  ROOT,
  SCRIPT,
  start,
  temporary,
} from './kit.ts';

const why = cannotCapture();
const SHELLS = [['dash'], ['busybox', 'ash'], ['bash']].filter(([shell]) => has(shell!));
const folder = why ? '' : temporary();
const bundle = (name: string) => join(folder, name);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Mounts a capture could have left; others of this machine come and go. */
function tracingMounts(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => / (tracefs|debugfs|bpf) /.test(line));
}

describe.skipIf(why)(`the capture on this kernel${why ? ` (skipped: ${why})` : ''}`, () => {
  it.each(['any', 'lo'])('has every packet from the first on (-i %s)', async (name) => {
    const dir = bundle(`first-${name}`);
    const program = `import socket
l = socket.socket(); l.bind(('127.0.0.1', 8489)); l.listen(9)
for _ in range(5):
    c = socket.create_connection(('127.0.0.1', 8489)); a = l.accept()[0]; c.close(); a.recv(1); a.close()`;
    await start(['-o', dir, '-i', name, '--port', '8489', '--', 'python3', '-c', program]).ended;
    const { connections } = await analyze([join(dir, 'packets.pcap')]);
    expect(connections.map((c) => [c.closeKind, c.history[0]])).toEqual(Array(5).fill(['fin', 'S']));
  });

  it('records a reset with its unread bytes, over IPv4 and IPv6, and the refusal after it', async () => {
    const dir = bundle('unread');
    const { status } = await start(['-o', dir, '--port', '8471', '--', 'python3', PROVOKE, '8471']).ended;
    expect(status).toBe(0);
    const events = await eventsOf(dir);
    for (const address of ['127.0.0.1', '::1']) {
      const closed = events.filter(
        (e) =>
          e.kind === 'state' &&
          e.from === '1' &&
          e.to === '7' &&
          e.l!.endsWith(address) &&
          e.rport === '8471',
      );
      expect(closed).toHaveLength(1);
      if (closed[0]!.unread !== undefined)
        expect(closed[0]).toMatchObject({ unread: '90', comm: 'python3', shutdown: '3' });
      expect(Number(closed[0]!.ns ?? 4026531840)).toBeGreaterThanOrEqual(4026531833);
      const reset = events.find((e) => e.kind === 'reset-sent' && e.sk === closed[0]!.sk);
      expect(reset).toMatchObject({ state: '7', lport: closed[0]!.lport, rport: '8471' });
    }
    const manifest = manifestOf(dir);
    const { head, last } = await recorded(dir);
    const refused = events.filter(
      (e) => e.kind === 'drop' && e.dport === '8471' && head.reasons.drop.names[e.reason!] === 'NO_SOCKET',
    );
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ at: 'tcp_v4_rcv', flags: '2', len: '0', sk: '0' });
    expect(
      events.every((e) => !('lport' in e) || [e.lport, e.rport].includes('8471') || e.rport === '0'),
    ).toBe(true);

    expect(manifest).toMatchObject({
      schema: 'tcpautopsy-capture/1',
      problems: [],
      events: { file: 'events.bin' },
      packets: { dropped_by_kernel: 0 },
    });
    expect(manifest.ended).toMatchObject({ how: 'complete', by: 'command', command_status: 0 });
    expect(last).toMatchObject({ status: 'end', emitted: events.length, lost: 0, ended: { by: 'SIGTERM' } });
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir).sort()).toEqual([
      'counters.jsonl',
      'events.bin',
      'manifest.json',
      'packets.pcap',
      'sockets.jsonl',
      'sysctl.txt',
    ]);
    expect(readFileSync(join(dir, 'sysctl.txt'), 'utf8')).toMatch(/^net\.ipv4\.tcp_fin_timeout = \d+$/m);
  });

  it('filters by address, and lets no other address pass', async () => {
    const dir = bundle('host');
    const run = await start([
      '-o',
      dir,
      '--port',
      '8486',
      '--host',
      '::1',
      '--host',
      '192.0.2.1',
      '--',
      'python3',
      PROVOKE,
      '8486',
    ]).ended;
    expect(run.status, run.stderr).toBe(0);
    const events = await eventsOf(dir);
    const states = events.filter((e) => e.kind === 'state');
    expect(states.filter((e) => e.l === '::1' && e.from === '1' && e.to === '7')).toHaveLength(2);
    expect(states.filter((e) => e.l!.includes('127.0.0.1') && e.r!.includes('127.0.0.1'))).toEqual([]);
    expect(events.filter((e) => e.src === '127.0.0.1')).toEqual([]);
  });

  it('ties the clocks together: every anchor admits the same offset, and the packets fall within the events', async () => {
    const dir = bundle('unread');
    const { statuses, events } = await recorded(dir);
    expect(statuses.map((s) => s.status)).toEqual(['start', 'end']);
    expect(manifestOf(dir).clock.anchors.map((a: { when: string }) => a.when)).toEqual(['start', 'stop']);
    const anchors = [...statuses.map((s) => s.anchor), ...manifestOf(dir).clock.anchors];
    let low = -Infinity;
    let high = Infinity;
    const base = BigInt(anchors[0].realtime_ns) - BigInt(anchors[0].event_ns);
    for (const { event_ns, realtime_ns, uncertainty_ns } of anchors) {
      const offset = Number(BigInt(realtime_ns) - BigInt(event_ns) - base);
      low = Math.max(low, offset - uncertainty_ns);
      high = Math.min(high, offset + uncertainty_ns);
    }
    expect(low).toBeLessThanOrEqual(high);
    const pcap = readFileSync(join(dir, 'packets.pcap'));
    expect(pcap.readUInt32LE(0)).toBe(0xa1b23c4d); // nanoseconds
    const first = BigInt(pcap.readUInt32LE(24)) * 1_000_000_000n + BigInt(pcap.readUInt32LE(28)) - base;
    const synSent = events.find((e) => e.kind === 'state' && e.to === 2);
    expect(Math.abs(Number(first - BigInt(synSent!.t!)))).toBeLessThan(2_000_000);
  });

  it('tables: counters that rise, whole at both ends; sockets with their head line', () => {
    const dir = bundle('unread');
    const counters = linesOf(join(dir, 'counters.jsonl'));
    expect(counters[0]).toMatchObject({ when: 'start', full: true });
    expect(counters.at(-1)).toMatchObject({ when: 'stop', full: true });
    const rise = (name: string) => counters.at(-1).values[name] - counters[0].values[name];
    expect(rise('TcpOutRsts')).toBeGreaterThanOrEqual(4);
    expect(rise('TcpExtTCPAbortOnClose')).toBeGreaterThanOrEqual(2);
    if (!has('ss')) return;
    const sockets = linesOf(join(dir, 'sockets.jsonl'));
    const heads = sockets.filter((line) => 'rows' in line);
    expect(heads.map((head) => head.when)).toEqual(['start', 'stop']);
    for (const head of heads) {
      expect(head.filter).toBe('sport = :8471 or dport = :8471');
      expect(sockets.filter((line) => line.snapshot === head.snapshot && 'line' in line)).toHaveLength(
        head.rows + 1,
      );
    }
  });

  it('a process name forges nothing', async () => {
    const dir = bundle('forged');
    const names = ['{"x":1}\\n', 'end t=1 comm=x', '\\xff\\x1b[2J', '"\\\\'];
    const commands = names.map((name, i) => `python3 ${PROVOKE} ${8472 + i} '${name}'`);
    const ports = names.flatMap((_, i) => ['--port', String(8472 + i)]);
    await start(['-o', dir, ...ports, '--', 'sh', '-c', commands.join('\n')]).ended;
    const events = await eventsOf(dir);
    for (const [i, name] of names.entries()) {
      const comm = events.find((e) => e.kind === 'state' && e.to === '10' && e.lport === String(8472 + i))!
        .comm!;
      expect(comm.replace(/\ufffd/g, '\xff')).toBe(
        JSON.parse(`"${name.replace(/"/g, '\\"').replace(/\\x(..)/g, '\\u00$1')}"`),
      );
    }
    expect((await recorded(dir)).last.emitted).toBe(events.length);
  });

  it.each(SHELLS.map((shell, i) => [shell.join(' '), i % 2 ? 'SIGTERM' : 'SIGINT', shell] as const))(
    '%s: %s ends it within two seconds, and nothing is left',
    async (_, signal, shell) => {
      const dir = bundle(`stopped-${shell[0]}`);
      const run = start(['-o', dir, '--port', '8473'], [...shell]);
      await run.ready;
      const asked = Date.now();
      run.child.kill(signal);
      const { status, at } = await run.ended;
      expect(status).toBe(0);
      expect(at - asked).toBeLessThan(SLACK * 2000);
      expect(manifestOf(dir).ended).toMatchObject({ how: 'interrupted', by: signal });
      expect(readdirSync(dir)).not.toContain('.work');
      await settled(dir);
      expect((await recorded(dir)).last.status).toBe('end');
    },
  );

  it('COMMAND has the environment, umask, directory and standard input of the caller', () => {
    const probe = 'umask; pwd; env | grep -vE "^(_|PWD|OLDPWD|SHLVL)=" | sort; cat';
    const options = {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin:/usr/sbin', TZ: 'Asia/Tokyo' },
      input: 'words',
      encoding: 'utf8',
    } as const;
    const alone = spawnSync('sh', ['-c', probe], options).stdout;
    const captured = spawnSync(SCRIPT, ['-o', bundle('environment'), '--', 'sh', '-c', probe], options);
    expect(captured.stdout).toBe(alone);
  });

  it('a signal ends COMMAND too', async () => {
    const dir = bundle('command');
    const run = start(['-o', dir, '--port', '8473', '--', 'sh', '-c', `trap '' INT; exec sleep 617`]);
    await run.ready;
    run.child.kill('SIGTERM');
    expect((await run.ended).status).toBe(143);
    expect(spawnSync('pgrep', ['-fx', 'sleep 617']).status).toBe(1);
  });

  it('killed with -9, its children end by themselves and the bundle stays readable', async () => {
    const dir = bundle('killed');
    const run = start(['-o', dir, '--port', '8474', '--duration', '30']);
    await run.ready;
    execFileSync('python3', [PROVOKE, '8474']);
    run.child.kill('SIGKILL');
    await settled(dir);
    expect(manifestOf(dir).ended).toBeNull();
    expect((await recorded(dir)).last.status).toBe('end');
    expect(readdirSync(dir)).not.toContain('.work');
  });

  it('returns the exit status of COMMAND, 125 when the capture fails, and says what failed', async () => {
    const dir = bundle('status');
    expect((await start(['-o', dir, '--', 'sh', '-c', 'exit 7']).ended).status).toBe(7);
    expect((await start(['-o', dir, '--', 'sh', '-c', 'kill -9 $$']).ended).status).toBe(137);
    const failed = await start(['-o', dir, '-i', 'nosuch0', '--', 'true']).ended;
    expect(failed.status).toBe(125);
    expect(manifestOf(dir).ended).toMatchObject({ how: 'failed', by: 'tcpdump' });
    expect(manifestOf(dir).problems.join()).toContain('nosuch0');
    const foreign = bundle('foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'mine.txt'), 'mine');
    expect((await start(['-o', foreign]).ended).status).toBe(125);
    expect(readdirSync(foreign)).toEqual(['mine.txt']);
  }, 120_000);

  it('runs in a network namespace, where tracefs is not mounted, and leaves no mount', async () => {
    const netns = `capture-test-${process.pid}`;
    execFileSync('ip', ['netns', 'add', netns]);
    try {
      execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
      const mounts = tracingMounts();
      const dir = bundle('netns');
      const { status, stderr } = await start(
        ['-o', dir, '--port', '8475', '--', 'python3', PROVOKE, '8475'],
        ['ip', 'netns', 'exec', netns],
      ).ended;
      expect(status, stderr).toBe(0);
      const inner = manifestOf(dir).netns;
      expect(inner).not.toBe(
        Number(/\d+/.exec(execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }))![0]),
      );
      const states = (await eventsOf(dir)).filter((e) => e.kind === 'state');
      expect(states.length).toBeGreaterThan(8);
      expect(states.every((e) => e.ns === undefined || e.ns === String(inner))).toBe(true);
      expect(tracingMounts()).toEqual(mounts);
    } finally {
      execFileSync('ip', ['netns', 'del', netns]);
    }
  });

  it('stops before the folder is larger than --max-size, and lets COMMAND go on', async () => {
    const dir = bundle('size');
    const grow = `while [ ! -e ${dir}/filler9 ]; do head -c 300000 /dev/zero > ${dir}/filler$((n += 1)); sleep 0.3; done; exit 3`;
    const { status, stderr } = await start(['-o', dir, '--max-size', '2M', '--', 'sh', '-c', grow]).ended;
    expect(manifestOf(dir).ended).toMatchObject({ how: 'complete', by: 'max-size', command_status: 3 });
    expect(stderr).toContain('COMMAND goes on');
    expect(status).toBe(3);
  });

  it('a full disk ends it, and the manifest that says so is whole', async () => {
    const disk = bundle('disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1500k', 'tmpfs', disk]);
    try {
      const dir = join(disk, 'b');
      const run = start(['-o', dir, '--port', '8477']);
      await run.ready;
      spawnSync('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=1k'], { stdio: 'ignore' });
      const { status } = await run.ended;
      expect(status).toBe(125);
      expect(manifestOf(dir).ended).toMatchObject({ how: 'failed', by: 'disk-full' });
      await settled(dir);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it.each(['recorder', 'packets'])('when its %s is killed it ends, and says so', async (victim) => {
    const dir = bundle(`without-${victim}`);
    const run = start(['-o', dir, '--port', '8480']);
    await run.ready;
    process.kill(Number(readFileSync(join(dir, '.work', `${victim}.pid`), 'utf8')), 'SIGKILL');
    expect((await run.ended).status).toBe(125);
    const { ended, problems } = manifestOf(dir);
    const tool = victim === 'recorder' ? 'tcpautopsy-record' : 'tcpdump';
    expect(ended).toMatchObject({ how: 'failed', by: tool });
    expect(problems).toContain(`${tool} was killed by signal 9`);
    await settled(dir);
  });

  it('--dry-run writes nothing, and lists what it would attach and run', async () => {
    const { stdout, status } = spawnSync(
      join(ROOT, 'capture/tcpautopsy-capture'),
      ['--dry-run', '--port', '8478', '--', 'echo', 'hello'],
      { encoding: 'utf8' },
    );
    expect(status).toBe(0);
    expect(stdout).toContain('tp_btf:inet_sock_set_state');
    expect(stdout).toContain('tcp and (port 8478)');
    expect(stdout).toContain('echo hello');
  });

  it('flight recorder: a trigger keeps what was before it, once; --freeze keeps what there is; SIGTERM leaves the bundles', async () => {
    const dir = bundle('flight 100%d');
    const run = start(['-o', dir, '--port', '8481', '--ring', '1m', '--trigger', 'resets+2']);
    await run.ready;
    // two of its segments
    await new Promise((done) => setTimeout(done, 13_000));
    execFileSync('python3', [PROVOKE, '8481']);
    expect((await start(['-o', dir, '--ring', '1m']).ended).stderr).toContain('is running in');
    for (let i = 0; i < 60 && bundlesOf(dir).length === 0; i++)
      await new Promise((done) => setTimeout(done, 1000));
    const frozen = spawnSync(SCRIPT, ['-o', dir, '--freeze'], { encoding: 'utf8' });
    expect(frozen.status, frozen.stderr).toBe(0);
    run.child.kill('SIGTERM');
    expect((await run.ended).status).toBe(0);
    expect(readdirSync(dir)).not.toContain('.ring');
    const bundles = bundlesOf(dir);
    expect(bundles.map((name) => name.slice(21))).toEqual(['resets+2', 'SIGUSR1']);
    expect(frozen.stdout.trim()).toBe(join(dir, bundles[1]!));
    for (const name of bundles) {
      const { connections, diagnostics } = await analyze([join(dir, name)]);
      expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
      expect(connections.map((c) => `${c.closeRule} ${c.closeConfidence}`).sort()).toEqual([
        'connection-refused proved',
        'connection-refused proved',
        'unread-data-reset proved',
        'unread-data-reset proved',
      ]);
    }
    expect(manifestOf(join(dir, bundles[0]!)).trigger).toMatchObject({
      by: 'resets+2',
      what: expect.stringMatching(/^resets rose by \d+ in/),
    });
    const { statuses } = await recorded(join(dir, bundles[0]!));
    expect(statuses.filter((s) => s.status === 'start').length).toBeGreaterThan(2);
    await settled(dir);
  }, 150_000);

  it('without the recorder the other half is recorded, and it says so', async () => {
    const place = bundle('half');
    mkdirSync(place);
    execFileSync('cp', ['-r', join(ROOT, 'capture'), place]);
    const dir = bundle('half-bundle');
    const run = spawnSync(
      join(place, 'capture/tcpautopsy-capture'),
      ['-o', dir, '--port', '8482', '--', 'python3', PROVOKE, '8482'],
      { encoding: 'utf8' },
    );
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain('no events of the kernel: no tcpautopsy-record');
    const { connections, diagnostics } = await analyze([dir]);
    expect(connections).toHaveLength(4);
    expect(diagnostics.filter((d) => d.severity !== 'info').map((d) => d.code)).toEqual(['capture-problem']);
  });

  const hierarchy = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((d) =>
    existsSync(join(d, 'cgroup.procs')),
  );
  it.skipIf(!hierarchy)('names the container and pod of a socket, by its cgroup and by --names', async () => {
    const id = process.pid.toString(16).padStart(64, 'c');
    const uid = '3f1c9d4e-12ab-4cde-8f00-0123456789ab';
    const cgroup = join(
      hierarchy!,
      `kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`,
    );
    mkdirSync(cgroup, { recursive: true });
    try {
      const dir = bundle('pod');
      const inside = `echo $$ > ${cgroup}/cgroup.procs; exec python3 ${PROVOKE} 8483`;
      expect((await start(['-o', dir, '--port', '8483', '--', 'sh', '-c', inside]).ended).status).toBe(0);
      const places = async (names?: Map<string, string>) => {
        const { connections } = await analyze([dir], names ? { names } : {});
        const reset = connections.find((c) => c.closeRule === 'unread-data-reset')!;
        return [reset.clientContainer, reset.clientPod, reset.serverContainer, reset.serverPod];
      };
      const short = id.slice(0, 12);
      expect(await places()).toEqual([short, uid, short, uid]);
      expect(await places(new Map([[short, 'web']]))).toEqual(['web', uid, 'web', uid]);
    } finally {
      execFileSync('rmdir', [cgroup, join(cgroup, '..')]);
    }
  });

  it('is a kit: the two folders run from anywhere', async () => {
    const place = bundle('a place with blanks');
    mkdirSync(place);
    execFileSync('sh', [
      '-c',
      `tar -C '${ROOT}' -cf - capture -C '${ROOT}/dist' recorder | tar -C '${place}' -xf -`,
    ]);
    symlinkSync(join(place, 'capture/tcpautopsy-capture'), bundle('link'));
    const dir = bundle('from-kit');
    const { status } = spawnSync(
      bundle('link'),
      ['-o', dir, '--port', '8479', '--', 'python3', PROVOKE, '8479'],
      { cwd: '/' },
    );
    expect(status).toBe(0);
    expect(existsSync(join(dir, 'packets.pcap'))).toBe(true);
  });
});

/** A loaded machine with two cores runs all of this beside other tests: more time where more processes want to run. */
const SLACK = Math.max(2, (2 * loadavg()[0]!) / cpus().length);

/** Bundles of a flight recorder, in the order of time. */
const bundlesOf = (dir: string) =>
  readdirSync(dir)
    .filter((name) => existsSync(join(dir, name, 'manifest.json')) && !name.startsWith('.'))
    .sort();

async function settled(dir: string) {
  // what ends last takes its working folder away
  const isBusy = () => leftRunning(dir).length > 0 || existsSync(join(dir, '.work'));
  for (let i = 0; i < 120 && isBusy(); i++) await new Promise((done) => setTimeout(done, 100));
  expect(leftRunning(dir)).toEqual([]);
}

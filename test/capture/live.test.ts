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
  it('records a reset with its unread bytes, over IPv4 and IPv6, and the refusal after it', async () => {
    const dir = bundle('unread');
    const { status } = await start(['-o', dir, '--port', '8471', '--', 'python3', PROVOKE, '8471']).ended;
    expect(status).toBe(0);
    const events = eventsOf(dir);
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
    const reasons = JSON.parse(readFileSync(join(dir, 'reasons.json'), 'utf8'));
    const refused = events.filter(
      (e) => e.kind === 'drop' && e.dport === '8471' && reasons.drop.names[e.reason!] === 'NO_SOCKET',
    );
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ at: 'tcp_v4_rcv', flags: '02', len: '0', sk: '0' });
    expect(
      events.every((e) => !('lport' in e) || [e.lport, e.rport].includes('8471') || e.rport === '0'),
    ).toBe(true);

    expect(manifest).toMatchObject({
      schema: 'tcpautopsy-capture/1',
      problems: [],
      events: { lost: 0 },
      packets: { dropped_by_kernel: 0 },
    });
    expect(manifest.ended).toMatchObject({ how: 'complete', by: 'command', command_status: 0 });
    const counted = events.filter(
      (e) => !['begin', 'tick', 'end', 'date-exec', 'date-exit'].includes(e.kind!),
    );
    expect(manifest.events.emitted).toBe(counted.length);
    expect(events.at(-1)!.kind).toBe('end');
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir).sort()).toEqual([
      'counters.jsonl',
      'events.jsonl',
      'manifest.json',
      'packets.pcap',
      'reasons.json',
      'sockets.jsonl',
      'sysctl.txt',
    ]);
    expect(readFileSync(join(dir, 'sysctl.txt'), 'utf8')).toMatch(/^net\.ipv4\.tcp_fin_timeout = \d+$/m);
  });

  it('attaches every tracepoint here, also with addresses to filter by, and lets no other address pass', async () => {
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
    const { attached, missing } = manifestOf(dir).probes;
    expect(
      missing.filter(
        (m: { piece: string; why: string }) =>
          m.piece.startsWith('tracepoints/') && !m.why.startsWith('this kernel has no'),
      ),
    ).toEqual([]);
    const events = eventsOf(dir);
    const states = events.filter((e) => e.kind === 'state');
    expect(states.filter((e) => e.l === '::1' && e.from === '1' && e.to === '7')).toHaveLength(2);
    if (attached.some((p: { piece: string; btf: boolean }) => p.piece === 'tracepoints/state.bt' && p.btf)) {
      expect(states.filter((e) => e.l!.includes('127.0.0.1') && e.r!.includes('127.0.0.1'))).toEqual([]);
    }
    expect(events.filter((e) => e.src === '127.0.0.1')).toEqual([]);
  });

  it('ties the clocks together: every anchor admits the same offset, and the packets fall within the events', () => {
    const dir = bundle('unread');
    const { anchors } = manifestOf(dir).clock;
    expect(new Set(anchors.map((a: { when: string }) => a.when))).toEqual(new Set(['start', 'stop']));
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
    const synSent = eventsOf(dir).find((e) => e.kind === 'state' && e.to === '2');
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
    const events = eventsOf(dir);
    for (const [i, name] of names.entries()) {
      const comm = events.find((e) => e.kind === 'state' && e.to === '10' && e.lport === String(8472 + i))!
        .comm!;
      const bytes = comm.replace(/\uffffff(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      expect(bytes.replace(/\ufffd/g, '\xff')).toBe(
        JSON.parse(`"${name.replace(/"/g, '\\"').replace(/\\x(..)/g, '\\u00$1')}"`),
      );
    }
    expect(events.filter((e) => e.kind === 'end')).toHaveLength(1);
    expect(manifestOf(dir).events.emitted).toBe(events.filter((e) => e.cpu !== undefined).length);
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
      expect(eventsOf(dir).at(-1)!.kind).toBe('end');
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
    // other buffers may be read after the one that holds it
    expect(eventsOf(dir).some((e) => e.kind === 'end')).toBe(true);
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
      const states = eventsOf(dir).filter((e) => e.kind === 'state');
      expect(states.length).toBeGreaterThan(8);
      expect(states.every((e) => e.ns === undefined || e.ns === String(inner))).toBe(true);
      expect(tracingMounts()).toEqual(mounts);
    } finally {
      execFileSync('ip', ['netns', 'del', netns]);
    }
  });

  it('stops before the folder is larger than --max-size, and lets COMMAND go on', async () => {
    const dir = bundle('size');
    const grow = `while [ ! -e ${dir}/filler9 ]; do head -c 100000 /dev/zero > ${dir}/filler$((n += 1)); sleep 0.3; done; exit 3`;
    const { status, stderr } = await start(['-o', dir, '--max-size', '700K', '--', 'sh', '-c', grow]).ended;
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

  it.each(['tracer', 'packets'])('when its %s is killed it ends, and says so', async (victim) => {
    const dir = bundle(`without-${victim}`);
    const run = start(['-o', dir, '--port', '8480']);
    await run.ready;
    process.kill(Number(readFileSync(join(dir, '.work', `${victim}.pid`), 'utf8')), 'SIGKILL');
    expect((await run.ended).status).toBe(125);
    const { ended, problems } = manifestOf(dir);
    const tool = victim === 'tracer' ? 'bpftrace' : 'tcpdump';
    expect(ended).toMatchObject({ how: 'failed', by: tool });
    expect(problems).toContain(`${tool} was killed by signal 9`);
    await settled(dir);
  });

  it('--dry-run attaches nothing and says what it would', async () => {
    const { stdout, status } = spawnSync(
      join(ROOT, 'capture/tcpautopsy-capture'),
      ['--dry-run', '--port', '8478', '--', 'echo', 'hello'],
      { encoding: 'utf8' },
    );
    expect(status).toBe(0);
    expect(stdout).toContain('tracepoint:sock:inet_sock_set_state');
    expect(stdout).toContain('tcp and (port 8478)');
    expect(stdout).toContain('echo hello');
  });

  it('is a kit: the two folders run from anywhere', async () => {
    const place = bundle('a place with blanks');
    mkdirSync(place);
    execFileSync('sh', ['-c', `tar -C '${ROOT}' -cf - capture bpf | tar -C '${place}' -xf -`]);
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

async function settled(dir: string) {
  for (let i = 0; i < 120 && leftRunning(dir).length > 0; i++)
    await new Promise((done) => setTimeout(done, 100));
  expect(leftRunning(dir)).toEqual([]);
}

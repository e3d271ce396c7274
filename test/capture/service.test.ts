// The systemd unit of the flight recorder under a systemd of its own: started, triggered, killed, stopped. Skipped, with the reason in its name, where none boots.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { until } from '../recorder/kit.ts';
import { cannotCapture, has, manifestOf, ROOT, temporary } from './kit.ts';

const lacking = ['systemd-analyze', 'unshare', 'nsenter'].find((tool) => !has(tool));
const why =
  cannotCapture() ??
  (lacking ? `no ${lacking}` : existsSync('/lib/systemd/systemd') ? null : 'no systemd on this machine');
const folder = why ? '' : temporary();
const NAMESPACES = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];
/** Two clients more than its queue holds. */
const OVERFLOW = `import socket, time
s = socket.socket(); s.bind(('127.0.0.1', 8488)); s.listen(1)
clients = [socket.socket() for _ in range(6)]
for c in clients: c.setblocking(False); c.connect_ex(('127.0.0.1', 8488)); time.sleep(0.05)
time.sleep(2.5)`;

let boot: ChildProcess;
let init = 0;
const inside = (words: string[], input = '') =>
  spawnSync('nsenter', ['-t', String(init), '-p', '-m', '-u', '-i', '-n', '-C', '-r', '-w', ...words], {
    input,
    encoding: 'utf8',
  });
const journal = () => inside(['journalctl', '--no-pager', '-o', 'cat', '-u', 'tcpautopsy-flight']).stdout;
/** Its folder of bundles, as process 1 sees it. */
const place = () => `/proc/${init}/root/var/lib/tcpautopsy`;
const bundles = () => readdirSync(place()).filter((name) => name !== '.ring');
async function waitFor(seconds: number, what: () => boolean) {
  for (let i = 0; i < seconds && !what(); i++) await new Promise((done) => setTimeout(done, 1000));
  expect(what(), journal()).toBe(true);
}

describe.skipIf(why)(`tcpautopsy-flight.service${why ? ` (skipped: ${why})` : ''}`, () => {
  beforeAll(async () => {
    mkdirSync(join(folder, 'machine'));
    const script = join(import.meta.dirname, 'boot-systemd.sh');
    const words = ['--fork', '--kill-child', '--propagation', 'private', 'bash', script];
    boot = spawn('unshare', [...NAMESPACES, ...words, join(folder, 'machine'), ROOT], { stdio: 'ignore' });
    await until(() => {
      const children = readFileSync(`/proc/${boot.pid}/task/${boot.pid}/children`, 'utf8').trim();
      init = Number(children);
      return init > 0 && readFileSync(`/proc/${init}/comm`, 'utf8') === 'systemd\n';
    });
    await waitFor(90, () => /^ready$/m.test(journal()));
  }, 120_000);
  afterAll(async () => {
    if (init > 0) process.kill(init, 'SIGKILL');
    await until(() => boot.exitCode !== null || boot.signalCode !== null);
    execFileSync('rm', ['-rf', folder]);
  });

  it('has nothing that systemd does not know', () => {
    const { status, stderr } = inside([
      'systemd-analyze',
      'verify',
      '/etc/systemd/system/tcpautopsy-flight.service',
    ]);
    expect([status, stderr]).toEqual([0, '']);
  });

  it('a counter triggers a bundle that says so', async () => {
    inside(['python3', '-'], OVERFLOW);
    await waitFor(90, () => bundles().some((name) => existsSync(join(place(), name, 'manifest.json'))));
    const [name] = bundles();
    expect(name).toMatch(/Z-ListenOverflows\+1$/);
    const dir = join(place(), name!);
    expect(manifestOf(dir).trigger).toMatchObject({ by: 'ListenOverflows+1' });
    const { findings } = await analyze([dir]);
    const rules = findings.filter((f) => f.server.port === 8488).map((f) => f.rule);
    expect(rules).toContain('accept-queue-overflow-syn');
  }, 150_000);

  it('systemctl kill -s USR1 is a bundle now', async () => {
    inside(['systemctl', 'kill', '-s', 'USR1', '--kill-whom=main', 'tcpautopsy-flight']);
    await waitFor(90, () => /^tcpautopsy-capture: bundle .*Z-SIGUSR1$/m.test(journal()));
  }, 120_000);

  it('killed, it starts again, and what was recorded until then is a bundle', async () => {
    inside(['systemctl', 'kill', '-s', 'KILL', '--kill-whom=main', 'tcpautopsy-flight']);
    await waitFor(90, () => journal().match(/^ready$/gm)?.length === 2);
    const name = bundles().find((n) => n.endsWith('Z-killed'))!;
    expect(manifestOf(join(place(), name)).ended).toBeNull();
    const { diagnostics } = await analyze([join(place(), name)]);
    expect(diagnostics.map((d) => d.code)).toContain('capture-killed');
  }, 120_000);

  it('stopped, it leaves the bundles, no process and nothing attached', async () => {
    expect(inside(['systemctl', 'stop', 'tcpautopsy-flight']).status).toBe(0);
    expect(
      readdirSync(place())
        .map((name) => name.slice(21))
        .sort(),
    ).toEqual(['ListenOverflows+1', 'SIGUSR1', 'killed']);
    const left = inside(['sh', '-c', 'cat /proc/[0-9]*/comm']).stdout;
    expect(left).not.toMatch(/tcpautopsy|tcpdump|timeout|awk/);
    expect(inside(['systemctl', 'show', '-p', 'Result', 'tcpautopsy-flight']).stdout).toBe(
      'Result=success\n',
    );
  });
});

// Other programs than those that the rules were written beside, captured with the command as it is used: inside a network namespace, and in
// a container with the capabilities that docs/capture.md names.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { ConnectionRow } from '../../src/tables/connections.ts';
import { cannotCapture, has, manifestOf, PROVOKE, ROOT, SCRIPT, temporary } from './kit.ts';

const lacking = ['ip', 'curl', 'nft', 'perl', 'bash'].filter((tool) => !has(tool));
const why = cannotCapture() ?? (lacking.length > 0 ? `no ${lacking.join(', ')}` : null);
const NETNS = `capture-ways-${process.pid}`;
const folder = why ? '' : temporary();

afterAll(() => {
  if (!folder) return;
  execFileSync('ip', ['netns', 'del', NETNS]);
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(why)(`other programs${why ? ` (skipped: ${why})` : ''}`, () => {
  beforeAll(() => {
    execFileSync('ip', ['netns', 'add', NETNS]);
    execFileSync('ip', ['-n', NETNS, 'link', 'set', 'lo', 'up']);
  });

  test('ip netns exec … tcpautopsy capture -- COMMAND, then analyze: every cause is found', async () => {
    const dir = join(folder, 'ways');
    const told = join(folder, 'truth.json');
    const ports = Array.from({ length: 12 }, (_, i) => ['--port', String(9101 + i)]).flat();
    const program = join(ROOT, 'test/live/other-ways/programs.js');
    const command = [process.execPath, join(ROOT, 'dist/cli.js'), 'capture', '-o', dir, '-i', 'lo', ...ports];
    const run = spawnSync('ip', ['netns', 'exec', NETNS, ...command, '--', process.execPath, program, told], {
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(0);
    const { connections, findings, diagnostics } = await analyze([dir]);
    expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
    const truths: Record<string, Record<string, string>> = JSON.parse(readFileSync(told, 'utf8'));
    const verdict = (row: ConnectionRow | undefined) =>
      row && {
        close_rule: row.closeRule,
        syn_rule: row.synRule,
        fin_wait2_rule: row.finWait2Rule,
        stuck_rule: row.stuckRule,
      };
    for (const [port, truth] of Object.entries(truths)) {
      // of a full queue the last one is meant, not those that fill it
      const row = connections.filter((c) => c.server.port === Number(port)).at(-1);
      expect(verdict(row), port).toMatchObject(truth);
      // a connection that closed normally has its row alone
      for (const rule of Object.values(truth).filter((r) => r !== 'graceful-close')) {
        const cause = findings.find((f) => f.connection === row!.id && f.rule === rule);
        expect(cause?.evidence.length ?? 0, `${port} ${rule}`).toBeGreaterThan(0);
      }
    }
  }, 120_000);

  test('ICMP errors about the ports and hosts that are asked for are among the packets, each packet once', async () => {
    const dir = join(folder, 'rejected');
    const rules =
      'add table inet refusing; add chain inet refusing in { type filter hook input priority 0; }; add rule inet refusing in tcp dport { 9131, 9132 } reject with icmpx type admin-prohibited';
    execFileSync('ip', ['netns', 'exec', NETNS, 'nft', rules]);
    const program =
      "import socket\nfor host in '127.0.0.1', '::1':\n for port in 9131, 9132:\n  s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET); s.settimeout(0.2); s.connect_ex((host, port))";
    const words = ['-o', dir, '--port', '9131', '--host', '127.0.0.1', '--host', '::1'];
    const run = spawnSync('ip', ['netns', 'exec', NETNS, SCRIPT, ...words, '--', 'python3', '-c', program], {
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(0);
    execFileSync('ip', ['netns', 'exec', NETNS, 'nft', 'delete table inet refusing']);
    const { connections } = await analyze([dir]);
    expect(connections.map((c) => c.synRule)).toEqual(['icmp-rejected', 'icmp-rejected']);
    const listed = execFileSync('tcpdump', ['-nr', join(dir, 'packets.pcap')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(listed.match(/ICMP/g)!.length).toBe(listed.match(/Flags \[S\]/g)!.length);
    expect(listed).not.toMatch(/ Out |9132/);
  }, 60_000);

  // a container: mount, pid and network namespaces of its own, no tracefs, and only those capabilities
  test.skipIf(!has('setpriv') || !has('unshare'))(
    'in a container with few capabilities',
    async () => {
      const dir = join(folder, 'contained');
      const capabilities = '-all,+sys_admin,+net_raw,+setuid,+setgid,+kill';
      const inside = `ip link set lo up && umount -l /sys/kernel/tracing /sys/kernel/debug/tracing /sys/kernel/debug 2>/dev/null
      exec setpriv --bounding-set ${capabilities} --inh-caps ${capabilities} ${SCRIPT} -o ${dir} --port 9120 -- python3 ${PROVOKE} 9120`;
      const run = spawnSync(
        'unshare',
        ['-m', '-n', '-u', '-i', '-p', '-f', '--mount-proc', 'sh', '-c', inside],
        {
          encoding: 'utf8',
        },
      );
      expect(run.status, run.stderr).toBe(0);
      expect(manifestOf(dir)).toMatchObject({ problems: [], ended: { how: 'complete', by: 'command' } });
      const { connections } = await analyze([dir]);
      const rules = connections.map((c) => c.closeRule).sort();
      expect(rules).toEqual([
        'connection-refused',
        'connection-refused',
        'unread-data-reset',
        'unread-data-reset',
      ]);
    },
    60_000,
  );
});

/** What people paste beside the tools of tracing: firewall logs, tables of other systems, conntrack. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { SYN } from '../../../src/model/tcp.ts';
import { codes, formats, only, read, readSample, SAMPLES, sample } from './harness.ts';

const tools = (path: string) => readSample(`tools/${path}`);
const explained = (path: string) => analyze([`${SAMPLES}tools/${path}`]);

describe('LOG lines of a firewall', () => {
  it('are drops where the prefix says so, and no more than lines where it does not', () => {
    const out = tools('netfilter-log/dmesg.txt');
    expect(only(out, 'drop').map((d) => [d.to.port, d.flags, d.said, d.place])).toEqual([
      [8080, SYN, 'DROP 8080:', 'in'],
      [8080, SYN, 'DROP 8080:', 'in'],
    ]);
    expect(only(out, 'probe').map((p) => [p.local.port, p.packet!.flags])).toEqual([[8081, SYN]]);
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'relative', resolution: 1000 });
    expect(codes(out)).toEqual([]);
  });

  it('never prove a drop', async () => {
    const { findings } = await explained('netfilter-log/dmesg.txt');
    expect(findings.filter((f) => f.rule === 'netfilter-drop').map((f) => f.confidence)).toEqual([
      'inferred',
    ]);
  });

  it('are read behind what syslog puts before them, with its time', () => {
    const [first] = sample('tools/netfilter-log/dmesg.txt').toString().split('\n');
    const bare = first!.replace(/^\[[^\]]+\] DROP 8080/, '[UFW BLOCK]').replace(/ SEQ=\d+ ACK=\d+/, '');
    const [drop] = only(read(`Jan 12 10:00:01 fw kernel: ${bare}\n`), 'drop');
    expect(drop).toMatchObject({ said: '[UFW BLOCK]:', time: 36_001e9, flags: SYN });
    const [allowed] = read(`Jan 12 10:00:01 fw kernel: ${bare.replace('BLOCK', 'ALLOW')}\n`).events;
    expect(allowed!.kind).toBe('probe');
  });
});

describe('a journal of the kernel and of programs', () => {
  const flood =
    'Nov 30 10:00:01 web1 kernel: TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.';

  it('lost nothing because others wrote to it', () => {
    const out = read(`${flood}\nNov 30 10:00:05 web1 systemd[1]: Started nginx.service.\n`);
    expect(only(out, 'log')).toHaveLength(1);
    expect(out.diagnostics.map((d) => d.severity)).not.toContain('data-loss');
  });

  it('but a line of the kernel in it that cannot be read is counted', () => {
    const out = read(`${flood}\nNov 30 10:00:05 TCP: request_sock_T\n`);
    expect(out.diagnostics.map((d) => d.code)).toContain('unknown-line');
  });
});

describe('netstat of other systems', () => {
  it('reads that of macOS, also behind a prompt, and no table of Linux', () => {
    const out = tools('netstat-bsd/netstat-an-p-tcp.txt');
    expect(formats(out)).toEqual(['netstat-bsd']);
    const rows = only(out, 'socket');
    expect(rows.map((r) => r.state)).toEqual(['ESTABLISHED', 'CLOSE_WAIT', 'FIN_WAIT2', 'LISTEN', 'LISTEN']);
    expect(rows[1]).toMatchObject({
      recvQ: 31,
      local: { address: '198.51.100.20', port: 52012 },
      owner: 'hidden',
    });
    const plain = read(sample('tools/netstat-bsd/netstat-an-p-tcp.txt').toString().replace(' -p tcp', ''));
    expect(only(plain, 'snapshot').map((s) => plain.sources[s.source]!.format)).toEqual(['netstat-bsd']);
    expect(codes(out)).toEqual([]);
  });

  it('reads that of Windows, which shows owners and no queues', () => {
    const out = tools('netstat-windows/netstat-abno.txt');
    expect(formats(out)).toEqual(['netstat-windows']);
    const rows = only(out, 'socket');
    expect(rows.map((r) => [r.state, r.owner, r.comm])).toEqual([
      ['LISTEN', 'known', 'svchost.exe'],
      ['ESTABLISHED', 'known', 'client.exe'],
      ['CLOSE_WAIT', 'known', 'client.exe'],
      ['TIME_WAIT', 'none', null],
      ['SYN_SENT', 'known', 'client.exe'],
      ['LISTEN', 'known', null],
    ]);
    expect(rows.every((r) => r.withoutQueues)).toBe(true);
    expect(codes(out)).toEqual([]);
  });

  it('reads that of a German Windows', () => {
    const out = read(
      '\nAktive Verbindungen\n\n  Proto  Lokale Adresse         Remoteadresse          Status           PID\n' +
        '  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN         1200\n' +
        '  TCP    10.0.0.5:3389          10.0.0.78:50112        SCHLIESSEN_WARTEN 1200\n',
    );
    expect(formats(out)).toEqual(['netstat-windows']);
    expect(only(out, 'socket').map((r) => r.state)).toEqual(['LISTEN', 'CLOSE_WAIT']);
    // the title, as of an English one, and no row
    expect(codes(out)).toEqual(['text-outside']);
  });

  it('takes their hosts for no Linux', async () => {
    const { connections } = await explained('netstat-windows/netstat-abno.txt');
    expect(connections.map((c) => c.clientStack)).toEqual(Array(4).fill('not linux'));
  });
});

describe('connection tracking', () => {
  it('reads entries and events, with who opened the connection and what was translated', () => {
    const out = tools('conntrack/conntrack-E-timestamp.txt');
    const said = only(out, 'probe').map((e) => e.said);
    expect(said[0]).toBe('conntrack NEW: SYN_SENT, 120 s left, no answer seen');
    expect(said).toHaveLength(8);
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'realtime', base: 1_796_019_372_000_000_000n });
    expect(only(tools('conntrack/conntrack-L.txt'), 'probe')).toMatchObject([
      {
        local: { address: '10.9.5.1', port: 34316 },
        remote: { address: '10.9.5.2', port: 8082 },
        time: null,
      },
    ]);
    const [translated] = only(
      read(
        'tcp 6 10 CLOSE src=192.0.2.10 dst=198.51.100.9 sport=4000 dport=443 src=198.51.100.9 dst=203.0.113.5 sport=443 dport=999 [ASSURED]',
      ),
      'probe',
    );
    expect(translated!.said).toContain('client translated to 203.0.113.5:999');
    expect(codes(out)).toEqual([]);
  });
});

describe('tables of the kernel and of tools', () => {
  it('reads /proc/net/tcp and tcp6: states, queues, timers, and sockets that nobody has accepted', () => {
    const out = tools('proc-net-tcp/proc-net-tcp.txt');
    const rows = only(out, 'socket');
    expect(rows.map((r) => r.state)).toEqual([
      'LISTEN',
      'CLOSE_WAIT',
      'FIN_WAIT2',
      'ESTABLISHED',
      'ESTABLISHED',
      'LISTEN',
      'ESTABLISHED',
      'ESTABLISHED',
    ]);
    expect(rows[0]).toMatchObject({ local: { address: '10.9.5.2', port: 8083 }, recvQ: 2, owner: 'hidden' });
    expect(rows[1]).toMatchObject({ recvQ: 1, owner: 'none' });
    expect(rows[2]!.timer).toEqual({ name: 'timewait', left: 59.89e9, retransmits: 0 });
    expect(rows[7]).toMatchObject({ local: { address: '::1', port: 9090 }, recvQ: 3 });
    expect(codes(out)).toEqual([]);
  });

  it('reads retransmissions that tcpretrans saw', () => {
    const out = tools('tcpretrans/tcpretrans.txt');
    expect(only(out, 'probe').map((e) => [e.local.port, e.said])).toEqual([
      [41280, 'retransmission in state SYN_SENT'],
      [41294, 'retransmission in state SYN_SENT'],
      [41280, 'retransmission in state SYN_SENT'],
      [55496, 'tail loss probe in state ESTABLISHED'],
    ]);
  });

  it('makes a connection of a life that tcplife sums up', async () => {
    const { connections } = await explained('tcplife/tcplife-T.txt');
    expect(connections.length).toBeGreaterThan(0);
  });
});

describe('flows of Cilium', () => {
  it('are drops where the policy denied them, of pods by their names', async () => {
    const out = tools('hubble/hubble-observe.txt');
    expect(only(out, 'drop')).toMatchObject([{ flags: SYN, reason: { name: 'POLICY_DENIED' } }]);
    expect(only(out, 'probe')).toHaveLength(2);
    expect(codes(out)).toEqual([]);
    const { findings } = await explained('hubble/hubble-observe.txt');
    expect(findings.find((f) => f.rule === 'netfilter-drop')?.confidence).toBe('inferred');
  });
});

describe('what names no connection', () => {
  it('is a finding of a host: lines of the kernel log', async () => {
    const out = tools('kernel-log/dmesg.txt');
    expect(only(out, 'log').map((e) => [e.what, e.port])).toEqual([
      ['syn-flood-drops', 21060],
      ['syn-flood-cookies', 21080],
      ['conntrack-full', null],
      ['orphans', null],
      ['time-wait-overflow', null],
    ]);
    const { findings } = await explained('kernel-log/dmesg.txt');
    expect(findings.map((f) => `${f.rule} ${f.confidence} ${f.server.port}`)).toEqual([
      'syn-queue-full-drop proved 21060',
      'syn-cookie-handshake inferred 21080',
      'conntrack-table-full proved 0',
      'memory-pressure-reset proved 0',
      'time-wait-overflow proved 0',
    ]);
  });

  it('is answered: counts of sockets, with what many of a state mean', async () => {
    expect(only(tools('state-counts/ss-s.txt'), 'state-count').map((e) => e.state)).toEqual([
      'ESTABLISHED',
      'orphaned',
      'TIME_WAIT',
    ]);
    const out = read('   1793 CLOSE_WAIT\n     22 LISTEN\n      7 apples\n');
    expect(only(out, 'state-count').map((e) => e.count)).toEqual([1793, 22]);
    const { answers, findings } = await explained('state-counts/ss-s.txt');
    expect(answers).toHaveLength(1);
    // few are in TIME_WAIT: that is no finding
    expect(findings).toEqual([]);
    const many = await analyze([
      { name: 'x.txt', bytes: Buffer.from('   1793 CLOSE_WAIT\n     22 LISTEN\n') },
    ]);
    expect(many.findings).toMatchObject([
      { rule: 'close-wait-leak', confidence: 'possible', severity: 'warning', connection: '' },
    ]);
    expect(many.story).toEqual([expect.stringMatching(/^1,793 sockets were in CLOSE_WAIT/)]);
    expect(many.timeline.map((i) => i.what)).toContain('1793 sockets in CLOSE_WAIT');
  });
});

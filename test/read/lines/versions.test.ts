/** Notations of versions that do not run here, as their sources print them (bcc 0.4 to 0.34, libbpf-tools, ss, netstat). */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { ACK, CWR, ECE, FIN, PSH, RST, SYN } from '../../../src/model/tcp.ts';
import { codes, only, read, readSample, SAMPLES } from './harness.ts';

describe('tcpstates', () => {
  const state = (line: string) => only(read(`${line}\n`), 'state')[0]!;

  it('wide: COMM that looks like more columns', () => {
    const line =
      'ffff9c04cb811500 4242  worker 4 6       6  2001:db8:0:0::a                         443   2001:db8::b                             50000 ESTABLISHED -> CLOSE_WAIT  1234.567';
    expect(state(line)).toMatchObject({
      comm: 'worker 4 6',
      local: { address: '2001:db8::a', port: 443 },
      duration: 1_234_567_000,
    });
  });

  it('narrow: COMM that ends in 4', () => {
    const line =
      'ffff9c04cb811500 4242  worker  4  10.0.0.1        443   10.0.0.2        50000 ESTABLISHED -> CLOSE_WAIT  1.000';
    expect(state(line).comm).toBe('worker  4');
  });

  it('CSV: COMM with commas, both times', () => {
    const line =
      '23:59:59,12.345678,ffff9c04cb811500,4242,a,b, c,4,10.0.0.1,443,10.0.0.2,50000,ESTABLISHED,CLOSE_WAIT,1.000';
    expect(state(line)).toMatchObject({ comm: 'a,b, c', pid: 4242, time: 12_345_678_000 });
  });

  it('states as numbers, and names with every state', () => {
    const line = (from: string, to: string) =>
      `ffff9c04cb811500 0     swapper/0  10.0.0.1        443   10.0.0.2        50000 ${from} -> ${to} 0.010`;
    expect(state(line('12', '3'))).toMatchObject({ from: 'NEW_SYN_RECV', to: 'SYN_RECV' });
    expect(state(line('FIN_WAIT1', 'CLOSING'))).toMatchObject({ from: 'FIN_WAIT1', to: 'CLOSING' });
    expect(codes(read(line('FIN_WAIT9', 'CLOSE')))).toEqual(['unknown-format']);
  });

  it('refuses a line that was cut in its last number', () => {
    const line =
      'ffff9c04cb811500 0     swapper/0  10.0.0.1        443   10.0.0.2        50000 FIN_WAIT1   -> CLOSE       12916.1';
    expect(read(line).events).toEqual([]);
  });

  it('TIME passes midnight, and a late line does not', () => {
    const at = (
      time: string,
      line = 'ffff9c04cb811500 0     nc         10.0.0.1        443   10.0.0.2        50000 FIN_WAIT1   -> CLOSE       0.100',
    ) => `${time} ${line}\n`;
    const out = read(
      at('23:59:58') + at('00:00:01') + at('23:59:59') + at('12:00:00') + at('23:00:00') + at('01:00:00'),
    );
    expect(only(out, 'state').map((e) => e.time! / 1e9)).toEqual([
      86_398, 86_401, 86_399, 129_600, 169_200, 176_400,
    ]);
  });
});

describe('tcpdrop', () => {
  const header =
    'TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS) REASON (CODE)\n';

  it('0.34: reason and number; IPv6 without brackets; no flag', () => {
    const out = read(
      `${header}12:00:01 1234    6  2001:db8::1:443      > 2001:db8::2:50000    ESTABLISHED () TCP_OLD_ACK (22)\n\ttcp_ack+0x12\n\ttcp_rcv_established+0x1\n\n`,
    );
    expect(only(out, 'drop')).toEqual([
      {
        kind: 'drop',
        source: 0,
        line: 2,
        time: 43_201e9,
        pid: 1234,
        from: { address: '2001:db8::1', port: 443 },
        to: { address: '2001:db8::2', port: 50000 },
        state: 'ESTABLISHED',
        flags: 0,
        reason: { name: 'TCP_OLD_ACK', code: 22 },
        stack: ['tcp_ack', 'tcp_rcv_established'],
      },
    ]);
    expect(out.diagnostics).toEqual([]);
  });

  it('0.25: the notice that kfree_skb is used', () => {
    const out = read(
      `WARNING: tcp_drop() kernel function not found or traceable. Use tracpoint:skb:kfree_skb instead.\n${header.replace(' REASON (CODE)', '')}12:00:01 0       4  10.0.0.1:1           > 10.0.0.2:2           SYN_SENT (FIN|PSH|ECE|CWR)\n\tkfree_skb+0x1\n`,
    );
    expect(only(out, 'drop')[0]!.flags).toBe(FIN | PSH | ECE | CWR);
    expect(out.diagnostics).toEqual([]);
  });

  it('a stack whose packet cannot be read is lost data', () => {
    const out = read(`${header}12:00:01 0       4  10.0.0.1:1 > 10.0.0.2\n\ttcp_drop+0x1\n`);
    expect(out.diagnostics).toMatchObject([{ code: 'unknown-line', count: 2, locator: 'line 2' }]);
  });
});

describe('tcptracer', () => {
  const call = (line: string) => only(read(`${line}\n`), 'call')[0]!;

  it('-t: no separator after ten thousand seconds', () => {
    expect(
      call('10000.123C  28943  telnet           4  192.168.1.2      192.168.1.1      59306  23    '),
    ).toMatchObject({
      call: 'connect',
      pid: 28943,
      comm: 'telnet',
      time: 10_000_123_000_000,
      remote: { address: '192.168.1.1', port: 23 },
    });
  });

  it('-v -t: words, nanoseconds, network namespace; IPv6 in brackets', () => {
    const line =
      '123456789     accept       4242   nginx: worker    6  [::ffff:10.0.0.1] [::ffff:10.0.0.2] 443    50000   4026531840';
    const out = read(`${line}\n`);
    expect(only(out, 'call')[0]).toMatchObject({
      call: 'accept',
      comm: 'nginx: worker',
      time: 123_456_789,
      local: { address: '10.0.0.1', port: 443 },
    });
    expect(out.sources[0]!.clock).toEqual({ kind: 'relative', base: 0n, resolution: 1 });
  });

  it('libbpf-tools: UID, IPv6 without brackets, COMM cut to 12', () => {
    expect(
      call('0.012    1000  X 4242   a b          6  2001:db8::1      2001:db8::2      443  50000'),
    ).toMatchObject({
      call: 'close',
      pid: 4242,
      comm: 'a b',
      time: 12_000_000,
      local: { address: '2001:db8::1', port: 443 },
    });
  });
});

describe('tcplife', () => {
  it('CSV and wide text of bcc', () => {
    const csv = read(
      'TIME,TIME(s),PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS\n23:39:38,0.012000,7335,a,b,4,127.0.0.1,46644,127.0.0.1,28527,3,1,6.37\n',
    );
    expect(only(csv, 'life')[0]).toMatchObject({
      comm: 'a,b',
      pid: 7335,
      sent: 3072,
      received: 1024,
      duration: 6_370_000,
      time: 12_000_000,
    });
    const wide = read(
      '26315 recordProgramSta 4  127.0.0.1                  44188 127.0.0.1                  28527      0      0 0.21\n',
    );
    expect(only(wide, 'life')[0]).toMatchObject({
      comm: 'recordProgramSta',
      local: { port: 44188 },
      time: null,
    });
  });
});

describe('ss', () => {
  const row = (line: string) =>
    only(read(`State Recv-Q Send-Q Local Address:Port Peer Address:Port\n${line}\n`), 'socket')[0]!;

  it('before 3.12: users without names for numbers', () => {
    expect(
      row(
        'ESTAB      0      0      127.0.0.1:22      127.0.0.1:50000    users:(("sshd",1154,3),("sshd",1150,3))',
      ),
    ).toMatchObject({
      owner: 'known',
      pid: 1154,
      comm: 'sshd',
    });
  });

  it.each([
    ['timer:(on,1.340ms,5)', 1.34e9, 5],
    ['timer:(on,200ms,0)', 0.2e9, 0],
    ['timer:(keepalive,1min30sec,0)', 90e9, 0],
    ['timer:(timewait,59sec,0)', 59e9, 0],
    ['timer:(persist,12min,14)', 720e9, 14],
  ])('%s', (text, left, retransmits) => {
    expect(row(`FIN-WAIT-1 0 1 10.0.0.1:80 10.0.0.2:50000 ${text}`).timer).toMatchObject({
      left,
      retransmits,
    });
  });

  it('without inet_diag: a limit of 0 is none; a listing that is indented as a whole', () => {
    expect(row('LISTEN 6 0 10.77.0.2:8080 0.0.0.0:*').acceptLimit).toBeNull();
    const rows = ['    ESTAB 0 0 10.0.0.1:80 10.0.0.2:50000', '    ESTAB 0 0 10.0.0.1:80 10.0.0.3:50000'];
    expect(only(read(rows.join('\n')), 'socket')).toHaveLength(2);
  });

  it('interfaces, wildcards of both families, names', () => {
    expect(row('LISTEN 0 128 [fe80::1%eth0]:22 [::]:*').local).toEqual({ address: 'fe80::1', port: 22 });
    expect(row('LISTEN 0 128 127.0.0.53%lo:domain 0.0.0.0:*').local).toEqual({
      address: '127.0.0.53',
      port: 53,
    });
    expect(row('LISTEN 0 128 :::22 :::*').local).toEqual({ address: '::', port: 22 });
    expect(row('LISTEN 3 5 *:8000')).toMatchObject({ recvQ: 3, acceptLimit: 5 });
  });
});

describe('netstat', () => {
  const row = (line: string) => read(`${line}\n`);

  it('does not use an address that was cut to fit its column', () => {
    const out = row(
      'tcp6       0      0 2001:db8:85a3::8a2e:443 2001:db8:85a3::8a:50000 ESTABLISHED 1/nginx',
    );
    expect(out.events).toMatchObject([{ kind: 'state-count', state: 'ESTABLISHED', count: 1 }]);
    expect(out.diagnostics).toMatchObject([
      { code: 'netstat-address-cut', severity: 'data-loss', locator: 'line 1' },
    ]);
    const wide = row(
      '[root@a ~]# netstat -antW\ntcp6       0      0 2001:db8:85a3::8a2e:443 2001:db8:85a3::8a:50000 ESTABLISHED',
    );
    expect(only(wide, 'socket')[0]!.local).toEqual({ address: '2001:db8:85a3::8a2e', port: 443 });
  });

  it('net-tools 1.60: no blank line between, other protocols, not root', () => {
    const out = row(
      [
        '[ops@a ~]$ netstat -anp',
        '(Not all processes could be identified, non-owned process info',
        ' will not be shown, you would have to be root to see it all.)',
        'Active Internet connections (servers and established)',
        'Proto Recv-Q Send-Q Local Address               Foreign Address             State       PID/Program name   ',
        'tcp        0      0 0.0.0.0:22                  0.0.0.0:*                   LISTEN      -                   ',
        'udp        0      0 0.0.0.0:68                  0.0.0.0:*                               -                   ',
        'Active UNIX domain sockets (servers and established)',
        'Proto RefCnt Flags       Type       State         I-Node PID/Program name    Path',
        'unix  2      [ ACC ]     STREAM     LISTENING     9563   -                   /var/run/dbus/system_bus_socket',
      ].join('\n'),
    );
    expect(only(out, 'socket')).toHaveLength(1);
    expect(out.sources[0]!.root).toBe(false);
    expect(out.diagnostics).toEqual([]);
  });
});

describe('netstat -s', () => {
  it('old spellings, and names that have no sentence', () => {
    const out = read(
      [
        'Tcp:',
        '    1234 segments send out',
        '    5 segments retransmited',
        '    6 bad segments received.',
        'TcpExt:',
        '    7 SYNs to LISTEN sockets ignored',
        '    8 packets rejects in established connections because of timestamp',
        '    Quick ack mode was activated 9 times',
        '    TCPReqQFullDrop: 10',
        'IpExt:',
        '    InOctets: 11',
      ].join('\n'),
    );
    expect(Object.fromEntries(only(out, 'counters')[0]!.values)).toEqual({
      TcpOutSegs: 1234,
      TcpRetransSegs: 5,
      TcpInErrs: 6,
      ListenDrops: 7,
      PAWSEstab: 8,
      DelayedACKLost: 9,
      TCPReqQFullDrop: 10,
      IpExtInOctets: 11,
    });
    expect(out.diagnostics).toEqual([]);
  });
});

describe('tcpdump', () => {
  const packets = (text: string) => read(`${text}\n`).packets;

  it('before 4.0, verbose, with every flag letter', () => {
    const [p, q] = packets(
      [
        '17:22:38.246507 IP (tos 0x0, ttl  64, id 9, offset 0, flags [DF], proto: TCP (6), length: 60) 10.0.0.1.19500 > 10.0.0.2.80: SWE, cksum 0x1f2c (correct), 5:5(0) win 5840 <mss 1460>',
        '17:22:38.246508 IP 10.0.0.2.80 > 10.0.0.1.19500: FP [tcp sum ok] 7:9(2) ack 6 win 100 (DF)',
      ].join('\n'),
    );
    expect(p).toMatchObject({ flags: SYN | CWR | ECE, ttl: 64, ipId: 9, mss: 1460, seq: 5 });
    expect(q).toMatchObject({ flags: FIN | PSH | ACK, seq: 7, payload: 2, window: 100 });
  });

  it('3.x: no protocol word', () => {
    expect(packets('17:22:38.246507 a.b.c.19500 > d.http: R 19:19(0) ack 486 win 0')).toMatchObject([
      { flags: RST | ACK, dstPort: 80, srcPort: 19500 },
    ]);
  });

  it('cut by the snapshot length', () => {
    const out = read(
      '12:00:00.000000 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [P.], seq 5:25, ack 7, win 9, options [nop,nop,[|tcp]>\n',
    );
    expect(out.packets).toMatchObject([{ payload: 20, seq: 5 }]);
  });

  it('an interface of old versions, a VLAN, nanoseconds', () => {
    const line =
      '12:00:00.123456789  In 52:54:00:12:35:02 ethertype IPv4 (0x0800), length 62: 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 5, win 9, length 0\n';
    const vlan =
      '12:00:00.123456790 52:54:00:12:35:02 > 52:54:00:12:35:03, ethertype 802.1Q (0x8100), length 78: vlan 5, p 0, ethertype IPv4 (0x0800), 10.0.0.1.1 > 10.0.0.2.3: Flags [S], seq 6, win 9, length 0';
    const out = read(line + vlan);
    expect(out.packets).toMatchObject([
      { direction: 1, seq: 5, time: 43_200_123_456_789 },
      { direction: 0, seq: 6, dstPort: 3 },
    ]);
    expect(out.sources[0]!.clock.resolution).toBe(1);
  });

  it('skips other protocols and says so; a damaged segment does not pass for one', () => {
    const out = read(
      [
        '12:00:00.000000 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 5, win 9, length 0',
        '12:00:00.000001 ARP, Request who-has 10.0.0.1 tell 10.0.0.2, length 28',
        '12:00:00.000002 IP 10.0.0.1.53 > 10.0.0.2.99: 4242 1/0/0 A 10.0.0.9 (45)',
        '12:00:00.000003 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [',
        '12:00:00.000003 IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 5, win',
        '12:00:00.000003 IP 10.0.0.1.1 > 10.0',
        '12:00:00.000004 IP 10.0.0.1.1 > 10.0.0.2.2: R 5:5(0) w',
        '\t0x0000:  4500 003c 0000 4000',
      ].join('\n'),
    );
    expect(out.packets).toHaveLength(1);
    expect(out.diagnostics.map((d) => [d.code, d.severity, d.count])).toEqual([
      ['not-tcp', 'info', 2],
      ['unknown-line', 'data-loss', 4],
    ]);
  });

  it('a service that no table has', () => {
    const out = read(
      '12:00:00.000000 IP 10.0.0.1.1 > 10.0.0.2.frobnicate: Flags [S], seq 5, win 9, length 0\n',
    );
    expect(out.packets).toMatchObject([{ dstPort: 0 }]);
    expect(out.diagnostics).toMatchObject([{ code: 'service-unknown', severity: 'data-loss' }]);
  });

  it('numbers that wrap, retransmissions, a capture that begins in the middle, a tuple used again', () => {
    const a = '10.0.0.1.1';
    const b = '10.0.0.2.2';
    const say = (from: string, to: string, rest: string) =>
      `12:00:00.000000 IP ${from} > ${to}: ${rest}, win 1, length `;
    const out = packets(
      [
        `${say(a, b, 'Flags [S], seq 4294967290')}0`,
        `${say(b, a, 'Flags [S.], seq 100, ack 4294967291')}0`,
        `${say(a, b, 'Flags [P.], seq 1:11, ack 1')}10`,
        `${say(a, b, 'Flags [P.], seq 1:11, ack 1')}10`,
        `${say(a, b, 'Flags [.], ack 1')}0`,
        `${say(b, a, 'Flags [R], seq 101')}0`,
        `${say(a, b, 'Flags [S], seq 7000')}0`,
        `${say(b, a, 'Flags [S.], seq 900, ack 7001')}0`,
        `${say(a, b, 'Flags [F.], seq 1, ack 1')}0`,
        `${say('10.0.0.3.3', b, 'Flags [.], ack 500')}0`,
        `${say('10.0.0.3.3', b, 'Flags [P.], seq 1:3, ack 1')}2`,
      ].join('\n'),
    );
    expect(out.map((p) => [p.seq >>> 0, p.ack >>> 0])).toEqual([
      [4294967290, 0],
      [100, 4294967291],
      [4294967291, 101],
      [4294967291, 101],
      [5, 101],
      [101, 0],
      [7000, 0],
      [900, 7001],
      [7001, 901],
      [0, 500],
      [1, 500],
    ]);
  });
});

describe('lines of a libbpf program', () => {
  const sockets = (text: string) =>
    only(read(text), 'state').map((e) => [e.socket, e.local.address, e.local.port, e.from, e.to]);

  it('times of the monotonic clock; the side stands for the socket, its number for the port', () => {
    const out = readSample('tools/libbpf-states/states.txt');
    expect(out.sources[0]!.clock).toEqual({ kind: 'monotonic', base: 8_609_171_923_365n, resolution: 1 });
    expect(codes(out)).toEqual(['no-addresses']);
    expect(new Set(only(out, 'state').map((e) => e.socket))).toEqual(
      new Set(['listener', 'client 1', 'server 1']),
    );
    expect(only(out, 'state')[1]).toMatchObject({
      time: 1_090_489_150,
      local: { address: 'client', port: 1 },
      remote: { address: 'server', port: 1 },
      from: 'CLOSE',
      to: 'SYN_SENT',
    });
  });

  it('is one connection, of which each end is known', async () => {
    const { connections, findings } = await analyze([`${SAMPLES}tools/libbpf-states/states.txt`]);
    expect(connections.map((c) => [c.closeKind, c.closedBy, c.finWait2KernelS])).toEqual([
      ['fin', 'client', expect.closeTo(0.000047573, 9)],
    ]);
    expect(findings.map((f) => f.rule).sort()).toEqual(['delayed-ack-of-fin', 'fin-wait2-in-minisock']);
  });

  it('with the prefix TCP_, from the middle of a connection', () => {
    expect(sockets('ts:5:server:TCP_SYN_RECV:TCP_ESTABLISHED\n')).toEqual([
      ['server 1', 'server', 1, 'SYN_RECV', 'ESTABLISHED'],
    ]);
  });

  it('inet_twsk_alloc and inet_twsk_put: the minisock, not the socket', () => {
    const out = read(
      [
        'ts:1:client:CLOSE:SYN_SENT',
        'ts:2:client:SYN_SENT:ESTABLISHED',
        'ts:3:client:ESTABLISHED:FIN_WAIT1',
        'ts:4:client:FIN_WAIT1:FIN_WAIT2',
        'ts:5:client:FIN_WAIT2:TIME_WAIT',
        'ts:6:client:FIN_WAIT2:CLOSE',
        'ts:7:client:TIME_WAIT:CLOSE',
        'ts:8:client:FIN_WAIT2:CLOSE',
      ].join('\n'),
    );
    expect(only(out, 'state')).toHaveLength(5);
    expect(only(out, 'probe').map((e) => [e.name, e.time, e.local.port])).toEqual([
      ['minisock-start', 4, 1],
      ['minisock-kill', 6, 1],
      ['minisock-kill', 7, 1],
    ]);
  });

  it('one connection after the other is numbered; two at once are not told apart, and not guessed', () => {
    const open = (t: number) => `ts:${t}:client:CLOSE:SYN_SENT\nts:${t + 1}:client:SYN_SENT:ESTABLISHED\n`;
    const close = (t: number) => `ts:${t}:client:ESTABLISHED:CLOSE\n`;
    expect(sockets(open(1) + close(3) + open(4)).map(([socket]) => socket)).toEqual([
      'client 1',
      'client 1',
      'client 1',
      'client 2',
      'client 2',
    ]);
    const mixed = read(open(1) + open(3) + close(5));
    expect(only(mixed, 'state')).toHaveLength(2);
    expect(mixed.diagnostics.map((d) => [d.code, d.severity, d.count])).toEqual([
      ['no-addresses', 'info', 1],
      ['connections-not-apart', 'data-loss', 3],
    ]);
  });
});

/** Kinds of pastes that were not read, or read and told too little: each with what may be said of it. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { only, read, readSample, sample } from '../read/lines/harness.ts';

async function result(text: string) {
  return analyze([{ name: 'x.txt', bytes: new TextEncoder().encode(text) }]);
}
const short = async (text: string) =>
  (await result(text)).findings.map((f) => `${f.rule} ${f.confidence} ${f.side}`);

test('cilium monitor: what passed, and what the policy dropped', async () => {
  const out = readSample('tools/hubble/cilium-monitor.txt');
  expect(only(out, 'probe').map((p) => [p.local.port, p.packet!.flags])).toEqual([
    [37122, 0x02],
    [8080, 0x12],
  ]);
  expect(only(out, 'drop').map((d) => [d.to.port, d.reason!.name])).toEqual([[8443, 'POLICY_DENIED']]);
  expect(await short(sample('tools/hubble/cilium-monitor.txt').toString())).toEqual([
    'netfilter-drop inferred server',
  ]);
});

const packets = (text: string) => read(text).packets.map((p) => [p.flags, p.seq, p.srcPort, p.payload]);

test('packet lists with ports, length and TTL in columns of their own', () => {
  const of = (name: string) => sample(`tools/wireshark-list/${name}`).toString();
  expect(packets(of('tshark-columns.txt'))).toEqual(packets(of('tshark.txt')));
  const titles = ['No.', 'Time', 'Source', 'Src Port', 'Destination', 'TTL', 'Protocol', 'Info'];
  const row = ['7', '12:21:25.201390', '192.0.2.16', '1521', '192.0.2.43', '62', 'TCP'];
  const info = '1521 → 59048 [RST, ACK] Seq=1 Ack=201 Win=0 Len=0';
  for (const separator of ['\t', ','] as const) {
    const lines = [titles.join(separator), [...row, info].join(separator)];
    const [packet] = read(lines.join('\n')).packets;
    expect(packet).toMatchObject({ ttl: 62, srcPort: 1521, flags: 0x14, ack: 201 });
  }
});

test('a refusal in a list of relative numbers, where Wireshark shows Seq=1 for 0', async () => {
  const { findings } = await result(sample('tools/wireshark-list/tshark-columns.txt').toString());
  const refusal = findings.find((f) => f.rule === 'connection-refused')!;
  expect(refusal.summary).not.toContain('sequence number');
  const row = (n: number, s: string, info: string) =>
    `${n}\t${s}\t${n === 1 ? '192.0.2.9\t192.0.2.5' : '192.0.2.5\t192.0.2.9'}\tTCP\t60\t${info}\n`;
  const syn = row(1, '0.000000', '41000 → 443 [SYN] Seq=0 Win=1024 Len=0 MSS=1460');
  const other = await result(syn + row(2, '0.001000', '443 → 41000 [RST, ACK] Seq=246224 Ack=1 Win=0 Len=0'));
  expect(other.findings[0]!.summary).toContain('sequence number');
});

test('SYNs of tshark -T fields whose columns are few', async () => {
  const fields = 'ip.src ip.dst tcp.srcport tcp.dstport tcp.flags.str tcp.seq_raw'.split(' ');
  const row = (s: number, port = 5432) =>
    [s.toFixed(6), '192.0.2.5', '192.0.2.7', 49152, port, '··········S·', 77].join('\t');
  const text = `frame.time_relative\t${fields.join('\t')}\n${row(0)}\n${row(1.01)}\n${row(3.02)}\n`;
  expect(await short(text)).toEqual(['unanswered-syn possible server']);
});

test('half-open ones of an old ss -s', async () => {
  const tcp = (n: number) =>
    `TCP:   16231 (estab 812, closed 911, orphaned 4, synrecv ${n}, timewait 90/0), ports 1201\n`;
  expect(await short(tcp(256))).toEqual(['handshake-unfinished possible path']);
  expect(await short(tcp(2))).toEqual([]);
});

test('Get-NetTCPConnection of Windows', () => {
  const out = readSample('tools/netstat-windows/Get-NetTCPConnection.txt');
  expect(only(out, 'socket').map((r) => [r.state, r.local.port, r.pid, r.owner])).toEqual([
    ['LISTEN', 49664, 824, 'known'],
    ['LISTEN', 8080, 4120, 'known'],
    ['CLOSE_WAIT', 8080, 4120, 'known'],
    ['TIME_WAIT', 8080, null, 'none'],
    ['SYN_SENT', 50200, 4120, 'known'],
  ]);
  expect(out.diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

test.each([
  [
    'other sockets of AIX',
    'Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\ntcp4     147      0  10.27.40.28.9443       10.27.41.7.40716       CLOSE_WAIT\nActive UNIX domain sockets\nSADR/PCB         Type   Recv-Q Send-Q Inode\nf1000e00027d8c08 dgram       0      0 f1000a000f0a7c20\n',
  ],
  [
    'other lines of dmesg -T',
    '[Tue Mar  3 14:25:11 2020] nf_conntrack: table full, dropping packet\n[Tue Mar  3 14:25:16 2020] net_ratelimit: 4123 callbacks suppressed\n',
  ],
])('%s are no loss', (_, text) => {
  expect(read(text).diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

test('mail wraps both lines, one of them at its width', async () => {
  const lines = [
    '> 10:00:00.000000 IP 10.0.4.9.41000 > 10.0.9.9.443: Flags [S], seq 1000, win',
    '> 64240, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0',
    '> 10:00:00.000200 IP 10.0.9.9.443 > 10.0.4.9.41000: Flags [R.], seq 0, ack',
    '> 1001, win 0, length 0',
  ];
  expect(await short(lines.join('\n'))).toEqual(['connection-refused inferred server']);
  expect(read(lines.join('\n')).packets.map((p) => p.window)).toEqual([64240, 0]);
});

const synAck = (s: string) =>
  `10:00:0${s} IP 10.0.9.9.443 > 10.0.4.9.41000: Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0\n`;

test('SYN-ACKs sent again, and nothing of the client in the file', async () => {
  const times = ['0.000040', '1.010040', '3.020040'];
  const { findings } = await result(times.map(synAck).join(''));
  expect(findings).toMatchObject([{ rule: 'handshake-unfinished', confidence: 'possible' }]);
  // its ACK may well have been sent: it took another way, or a full accept queue dropped it
  expect(findings[0]!.summary).toContain('the file has nothing of client 10.0.4.9:41000');
  expect(findings[0]!.alternatives).toContain('accept-queue-overflow-ack');
  // two may be copies, or the first of them lost
  expect(await short(times.slice(0, 2).map(synAck).join(''))).toEqual([]);
});

const listener = (recvQ: number) =>
  `State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\nLISTEN ${recvQ}    128          0.0.0.0:8080       0.0.0.0:*    users:(("python3",pid=2201,fd=5))\n`;

test('a listener whose queue is above its limit is a finding, one at its limit is none', async () => {
  const { findings, story } = await result(listener(129));
  expect(findings).toMatchObject([
    { rule: 'accept-queue-overflow-syn', confidence: 'possible', server: { port: 8080 } },
  ]);
  expect(story[0]).toContain('python3 (2201) on port 8080 was full');
  expect(await short(listener(128))).toEqual([]);
});

test('tcpsynbl and dropwatch beside each other: 6 clients, whose ACKs were dropped 3 times', async () => {
  for (const name of ['tcpsynbl.bt.txt', 'libbpf-tcpsynbl.txt']) {
    const { findings } = await result(sample(`tools/tcpsynbl/${name}`).toString());
    expect(findings).toMatchObject([{ rule: 'accept-queue-overflow-ack', confidence: 'inferred' }]);
    expect(findings[0]!.summary).toMatch(/^18 of 20 final ACKs .*limit of 1 met a full accept queue/);
  }
  const out = readSample('tools/dropwatch/dropwatch-6.1.txt');
  expect(only(out, 'drop-count').map((e) => [e.where, e.count])).toContainEqual(['tcp_v4_do_rcv', 6]);
  expect(out.diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

test('tcpsynbl.bt that was cut before its histograms', async () => {
  const line = '20:21:41 dropping a SYN.\n';
  const { findings } = await result(line + line);
  expect(findings).toMatchObject([{ rule: 'accept-queue-overflow-ack', confidence: 'possible' }]);
  expect(findings[0]!.summary).toContain('dropped 2 packets');
});

test('tcpsynbl: above the limit, at it, and below', async () => {
  const slots = (limit: number, ...counts: [string, number][]) =>
    [
      `@backlog[${limit}]: `,
      ...counts.map(([slot, n]) => `${slot.padEnd(16)} ${String(n).padStart(8)} |@@@        |`),
      '',
    ].join('\n');
  expect(await short(slots(1, ['[0]', 3], ['[1]', 12], ['[2, 4)', 9]))).toEqual([
    'accept-queue-overflow-ack inferred server',
  ]);
  // 128 are still let in, 129 and more not
  const atLimit = await result(slots(128, ['[0]', 900], ['[128, 256)', 41]));
  expect(atLimit.findings).toMatchObject([
    {
      rule: 'accept-queue-overflow-ack',
      confidence: 'possible',
      summary: expect.stringContaining('41 of 941'),
    },
  ]);
  const below = await result(slots(4096, ['[0]', 900], ['[1K, 2K)', 9]));
  expect(below.findings).toEqual([]);
  expect(below.answers[0]!.answer).toContain('limit 4,096: 909 final ACKs');
});

test('retis: what it prints is what it writes', async () => {
  const [printed, written] = await Promise.all(
    ['retis-text/retis-print.txt', 'retis/retis.json'].map(async (name) => {
      const { findings } = await result(sample(`tools/${name}`).toString());
      return findings.map((f) => [f.rule, f.confidence, f.client.port, f.summary]);
    }),
  );
  expect(printed).toEqual(written);
});

const dropped = (flags: string, reason: string) =>
  `3316376120581 (5) [curl] 1186 [tp] skb:kfree_skb #304263ad0c5ffff8b5d42bb8d00 (skb ffff8b5d456ee600) drop (${reason})
  if 2 (eth0) rxif 2 10.0.1.5.49152 > 10.0.2.7.5432 ttl 64 tos 0x0 id 1234 off 0 [DF] len 60 proto TCP (6) flags [${flags}] seq 3141592653 ack 7 win 64240
`;

test('a SYN dropped for want of a socket is refused; any other segment is not', async () => {
  expect(await short(dropped('S', 'NO_SOCKET'))).toEqual(['connection-refused inferred server']);
  expect(await short(dropped('S', 'NETFILTER_DROP'))).toEqual(['netfilter-drop proved server']);
  for (const flags of ['.', 'P.', 'S.']) expect(await short(dropped(flags, 'NO_SOCKET'))).toEqual([]);
});

test('a live state that ends in a process whose socket it may be: either end may have reset', async () => {
  const line = (pid: number, comm: string, states: string) =>
    `ffff9fd7e8192000 ${pid} ${comm} 10.0.9.9 8080 10.0.4.9 41000 ${states}\n`;
  const begun = line(0, 'swapper/2', 'SYN_RECV    -> ESTABLISHED 0.000');
  const { findings } = await result(begun + line(4411, 'python3', 'ESTABLISHED -> CLOSE       2000.120'));
  expect(findings).toMatchObject([{ rule: 'unexplained-reset', confidence: 'possible', side: 'server' }]);
  expect(findings[0]!.summary).toMatch(
    /^Either server 10\.0\.9\.9:8080 reset .*python3 \(4411\).* client 10\.0\.4\.9:41000 sent a RST, or/,
  );
  // in no process: the RST of the other end, or a timer
  const [outside] = (await result(begun + line(0, 'swapper/2', 'ESTABLISHED -> CLOSE       2000.120')))
    .findings;
  expect(outside).toMatchObject({ rule: 'unexplained-reset', side: 'client' });
});

const refused = (line: (s: string, from: string, to: string, rest: string) => string) =>
  line(
    '0.000000',
    '10.244.1.5.40001',
    '10.244.2.9.443',
    'Flags [S], seq 1000, win 64240, options [mss 1410], length 0',
  ) + line('0.000900', '10.244.2.9.443', '10.244.1.5.40001', 'Flags [R.], seq 0, ack 1001, win 0, length 0');

test.each([
  [
    'within Geneve',
    'IP 192.0.2.1.5555 > 192.0.2.2.6081: Geneve, Flags [none], vni 0x2a, proto TEB (0x6558): IP ',
  ],
  [
    'within Geneve, with its frame',
    'IP 192.0.2.1.5555 > 192.0.2.2.6081: Geneve, Flags [C], vni 0x2a, options [8 bytes]: 52:54:00:11:22:33 > 52:54:00:44:55:66, ethertype IPv4 (0x0800), length 74: IP ',
  ],
  ['within GRE', 'IP 192.0.2.1 > 192.0.2.2: GREv0, key=0x7, length 64: IP '],
])('segments %s', async (_, before) => {
  const text = refused((s, from, to, rest) => `11:00:0${s} ${before}${from} > ${to}: ${rest}\n`);
  expect(await short(text)).toEqual(['connection-refused inferred server']);
});

test('what kubectl logs and dmesg -x put before a line', async () => {
  const text = refused(
    (s, from, to, rest) => `[pod/web-0/tcpdump] 11:00:0${s} IP ${from} > ${to}: ${rest}\n`,
  );
  expect(await short(text)).toEqual(['connection-refused inferred server']);
  const full = 'nf_conntrack: nf_conntrack: table full, dropping packet';
  expect(await short(`kern  :warn  : [  513.009911] ${full}\n`)).toEqual([
    'conntrack-table-full proved server',
  ]);
});

test('payload that tcpdump -A prints as text is no loss', () => {
  const segment = (s: string, rest: string) => `11:00:00.${s} IP 10.1.0.5.40001 > 10.2.0.9.80: ${rest}\n`;
  const request = segment('000000', 'Flags [P.], seq 1:79, ack 1, win 502, length 78: HTTP: GET / HTTP/1.1');
  const ack = segment('020000', 'Flags [.], ack 79, win 502, length 0');
  const payload = 'E..v..@.@.....\n...\nGET / HTTP/1.1\nHost: 10.2.0.9\n\n';
  const losses = (text: string) => read(text).diagnostics.filter((d) => d.severity !== 'info').length;
  expect(losses(`${request}${payload}${ack}`)).toBe(0);
  expect(losses(`${request}half of a line that was cut\n${ack}`)).toBe(1);
  expect(losses(`${request}${payload}${ack}half of a line that was cut\n`)).toBe(1);
});

test('limits of a kernel that its log names', async () => {
  const said = async (line: string) => short(`[  101.000001] ${line}\n`);
  expect(await said('TCP: drop open request from 198.51.100.7/50123')).toEqual([
    'syn-backlog-reserve-drop proved server',
  ]);
  expect(await said('neighbour: arp_cache: neighbor table overflow!')).toEqual([
    'syn-ack-lost-locally possible server',
  ]);
  for (const line of [
    'TCP: Peer 198.51.100.7:443/40001 unexpectedly shrunk window 1001:2001 (repaired)',
    'TCP: Probing zero-window on 198.51.100.7:443/40001, seq=1001:2001, recv 210ms ago, lasting 420ms',
  ])
    expect(await said(line)).toEqual(['peer-window-closed possible server']);
  expect(await said('possible SYN flooding on ctid 101, port 80. Sending cookies.')).toEqual([
    'syn-cookie-handshake inferred server',
  ]);
});

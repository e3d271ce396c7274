/** Pastes as they stand in tickets: counted by awk, half of a list, lines of a log without its host, both sides of a NAT. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

async function result(...lines: string[]) {
  const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`);
  return analyze([{ name: 'x.txt', bytes }]);
}
const short = async (...lines: string[]) =>
  (await result(...lines)).findings.map((f) => `${f.rule} ${f.confidence} ${f.side}`);

test('states that awk counted are what uniq counts', async () => {
  const counted = await short('LISTEN 2', 'CLOSE_WAIT 730 # too many', 'TIME_WAIT 1');
  expect(counted).toEqual(await short('      2 LISTEN', '    730 CLOSE_WAIT', '      1 TIME_WAIT'));
  expect(counted).toEqual(['close-wait-leak possible server']);
  expect((await result('CLOSE_WAIT: many', 'TIMEOUT 30')).findings).toEqual([]);
});

const logged = (at: string, prefix: string) =>
  `[ ${at}] ${prefix}IN=wlan0 OUT= MAC=52:54:00:aa:bb:cc:52:54:00:dd:ee:ff:08:00 SRC=198.51.100.7 DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1097 DF PROTO=TCP SPT=41000 DPT=22000 WINDOW=64240 RES=0x00 SYN URGP=0 `;

test('words of a prefix that refuse, in capitals or joined to others, and those that do not', async () => {
  for (const prefix of [
    'refused connection: ',
    'DROP_INPUT ',
    'IPTables-Dropped: ',
    'filter_IN_public_REJECT: ',
  ])
    expect(await short(logged('1843.596125', prefix), logged('1844.620125', prefix))).toEqual([
      'netfilter-drop inferred server',
    ]);
  for (const prefix of ['dropbear: ', 'refusenik ', 'SYN seen: '])
    expect(await short(logged('1843.596125', prefix))).toEqual([]);
});

test('conntrack -E without times, which begins with blanks: an entry that ends without an answer', async () => {
  const tuple = (port: number, state: string) =>
    `src=10.8.6.97 dst=10.11.249.108 sport=${port} dport=80 ${state}src=10.8.6.96 dst=10.8.6.97 sport=80 dport=${port}`;
  const lines = [
    `    [NEW] tcp      6 120 SYN_SENT ${tuple(46_130, '[UNREPLIED] ')}`,
    `    [NEW] tcp      6 120 SYN_SENT ${tuple(46_128, '[UNREPLIED] ')}`,
    ` [UPDATE] tcp      6 60 SYN_RECV ${tuple(46_128, '')}`,
    ` [UPDATE] tcp      6 86400 ESTABLISHED ${tuple(46_128, '')} [ASSURED]`,
    `[DESTROY] tcp      6 ${tuple(46_130, '[UNREPLIED] ')}`,
  ];
  const { findings } = await result(...lines);
  expect(findings.map((f) => [f.rule, f.client.port, f.severity])).toEqual([
    ['unanswered-syn', 46_130, 'warning'],
  ]);
  // still waiting when the list was taken
  const [waiting] = (await result(lines[0]!, lines[1]!)).findings;
  expect(waiting).toMatchObject({ rule: 'unanswered-syn', severity: 'info', confidence: 'possible' });
  // what the client's socket knew, an entry on the way does not
  expect(waiting!.summary).toMatch(/^Connection tracking saw .* call .*, and no answer; /);
});

test('a list with more columns of times, and a SYN that Wireshark calls used before and sent again', async () => {
  const row = (n: number, s: string, from: string, to: string, info: string) =>
    [n, `2025-07-08 15:00:0${s}`, s, '0.000100', from, to, 'TCP', 60, info].join('\t');
  const [a, b] = ['192.0.2.10', '198.51.100.7'];
  const lines = [
    row(1, '1.000000', a, b, '41000 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460'),
    row(2, '1.000100', b, a, '80 → 41000 [SYN, ACK] Seq=0 Ack=1 Win=65160 Len=0 MSS=1460'),
    row(
      3,
      '2.010000',
      a,
      b,
      '[TCP Retransmission] [TCP Port numbers reused] 41000 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460',
    ),
  ];
  const { connections, findings } = await result(...lines);
  expect(connections).toHaveLength(1);
  expect(findings.map((f) => `${f.rule} ${f.confidence}`)).toEqual(['handshake-unfinished possible']);
  // the answer was taken at once
  const acked = row(4, '1.000200', a, b, '41000 → 80 [ACK] Seq=1 Ack=1 Win=64240 Len=0');
  expect(await short(lines[0]!, lines[1]!, acked)).toEqual([]);
});

test('lines of a kernel behind half a prefix, about several ports', async () => {
  const flood = (port: number) =>
    `TCP: request_sock_TCP: Possible SYN flooding on port ${port}. Sending cookies.  Check SNMP counters.`;
  const { findings } = await result(
    `web kernel: [375852.589465] ${flood(8080)}`,
    `kern.info kernel: [376429.759274] ${flood(25_565)}`,
    `[376614.858572] ${flood(25_565)}`,
    `Sat Feb 29 19:54:23 2020 kern.info kernel: [376700.100000] ${flood(5000)}`,
  );
  expect(findings).toHaveLength(1);
  expect(findings[0]!.summary).toContain('on ports 25565 (2 lines), 8080 and 5000 from');
});

test('hubble with dates in UTC and names of nodes', async () => {
  const { connections } = await result(
    '2025-06-22T14:24:00.345Z [k8s1]: 192.0.2.11:51938 -> ns/web:80 L3-L4 FORWARDED (TCP Flags: SYN)',
    '2025-06-22T14:24:00.346Z [k8s2]: 192.0.2.11:51938 <- ns/web:80 to-stack FORWARDED (TCP Flags: SYN, ACK)',
  );
  expect(connections.map((c) => [c.startTime, c.clock])).toEqual([['2025-06-22T14:24:00.345000000Z', 'utc']]);
});

/** A service at 10.96.0.9 in front of a pod at 10.244.1.23, both sides in one capture. */
const [CLIENT, VIP, POD] = ['10.244.1.24.40685', '10.96.0.9.9000', '10.244.1.23.9000'];
const STAMP = 'options [mss 1360,sackOK,TS val 781786569 ecr 0,nop,wscale 7]';
const at = (us: number, from: string, to: string, rest: string) =>
  `16:20:53.11${us} IP ${from} > ${to}: ${rest}`;
const SYNS = [
  at(4383, CLIENT, VIP, `Flags [S], seq 336151321, win 27200, ${STAMP}, length 0`),
  at(4783, CLIENT, POD, `Flags [S], seq 336151321, win 27200, ${STAMP}, length 0`),
];
const SYN_ACK = 'Flags [S.], seq 1101121667, ack 336151322, win 26960, options [mss 1360], length 0';
const ACK = 'Flags [.], ack 1, win 213, length 0';
const RST = (seq: number) => `Flags [R], seq ${seq}, win 0, length 0`;

test.each([SYN_ACK, SYN_ACK.replace('[S.]', '[S.E]')])('past the NAT, and its RST: %s', async (synAck) => {
  expect(
    await short(...SYNS, at(4958, POD, CLIENT, synAck), at(5023, CLIENT, POD, RST(336_151_322))),
  ).toEqual(['untranslated-reply inferred path']);
});

const OPENED = [
  ...SYNS,
  at(4958, POD, CLIENT, SYN_ACK),
  at(5154, VIP, CLIENT, SYN_ACK),
  at(5175, CLIENT, VIP, ACK),
  at(5360, CLIENT, POD, ACK),
];

test('a later segment that went past the NAT', async () => {
  for (const seq of ['4294867297:4294867304', '1:8']) {
    const data = at(5445, POD, CLIENT, `Flags [P.], seq ${seq}, ack 1, win 213, length 7`);
    expect(await short(...OPENED, data, at(5600, CLIENT, POD, RST(336_151_322)))).toEqual([
      'untranslated-packet-reset inferred path',
    ]);
  }
});

test('a RST that went through the NAT as the segment did is none of these', async () => {
  const data = (us: number, from: string) =>
    at(us, from, CLIENT, 'Flags [P.], seq 1:8, ack 1, win 213, length 7');
  const found = await short(
    ...OPENED,
    data(5445, POD),
    data(5532, VIP),
    at(5600, CLIENT, VIP, RST(336_151_322)),
    at(5640, CLIENT, POD, RST(336_151_322)),
  );
  expect(found.join()).not.toMatch(/untranslated.*inferred/);
});

test('a paste that begins in the middle: numbers of a bare RST are absolute, all others relative', async () => {
  const [a, b] = ['192.0.2.131.51338', '192.0.2.104.5672'];
  const line = (s: string, from: string, to: string, rest: string) =>
    `08:50:0${s} IP ${from} > ${to}: ${rest}`;
  const sent = [
    line('6.080140', a, b, 'Flags [P.], seq 24230:24252, ack 41, win 237, length 22'),
    line('6.080188', b, a, 'Flags [.], seq 41, ack 24252, win 235, length 0'),
    line('7.082685', a, b, 'Flags [P.], seq 24252:24274, ack 41, win 237, length 22'),
  ];
  const reset = (win: number) => line('7.082700', b, a, `Flags [R], seq 3141592653, win ${win}, length 0`);
  expect(await short(...sent, reset(0))).toEqual(['no-socket-reset possible server']);
  // a window that Linux does not send, from a host that nothing says runs it
  const { findings } = await result(...sent, reset(255));
  expect(findings[0]).toMatchObject({ rule: 'unexplained-reset', confidence: 'possible' });
  expect(findings[0]!.summary).toMatch(/^Server 192\.0\.2\.104:5672 sent a RST; nothing here says why/);
  expect(findings[0]!.alternatives).toContain('middlebox-reset');
});

test('tcpdump -i any pads the direction P with more blanks than In and Out', async () => {
  const line = (s: string, place: string, from: string, to: string, flags: string, numbers: string) =>
    `02:26:53.59${s} ${place} IP ${from} > ${to}: Flags [${flags}], ${numbers}, win 65535, length 0`;
  const [a, b] = ['192.0.2.106.65340', '172.17.0.3.5005'];
  const { connections, diagnostics } = await result(
    line('9329', 'docker0 Out', a, b, 'S', 'seq 375692638'),
    line('9483', 'vetha9d3a9e P  ', b, a, 'S.', 'seq 3717500441, ack 375692639'),
  );
  expect(connections.map((c) => [c.clientSyns, c.serverSynAcks])).toEqual([[1, 1]]);
  expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

/** A client of Windows, without timestamps, and a server twelve hops away. */
const hops = (reset: { ttl: number; flags: string }, usual = 52) => {
  const line = (ms: number, from: string, ttl: number, flags: string, numbers: string) => {
    const to = from === '203.0.113.7.50000' ? '192.0.2.10.443' : '203.0.113.7.50000';
    return [
      `10:00:00.${String(ms).padStart(3, '0')}000 IP (tos 0x0, ttl ${ttl}, id 7, offset 0, flags [DF], proto TCP (6), length 40)`,
      `    ${from} > ${to}: Flags [${flags}], ${numbers}`,
    ];
  };
  const [client, server] = ['203.0.113.7.50000', '192.0.2.10.443'];
  return [
    ...line(
      0,
      client,
      128,
      'S',
      'seq 1000, win 64240, options [mss 1460,nop,wscale 8,nop,nop,sackOK], length 0',
    ),
    ...line(
      30,
      server,
      usual,
      'S.',
      'seq 9000, ack 1001, win 65160, options [mss 1460,nop,wscale 7], length 0',
    ),
    ...line(31, client, 128, '.', 'ack 1, win 512, length 0'),
    ...line(32, client, 128, 'P.', 'seq 1:201, ack 1, win 512, length 200'),
    ...line(62, server, usual, '.', 'ack 201, win 512, length 0'),
    ...line(63, server, usual, 'P.', 'seq 1:101, ack 201, win 512, length 100'),
    ...line(64, client, 128, 'P.', 'seq 201:501, ack 101, win 512, length 300'),
    ...(reset.flags === 'R'
      ? line(69, server, reset.ttl, 'R', 'seq 9101, win 0, length 0')
      : line(69, server, reset.ttl, 'R.', 'seq 101, ack 501, win 502, length 0')),
  ];
};

test('a RST from fewer hops away than all else of its host', async () => {
  for (const flags of ['R', 'R.'])
    expect(await short(...hops({ ttl: 61, flags }))).toEqual(['middlebox-reset inferred path']);
  // a hop more; the kernel's default where the socket has a TTL of its own; all packets at their sender
  for (const [ttl, usual] of [
    [51, 52],
    [52, 243],
    [64, 64],
  ] as const)
    for (const flags of ['R', 'R.'])
      expect((await short(...hops({ ttl, flags }, usual))).join()).not.toContain('middlebox');
});

test('lists of tcpdump before 3.9: TTL and numbers without SYN', async () => {
  const found = await short(
    '10:33:13.059502 server.22 > client.1284: P 2395903577:2395903653(76) ack 8368201 win 16080 (DF) [tos 0x10]  (ttl 46, id 18387)',
    '10:33:13.061540 client.1284 > server.22: P 8368201:8368245(44) ack 2395903653 win 8332 [tos 0x15]  (ttl 128, id 62508)',
    '10:33:13.202638 server.22 > client.1284: . 2395903653:2395903653(0) ack 8368245 win 16080 (DF) [tos 0x10]  (ttl 46, id 18388)',
    '10:33:19.873279 server.22 > client.1284: R 2395903653:2395903697(44) ack 8368245 win 8332 [tos 0x15]  (ttl 120, id 63020)',
  );
  expect(found).toEqual(['middlebox-reset inferred path']);
});

test('rows of a table that were counted are no table', async () => {
  const { diagnostics, findings } = await result(
    "[root@web ~]# netstat -ant | awk '{print $6}' | sort | uniq -c | sort -n",
    '      1 established)',
    '      1 Foreign',
    '    231 CLOSE_WAIT',
  );
  expect(findings.map((f) => f.rule)).toEqual(['close-wait-leak']);
  expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

test('what a firewall logged, or a kernel dropped, is no connection without a problem', async () => {
  const { servers } = await result(logged('1843.596125', 'SYN seen: '));
  expect(servers.map((s) => [s.connections, s.hurt, s.well])).toEqual([[1, 0, 0]]);
  const tracked = await result(
    'tcp      6 86400 ESTABLISHED src=10.8.6.97 dst=10.11.249.108 sport=46128 dport=80 src=10.11.249.108 dst=10.8.6.97 sport=80 dport=46128 [ASSURED] mark=0 use=1',
  );
  expect(tracked.servers.map((s) => [s.connections, s.hurt, s.well])).toEqual([[1, 0, 1]]);
});

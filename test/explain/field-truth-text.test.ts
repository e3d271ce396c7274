/** Pastes whose truth was written down before they were read: other languages, chats, wikis, tools of other systems. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { buildCharts } from '../../src/charts/index.ts';
import { focusOf } from '../../src/view/focus.ts';
import { overviewOf } from '../../src/view/overview.ts';

async function read(text: string) {
  const bytes = new TextEncoder().encode(text);
  const result = await analyze([{ name: 'x.txt', bytes }]);
  const short = result.findings.map((f) => `${f.rule} ${f.confidence} ${f.side}`);
  const lost = result.diagnostics.filter((d) => d.severity !== 'info').map((d) => d.message);
  return { result, short, lost };
}

const REFUSED = `12:00:00.000000 IP 127.0.0.1.40100 > 127.0.0.1.6379: Flags [S], seq 1234, win 65495, options [mss 65495], length 0
12:00:00.000010 IP 127.0.0.1.6379 > 127.0.0.1.40100: Flags [R.], seq 0, ack 1235, win 0, length 0`;

test('fences of Jira, and those of a chat on the lines of what they enclose, are no damage', async () => {
  const jira = await read(
    `{noformat}\n$ tcpdump -nn -i lo\n${REFUSED}\n{noformat}\n*Note* {{redis}} is down.\n`,
  );
  expect(jira.short).toEqual(['connection-refused inferred server']);
  expect(jira.lost).toEqual([]);
  const rows = `Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        1      0 192.0.2.10:443          198.51.100.7:50001      CLOSE_WAIT  -`;
  const chat = await read(
    `Bob 10:42 AM\n\`\`\`root@db1:~# netstat -antp\n${rows}\`\`\`\nAlice 10:44 AM\nthanks\n`,
  );
  expect(chat.short.map((s) => s.split(' ')[0])).toEqual(['close-wait-leak']);
  expect(chat.lost).toEqual([]);
  // the prompt on the line of the fence says where
  expect(chat.result.incidents[0]!.who.join()).toContain('db1');
});

test.each([
  ['German', 'Aktive Internetverbindungen (Server und stehende Verbindungen)', 'VERBUNDEN'],
  ['Spanish', 'Conexiones activas de Internet (servidores y establecidos)', 'ESTABLECIDO'],
])('netstat in %s', async (_, title, established) => {
  const { result, lost } = await read(`$ netstat -tanp
${title}
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        1      0 192.0.2.10:8443         198.51.100.7:44013      CLOSE_WAIT  912/java
tcp        0      0 192.0.2.10:22           198.51.100.7:44015      ${established}   900/sshd
`);
  expect(lost).toEqual([]);
  expect(result.connections.map((c) => c.server.port)).toEqual([8443, 22]);
});

test('Get-NetTCPConnection as a list', async () => {
  const one = (port: number, state: string) =>
    `LocalAddress   : 192.0.2.10\nLocalPort      : ${port}\nRemoteAddress  : 198.51.100.9\nRemotePort     : 443\nState          : ${state}\nAppliedSetting : Internet\nOwningProcess  : 4120\nCreationTime   : 6/26/2024 12:00:00 PM\nOffloadState   : InHost\n`;
  const { short, lost, result } = await read(
    `PS C:\\> Get-NetTCPConnection | fl\n\n${one(52_012, 'CloseWait')}\n${one(52_013, 'Established')}\n`,
  );
  expect(lost).toEqual([]);
  expect(result.connections).toHaveLength(2);
  expect(short).toEqual(['close-wait-leak possible client']);
  expect(result.findings[0]!.summary).toContain('Process 4120');
});

test.each([
  ['without its process', [], 'which the table does not show'],
  ['its process first', ['OwningProcess  : 4120\n', ''], 'Process 4120'],
  ['its process last', ['', 'OwningProcess  : 4120\n'], 'Process 4120'],
])('Get-NetTCPConnection | Select-Object … as a list, %s', async (_how, [first = '', last = ''], who) => {
  const ends = 'LocalPort      : 52012\nRemoteAddress  : 198.51.100.9\nRemotePort     : 443\n';
  const { short, lost, result } = await read(
    `PS C:\\> Get-NetTCPConnection | Select-Object * | fl\n\nLocalAddress   : 192.0.2.10\n${first}${ends}State          : CloseWait\n${last}\n`,
  );
  expect(lost).toEqual([]);
  expect(short).toEqual(['close-wait-leak possible client']);
  expect(result.findings[0]!.summary).toContain(who);
});

test('tables of a wiki or of Markdown hold columns', async () => {
  for (const head of [
    '|State|Recv-Q|Send-Q|Local|Peer|\n|---|---|---|---|---|',
    '||State||Recv-Q||Send-Q||Local||Peer||',
  ]) {
    const { short } = await read(
      `${head}\n| CLOSE-WAIT | 1 | 0 | 192.0.2.10:8443 | 198.51.100.7:44013 |\n| CLOSE-WAIT | 1 | 0 | 192.0.2.10:8443 | 198.51.100.7:44014 |\n`,
    );
    expect(short).toEqual(['close-wait-leak possible server', 'close-wait-leak possible server']);
  }
});

test('rows with a cell as long as a line may be are read in no time', async () => {
  const began = performance.now();
  await read(`|a${' '.repeat(60_000)}b|c|d|\n`.repeat(3));
  expect(performance.now() - began).toBeLessThan(2000);
});

test('pktmon on the console shows a packet at each component: it is one, and has a time', async () => {
  const seen = (time: string, n: number, line: string) =>
    `12:00:00.${time}00 PktGroupId 1, PktNumber 1, Appearance ${n}, Direction Tx , Type Ethernet , Component ${n}, Edge 1, Filter 1, OriginalSize 66, LoggedSize 66 \n\t00-15-5D-00-00-01 > 00-15-5D-00-00-02, ethertype IPv4 (0x0800), length 66: ${line}`;
  const syn =
    '192.0.2.10.52011 > 198.51.100.9.443: Flags [S], seq 2812412345, win 64240, options [mss 1460], length 0';
  const { result, lost } = await read(
    `${[1, 2, 3].map((n) => seen(`12345${n}`, n, syn)).join('\n')}\n${seen('123999', 1, '198.51.100.9.443 > 192.0.2.10.52011: Flags [R.], seq 0, ack 2812412346, win 0, length 0')}\n`,
  );
  expect(lost).toEqual([]);
  expect(result.connections).toMatchObject([
    { clientPackets: 1, serverPackets: 1, closeRule: 'connection-refused' },
  ]);
  expect(result.incidents[0]!.since).toContain('12:00:00.123');
});

test('LAST_ACK with a retransmission timer is LAST_ACK, and no FIN_WAIT1', async () => {
  const row = (state: string) =>
    `State Recv-Q Send-Q Local Address:Port Peer Address:Port\n${state} 0 1 [2001:db8::10]:443 [2001:db8::7]:44013 timer:(on,1min2sec,7)\n`;
  expect((await read(row('LAST-ACK'))).short).toEqual(['last-ack-stuck inferred server']);
  expect((await read(row('CLOSING'))).short.map((s) => s.split(' ')[0])).toContain('closing-stuck');
  expect((await read(row('FIN-WAIT-1'))).short).toEqual(['fin-unacknowledged inferred server']);
});

test('ends of connections alone leave no states to draw', async () => {
  const { result } = await read(
    'TIME,PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS\n23:39:38,7972,curl,4,192.0.2.10,40100,198.51.100.9,443,0,3,32.50\n23:39:38,7999,java,4,192.0.2.10,8080,198.51.100.7,51000,12,1,60012.01\n',
  );
  expect(result.connections).toHaveLength(2);
  expect(() => buildCharts(result)).not.toThrow();
});

const logged = (stamp: string, prefix: string, end: string) =>
  `${stamp} ${prefix}IN=eth0 OUT= MAC=52:54:00:aa:bb:cc:52:54:00:dd:ee:ff:08:00 SRC=198.51.100.7 DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=54321 DF PROTO=TCP SPT=44013 DPT=8080 WINDOW=64240 RES=0x00 ${end} URGP=0 `;

test('a log with the time of day and that since the boot: the time of day is when, the other how far apart', async () => {
  const { result } = await read(
    `${logged('Jan 12 10:00:01 fw kernel: [12345.678901]', '[UFW BLOCK] ', 'SYN')}\n${logged('Jan 12 10:00:03 fw kernel: [12346.708901]', '[UFW BLOCK] ', 'SYN')}\n`,
  );
  const [view] = overviewOf(focusOf(result)).incidents;
  expect(view!.facts[0]).toEqual({ label: 'When', text: '10:00:01 by the local clock of the logs' });
  const times = result.timeline.filter((t) => t.at !== null).map((t) => t.at!);
  expect((times[1]! - times[0]!) / 1e6).toBeCloseTo(1030);
  // since the boot alone is not since the first event
  const boot = await read(`${logged('[12345.678901]', '[UFW BLOCK] ', 'SYN')}\n`);
  expect(overviewOf(focusOf(boot.result)).incidents[0]!.facts[0]!.text).not.toContain('first event');
});

test('a rule that rejects is not said to have dropped', async () => {
  const { result } = await read(`${logged('Jan 12 10:00:01 fw kernel:', 'FINAL_REJECT: ', 'SYN')}\n`);
  expect(result.findings[0]!.summary).toContain('says that it rejected 1 SYN');
});

test('a packet that a log shows passing, or dropped later than its SYN: what became of it is not known, and nobody is called healthy', async () => {
  for (const [prefix, flags] of [
    ['[UFW ALLOW] ', 'SYN'],
    ['nft-drop-invalid: ', 'ACK FIN'],
  ] as const) {
    const { result } = await read(`${logged('Jan 12 10:00:01 fw kernel:', prefix, flags)}\n`);
    const { headline, healthy } = overviewOf(focusOf(result));
    expect(headline).toBe(
      'These files do not show what became of 1 of 1 connection, nor the cause of a problem.',
    );
    expect(healthy()).toEqual([]);
  }
});

test('a wait before the tool at a prompt', async () => {
  const reading = (n: number) =>
    `    ${n} times the listen queue of a socket overflowed\n    ${n} SYNs to LISTEN sockets dropped\n`;
  const { short, lost } = await read(
    `$ netstat -s | grep -i listen\n${reading(1200)}$ sleep 10; netstat -s | grep -i listen\n${reading(1344)}`,
  );
  expect(lost).toEqual([]);
  expect(short).toEqual(['accept-queue-overflow-syn inferred server']);
});

test.each([
  [
    'version vpc-id subnet-id instance-id interface-id account-id type srcaddr dstaddr srcport dstport',
    'VPC flow logs',
  ],
  ['{"records":[{"category":"NetworkSecurityGroupFlowEvent","properties":{}}]}', 'flow logs of Azure'],
  [
    '{"jsonPayload":{"reporter":"SRC"},"logName":"projects/x/logs/compute.googleapis.com%2Fvpc_flows"}',
    'Google Cloud',
  ],
  ['{"timestamp":"2024-06-26T12:00:00.1+0000","event_type":"flow","flow":{"pkts_toserver":3}}', 'Suricata'],
  ['Tracing TCP RTT... Hit Ctrl-C to end.\n     msecs               : count     distribution', 'tcprtt'],
  ['     0.000 ( 0.012 ms): curl/4711 connect(fd: 5, addrlen: 16) = -1 EINPROGRESS', 'perf trace'],
  ['# ./tcpretrans -c\nLADDR:LPORT              RADDR:RPORT             RETRANSMITS', 'tcpretrans -c'],
  ['# netstat -Lan\nCurrent listen queue sizes (qlen/incqlen/maxqlen)\ntcp4  193/0/128  *.80', 'netstat -L'],
])('%s: what it looks like is named', async (text, what) => {
  const { lost } = await read(`${text}\n`);
  expect(lost.join()).toMatch(/It looks like /);
  expect(lost.join()).toContain(what);
});

test('a RST that a trace alone shows, and one in flows, is no healthy connection', async () => {
  const trace = (reason: string, address: string) =>
    `          <idle>-0       [000] ..s2.  7113.121212: tcp_send_reset: skbaddr=0000000011111111 skaddr=${address} src=192.0.2.10:9000 dest=198.51.100.7:44013 state=UNKNOWN reason=${reason}\n`;
  const refused = await read(trace('NO_SOCKET', '0000000000000000'));
  expect(refused.short).toEqual(['connection-refused possible server']);
  expect(overviewOf(focusOf(refused.result)).healthy()).toEqual([]);
  expect((await read(trace('TCP_INVALID_ACK_SEQUENCE', '0000000000000000'))).short).toEqual([
    'unexplained-reset possible server',
  ]);
  const flow = (time: string, arrow: string, flags: string) =>
    `Jun 26 12:00:00.${time}: ns/client:43806 (ID:1739) ${arrow} ns/server:8080 (ID:2001) to-endpoint FORWARDED (TCP Flags: ${flags})`;
  const flows = await read(
    `${flow('123', '->', 'SYN')}\n${flow('124', '<-', 'SYN, ACK')}\n${flow('125', '->', 'ACK')}\n${flow('200', '->', 'ACK, RST')}\n`,
  );
  expect(flows.short).toEqual(['unexplained-reset possible client']);
  // the names, and no address that stands for them
  const { incidents } = overviewOf(focusOf(flows.result));
  expect(incidents[0]!.facts.find((f) => f.label === 'Who')!.text).toContain('ns/client');
});

test('tcpdump with names: no sentence has the address that stands for one', async () => {
  const { result } = await read(
    '10:00:00.000000 IP app1.40000 > db1.5432: Flags [S], seq 1000, win 64240, options [mss 1460], length 0\n10:00:00.000070 IP router1 > app1: ICMP host db1 unreachable - admin prohibited filter, length 68\n',
  );
  const [found] = result.findings;
  expect(found).toMatchObject({ rule: 'icmp-rejected' });
  expect(`${found!.summary} ${found!.remedy}`).not.toContain('100::');
  expect(found!.remedy).toContain('db1');
});

test('a clock below the command that printed it is of the table below it', async () => {
  const at = (time: string, command: string, ...rows: string[]) =>
    [`$ date; ${command}`, `Wed Jun 26 ${time} UTC 2024`, ...rows].join('\n');
  const row = (port: number) =>
    `CLOSE-WAIT 1 0 192.0.2.10:8080 198.51.100.7:${port} users:(("java",pid=912,fd=61))`;
  const { result } = await read(
    `${at('12:00:00', 'ss -tanp', row(44_013), row(44_014))}\n${at('12:10:00', 'ss -tanp', row(44_013), row(44_015))}\n`,
  );
  const times = result.timeline.filter((t) => t.kind === 'socket').map((t) => t.time.slice(11, 19));
  expect(times.sort()).toEqual(['12:00:00', '12:00:00', '12:10:00', '12:10:00']);
  const count = (n: number) => ['#kernel', `TcpExtListenOverflows           ${n}               0.0`];
  const counters = await read(
    `${at('12:00:00', 'nstat -az TcpExtListenOverflows', ...count(1200))}\n${at('12:01:00', 'nstat -az TcpExtListenOverflows', ...count(1344))}\n`,
  );
  expect(counters.result.inputs[0]).toMatchObject({ first: expect.stringContaining('12:00:00') });
});

test.each([
  [
    '-e of a link without a header',
    (a: string, b: string) => `1719403200.000000 ip: ${a} > ${b}: `,
    '192.0.2.10.',
    '198.51.100.9.',
  ],
  [
    'extension headers',
    (a: string, b: string) =>
      `12:00:00.000000 IP6 ${a.slice(0, a.lastIndexOf('.'))} > ${b.slice(0, b.lastIndexOf('.'))}: HBH (padn) ${a.slice(a.lastIndexOf('.') + 1)} > ${b.slice(b.lastIndexOf('.') + 1)}: `,
    '2001:db8::10.',
    '2001:db8:1::9.',
  ],
])('tcpdump with %s', async (_, line, a, b) => {
  const { short, lost } = await read(
    `${line(`${a}40100`, `${b}443`)}Flags [S], seq 1000, win 64240, options [mss 1460], length 0\n${line(`${b}443`, `${a}40100`)}Flags [R.], seq 0, ack 1001, win 0, length 0\n`,
  );
  expect(short).toEqual(['connection-refused inferred server']);
  expect(lost).toEqual([]);
});

test('what ss -K lists it has destroyed: nothing is in those states', async () => {
  const row = (state: string, port: number) =>
    `tcp   ${state} 1      0      192.0.2.10:5432     198.51.100.7:${port}`;
  const table = [
    'Netid State      Recv-Q Send-Q Local Address:Port  Peer Address:Port',
    row('CLOSE-WAIT', 44_013),
  ];
  const killed = await read(['root@db1:~# ss -K dst 198.51.100.7', ...table, ''].join('\n'));
  expect(killed.short).toEqual([]);
  expect(killed.lost).toEqual([]);
  expect(killed.result.diagnostics.map((d) => d.code)).toContain('ss-destroyed');
  const listed = await read(['root@db1:~# ss -ta dst 198.51.100.7', ...table, ''].join('\n'));
  expect(listed.short).toEqual(['close-wait-leak possible server']);
});

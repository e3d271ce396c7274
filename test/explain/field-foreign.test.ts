/** Text as other systems, other languages and what stands between print and pass it on: what is told of it. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const of = async (text: string) => analyze([writeText('x.txt', text)]);
const SYN = '10.0.0.5.50111 > 10.0.9.9.443: Flags [S], seq 1000, win 64240, options [mss 1460], length 0';
const RST = '10.0.9.9.443 > 10.0.0.5.50111: Flags [R.], seq 0, ack 1001, win 0, length 0';
const REFUSED = ['connection-refused inferred'];
const PKTMON = (time: string, appearance: number) =>
  `[0]0000.0000::2025-07-01 10:00:00.${time}00 [Microsoft-Windows-PktMon] PktGroupId 1, PktNumber 1, Appearance ${appearance}, Direction Tx , Type Ethernet`;
const MACS = '\t00-15-5D-01-02-03 > 00-15-5D-01-02-04, ethertype IPv4 (0x0800), length 66:';
const AGAIN = (second: number) =>
  `10:00:0${second}.000001 IP (tos 0x0, ttl 64, id ${second}, offset 0, flags [DF], \nproto TCP (6), length 60)\n    10.0.0.5.50111 > 203.0.113.9.443: Flags [S], cksum 0x1234 (correct),\n seq 100, win 64240, options [mss 1460,sackOK,TS val ${second} ecr 0,nop,wscale\n 7], length 0\n`;

test.each<[what: string, text: string, claims: string[]]>([
  [
    'show capture of a Cisco ASA',
    '   1: 10:00:00.123456       802.1Q vlan#100 P0 10.0.0.5.50111 > 10.0.9.9.443: S 1000:1000(0) win 64240 <mss 1460> \n   2: 10:00:00.123956       802.1Q vlan#100 P0 10.0.9.9.443 > 10.0.0.5.50111: R 0:0(0) ack 1001 win 0 \n2 packets shown\n',
    REFUSED,
  ],
  [
    'pktmon, with a packet at two components',
    `${PKTMON('1234567', 1)}\n${MACS} ${SYN}\n${PKTMON('1234597', 2)}\n${MACS} ${SYN}\n${PKTMON('1244567', 1)}\n${MACS} ${RST}\n`,
    REFUSED,
  ],
  [
    'stern',
    `web-7d9f-abcde sniffer 10:11:12.000001 IP ${SYN}\nweb-7d9f-abcde sniffer 10:11:12.000081 IP ${RST}\n`,
    REFUSED,
  ],
  [
    'bytes of -x behind blanks',
    `10:11:12.000001 IP ${SYN}\n        0x0000:  4500 003c 005d 4000  E..<.]@.\n10:11:12.000081 IP ${RST}\n`,
    REFUSED,
  ],
  [
    "a packet that Wireshark printed, with an old version's service names",
    'No.     Time           Source                Destination           Protocol Length Info\n    137 7.464318000    192.168.178.25        107.20.203.175        TCP      78     49877 > ibm-mqisdp [SYN] Seq=0 Win=64240 Len=0 MSS=1460\n\nFrame 137: 78 bytes on wire (624 bits)\n    Interface id: 0\nTransmission Control Protocol, Src Port: 49877\n\nNo.     Time           Source                Destination           Protocol Length Info\n    138 7.474318000    107.20.203.175        192.168.178.25        TCP      66     ibm-mqisdp > 49877 [RST, ACK] Seq=1 Ack=1 Win=0 Len=0\n',
    REFUSED,
  ],
  [
    'VXLAN, with the inner packet on a line of its own',
    `10:11:12.000001 IP 192.168.0.1.41234 > 192.168.0.2.4789: VXLAN, flags [I] (0x08), vni 1\nIP ${SYN}\n10:11:12.000081 IP 192.168.0.2.51234 > 192.168.0.1.8472: OTV, flags [I] (0x08), overlay 0, instance 1\nIP ${RST}\n`,
    REFUSED,
  ],
  ['tcpdump -v, wrapped by mail', AGAIN(0) + AGAIN(1) + AGAIN(3), ['unanswered-syn possible']],
  [
    'tcpdump -t',
    `IP ${SYN}\nIP ${SYN.replace('mss 1460', 'mss 1460,TS val 9 ecr 0')}\n`,
    ['unanswered-syn possible'],
  ],
  [
    'tcpdump -t, and an ICMP error',
    `IP ${SYN}\nIP 192.0.2.254 > 10.0.0.5: ICMP host 10.0.9.9 unreachable - admin prohibited, length 68\n`,
    ['icmp-rejected inferred'],
  ],
  [
    'time exceeded, of a traceroute perhaps',
    `10:00:00.000000 IP ${SYN}\n10:00:00.010000 IP 10.0.0.254 > 10.0.0.5: ICMP time exceeded in-transit, length 36\n10:00:01.000000 IP ${SYN}\n`,
    ['unanswered-syn possible'],
  ],
  [
    'SYNs that tcpretrans saw',
    '01:55:05 0      4  10.0.0.5:50111       R> 203.0.113.9:443      SYN_SENT\n01:55:07 0      4  10.0.0.5:50111       R> 203.0.113.9:443      SYN_SENT\n',
    ['unanswered-syn possible'],
  ],
  [
    'probe timer of netstat',
    'tcp        0  65000 10.0.0.7:8080           10.0.0.51:40114         ESTABLISHED 812/java             probe (20.10/0/7)\n',
    ['peer-window-closed inferred'],
  ],
])('%s', async (_, text, claims) => {
  const { findings, connections, diagnostics } = await of(text);
  expect(findings.map((f) => `${f.rule} ${f.confidence}`)).toEqual(claims);
  expect(connections).toHaveLength(1);
  expect(diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
});

test('two lists of -ttttt, one behind the other: each has its own times', async () => {
  const first = ` 00:00:00.000000 IP ${SYN}\n 00:00:05.000200 IP ${RST}\n`;
  const other = first.replaceAll('50111', '50222').replace(`05.000200 IP`, '01.000000 IP');
  const { connections, inputs } = await of(`${first}\n${other}`);
  expect(inputs).toHaveLength(2);
  expect(connections.map((c) => c.durationS)).toEqual([5.0002, 1]);
});

test('who owns a socket, as macOS shows it', async () => {
  const header =
    'Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)      rhiwat  shiwat    pid   epid state\n';
  const newer = header.replace('rhiwat  shiwat    pid   epid', 'rxbytes txbytes rhiwat shiwat process:pid');
  const row = 'tcp4       0      0  192.168.1.23.62011     17.57.144.84.5223      CLOSE_WAIT';
  const old = await of(`${header}${row}   131072  131768    345      0 00106\n`);
  expect(old.findings[0]!.summary).toContain('Process 345 ');
  const now = await of(`${newer}${row}  1 2 131072  131768   Google Chrome He:345 00106\n`);
  expect(now.findings[0]!.summary).toContain('Process Google Chrome He (345) ');
});

test("busybox's table: addresses that fill the column are whole with five digits of a port", async () => {
  const row = (peer: string) => `tcp      227      0 ::ffff:172.18.0.3:3000  ${peer} CLOSE_WAIT  1/node\n`;
  const { findings } = await of(row('::ffff:172.18.0.1:51234'));
  expect(findings.map((f) => f.summary)).toEqual([expect.stringContaining('Process node (1)')]);
  const cut = await of(row('::ffff:172.18.100.1:512'));
  expect(cut.findings).toEqual([]);
  expect(cut.answers.map((a) => a.answer).join()).toContain('1 CLOSE_WAIT');
});

test("kernel log in other languages, a host's output in ansible, a policy that Cilium tells twice", async () => {
  const log = await of('[Di Jul  1 03:12:44 2025] nf_conntrack: nf_conntrack: table full, dropping packet\n');
  expect(log.findings.map((f) => f.rule)).toEqual(['conntrack-table-full']);
  const rows = (host: string, address: string) =>
    `${host} | CHANGED | rc=0 >>\nState      Recv-Q Send-Q Local Address:Port   Peer Address:Port\nCLOSE-WAIT 32     0          ${address}:8443      10.0.0.50:40112\n`;
  const hosts = await of(rows('web1', '10.0.0.7') + rows('web2', '10.0.0.8'));
  expect(hosts.inputs.map((i) => i.host)).toEqual(['web1', 'web2']);
  const flow = 'Jul  1 10:00:00.123: default/web:50111 (ID:1) <> default/db-0:5432 (ID:5)';
  const denied = await of(
    `${flow} policy-verdict:none INGRESS DENIED (TCP Flags: SYN)\n${flow} Policy denied DROPPED (TCP Flags: SYN)\n`,
  );
  expect(denied.findings[0]!.summary).toContain('dropped 1 SYN');
});

test.each([
  [
    'Oct 12 2025 08:15:25 fw1 : %ASA-6-302014: Teardown TCP connection 9 for outside:203.0.113.9/443',
    'Cisco',
  ],
  ['0.545306 port1 in 10.0.0.5.50111 -> 10.0.9.9.443: syn 1463251209', 'FortiGate'],
  ['  1   0.00000 10.0.0.5 -> 10.0.9.9 TCP D=443 S=50111 Syn Seq=1000 Len=0 Win=64240', 'snoop'],
  ['{"index":{"_index":"packets-2025-07-01","_type":"doc"}}', 'tshark -T json'],
])('%s: named, with what can be read', async (line, name) => {
  const { diagnostics } = await of(`${line}\n`);
  expect(diagnostics[0]!.message).toContain(`${name}`);
  expect(diagnostics[0]!.message).toContain('what can be read is');
});

test('packets whose entry clashed with another are dropped for no want of room', async () => {
  const row = (failed: number, dropped: number) =>
    `cpu=0   \tfound=0 invalid=0 insert=0 insert_failed=${failed} drop=${dropped} early_drop=0 error=0 search_restart=0\n`;
  const rules = async (text: string) => (await of(text)).findings.map((f) => f.rule);
  expect(await rules(row(89, 89))).toEqual([]);
  expect(await rules(row(89, 189))).toEqual(['conntrack-table-full']);
  const twice = (...rows: string[]) => rows.map((r) => `root@fw:~# conntrack -S\n${r}`).join('');
  expect(await rules(twice(row(0, 0), row(40, 40)))).not.toContain('conntrack-table-full');
});

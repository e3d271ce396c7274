/** The same packets as other tools and options print or cut them: what is told of them stays the same. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { readCapture, writeCapture, writeText } from './captures.ts';
import { type Line, printed, stamp } from './printed.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples/field');
const of = async (text: string) => analyze([writeText('x.txt', text)]);
const claims = async (text: string) => (await of(text)).findings.map((f) => `${f.rule} ${f.confidence}`);
const [A, B] = ['10.0.0.1.40000', '10.0.0.2.445'];
const OPENED: readonly Line[] = [
  [0, A, B, 'Flags [S], seq 1000, win 64240, options [mss 1460], length 0'],
  [0.04, B, A, 'Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0'],
  [0.0401, A, B, 'Flags [.], ack 1, win 502, length 0'],
  [0.1, A, B, 'Flags [P.], seq 1:11, ack 1, win 502, length 10'],
  [0.14, B, A, 'Flags [P.], seq 1:101, ack 11, win 502, length 100'],
  [0.1401, A, B, 'Flags [.], ack 101, win 502, length 0'],
];

test('-ttt without its command line: times since the packet before are added up', async () => {
  const race: Line[] = [
    ...OPENED,
    [60, A, B, 'Flags [P.], seq 11:83, ack 101, win 502, length 72'],
    [60.014, B, A, 'Flags [F.], seq 101, ack 11, win 502, length 0'],
    [60.015, A, B, 'Flags [.], ack 102, win 502, length 0'],
    [60.039, B, A, 'Flags [R], seq 5101, win 0, length 0'],
  ];
  const expected = await claims(printed(race));
  expect(expected).toContain('keep-alive-race inferred');
  const deltas = await of(printed(race, { time: (at, before) => ` ${stamp(at - before)}` }));
  expect(deltas.findings.map((f) => `${f.rule} ${f.confidence}`)).toEqual(expected);
  expect(deltas.diagnostics.map((d) => `${d.code} ${d.severity}`)).toContain('times-fall info');
});

test('times since the packet before are added up over packets of other protocols', async () => {
  const other = (at: number): Line => [at, '10.0.0.1.5353', '10.0.0.9.53', 'UDP, length 40'];
  const lines: Line[] = [
    ...OPENED,
    other(20),
    other(40),
    [60, A, B, 'Flags [P.], seq 11:83, ack 101, win 502, length 72'],
  ];
  const [connection] = (await of(printed(lines, { time: (at, before) => ` ${stamp(at - before)}` })))
    .connections;
  expect(connection!.durationS).toBeCloseTo(60, 3);
  const row = ([at, , , what]: Line, before: number, n: number) =>
    `${n}\t${(at - before).toFixed(6)}\t10.0.0.1\t10.0.0.2\t${what.startsWith('UDP') ? 'DNS\t74\tStandard query' : `TCP\t74\t40000 → 80 [SYN] Seq=0 Win=64240 Len=0`}\n`;
  const [listed] = (await of(lines.map((l, i) => row(l, lines[i - 1]?.[0] ?? 0, i + 1)).join('')))
    .connections;
  expect(listed!.durationS).toBeCloseTo(60, 3);
});

const closed = (probes: number): Line[] => [
  ...OPENED,
  [0.2, B, A, 'Flags [.], seq 101:1549, ack 11, win 502, length 1448'],
  [0.201, A, B, 'Flags [.], ack 1549, win 0, length 0'],
  ...Array.from({ length: probes }, (_, i): Line[] => [
    [0.4 * 2 ** i, B, A, 'Flags [.], ack 11, win 502, length 0'],
    [0.4 * 2 ** i + 0.001, A, B, 'Flags [.], ack 1549, win 0, length 0'],
  ]).flat(),
];

test('probes of a closed window, whose number tcpdump does not print', async () => {
  expect(await claims(printed(closed(5)))).toContain('peer-window-closed inferred');
});

test('an ACK that says the same again because data came again is no probe', async () => {
  const again: Line[] = Array.from({ length: 4 }, (_, i): Line[] => [
    [1 + i, A, B, 'Flags [P.], seq 11:21, ack 101, win 502, length 10'],
    [1.001 + i, B, A, 'Flags [.], ack 11, win 502, length 0'],
  ]).flat();
  expect(await claims(printed([...OPENED, ...again]))).not.toContain('peer-window-closed inferred');
});

test("an ICMP error in Wireshark's list is about the segment just sent", async () => {
  const row = (n: number, at: string, from: string, to: string, what: string) =>
    `${n}\t${at}\t${from}\t${to}\t${what}\n`;
  const syn = 'TCP\t74\t40000 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460';
  const error = 'ICMP\t82\tDestination unreachable (Communication administratively filtered)';
  const list =
    row(1, '0.000000', '10.0.0.1', '10.0.0.2', syn) + row(2, '0.000500', '10.0.0.254', '10.0.0.1', error);
  expect(await claims(list)).toEqual(['icmp-rejected inferred']);
  const two = row(1, '0.000000', '10.0.0.1', '10.0.0.3', syn) + list;
  expect(await claims(two)).not.toContain('icmp-rejected inferred');
});

test("an ICMP error in Wireshark's list may be about what else was just sent", async () => {
  const row = (n: number, from: string, to: string, what: string) =>
    `${n}\t0.00${n}000\t${from}\t${to}\t${what}\n`;
  const list =
    row(1, '10.0.0.1', '10.0.0.2', 'TCP\t74\t40000 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460') +
    row(2, '10.0.0.1', '10.0.0.53', 'DNS\t74\tStandard query 0x1 A x') +
    row(3, '10.0.0.53', '10.0.0.1', 'ICMP\t82\tDestination unreachable (Port unreachable)');
  expect((await claims(list)).join()).not.toContain('icmp-rejected');
});

test('an ICMP error of which a snap length of 68 left the ports', async () => {
  const { header, records } = readCapture(path.join(SAMPLES, 'between/icmp_admin-client.pcap'));
  const cut = records.map((r) => {
    const short = Buffer.from(r.subarray(0, 16 + 68));
    short.writeUInt32LE(Math.min(68, r.readUInt32LE(8)), 8);
    return short;
  });
  const { findings } = await analyze([writeCapture('cut.pcap', { header, records: cut })]);
  expect(findings.map((f) => `${f.rule} ${f.confidence}`)).toContain('icmp-rejected inferred');
});

test('a FIN that is ahead of what its side goes on to send was never a part of it (forged)', async () => {
  const forged: Line = [0.2, A, B, 'Flags [F.], seq 5011, ack 101, win 502, length 0'];
  const rest: Line[] = [
    [1, A, B, 'Flags [P.], seq 11:21, ack 101, win 502, length 10'],
    [1.01, B, A, 'Flags [F.], seq 101, ack 21, win 502, length 0'],
    [1.02, A, B, 'Flags [.], ack 102, win 502, length 0'],
    [1.03, A, B, 'Flags [F.], seq 21, ack 102, win 502, length 0'],
    [1.04, B, A, 'Flags [.], ack 22, win 502, length 0'],
  ];
  const { findings, connections } = await of(printed([...OPENED, forged, ...rest]));
  expect(findings.map((f) => f.rule)).not.toContain('simultaneous-close');
  expect(connections[0]).toMatchObject({ closedBy: 'server', closeRule: 'graceful-close' });
});

test('a FIN whose stream lacks something, sent again: the FIN that acknowledges it comes second', async () => {
  const fin = 'Flags [F.], seq 511, ack 101, win 502, length 0';
  const rest: Line[] = [
    [1, A, B, fin],
    [1.3, A, B, fin],
    [1.31, B, A, 'Flags [F.], seq 101, ack 512, win 502, length 0'],
    [1.32, A, B, 'Flags [.], ack 102, win 502, length 0'],
  ];
  const { findings, connections } = await of(printed([...OPENED, ...rest]));
  expect(findings.map((f) => f.rule)).not.toContain('simultaneous-close');
  expect(connections[0]!.closedBy).toBe('client');
});

test('a full SYN queue of a listener of IPv6, in the kernel log', async () => {
  const line =
    'Nov 30 10:00:01 web1 kernel: TCP: request_sock_TCPv6: Possible SYN flooding on port [::]:443. Sending cookies.\n';
  const [first] = (await of(line)).findings;
  expect(first!.summary).toContain('443');
});

const setting = (used: number | string) =>
  `net.netfilter.nf_conntrack_count = ${used}\nnet.netfilter.nf_conntrack_max = 262144\n`;

test('a connection tracking table without room, by its settings', async () => {
  expect(await claims(setting(262_144))).toEqual(['conntrack-table-full possible']);
  const { findings } = await of(setting(262_144));
  expect(findings.map((f) => f.evidence.map((e) => e.at))).toEqual([['line 1', 'line 2']]);
  expect(await claims(setting(200_000))).toEqual([]);
  expect(await claims(setting('unknown'))).toEqual([]);
});

test('connections that wait in a full queue, and the queue, are one problem', async () => {
  const row = (state: string, queued: number, limit: number, peer: string, who = '') =>
    `${state} ${queued} ${limit} 192.0.2.10:8443 ${peer} ${who}\n`;
  const table =
    'State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n' +
    row('LISTEN', 2, 1, '0.0.0.0:*', 'users:(("java",pid=812,fd=44))') +
    row('CLOSE-WAIT', 1, 0, '198.51.100.7:44013') +
    row('CLOSE-WAIT', 1, 0, '198.51.100.7:44014');
  const { incidents, findings } = await of(`# ss -tanp\n${table}`);
  expect(incidents.map((i) => i.cause.rule)).toEqual(['close-wait-unaccepted']);
  expect(findings.map((f) => f.rule)).toContain('accept-queue-overflow-syn');
  const other = table.split('\n').slice(0, 2).join('\n').replace('192.0.2.10', '192.0.2.11');
  const both = await of(`[root@web1 ~]# ss -tanp\n${table}[root@web2 ~]# ss -tanp\n${other}\n`);
  const queues = both.findings.filter((f) => f.rule === 'accept-queue-overflow-syn');
  expect(queues.map((f) => f.severity)).toEqual(['info', 'warning']);
});

/** Of one SYN, which is answered, and of its RST where `isThere`. */
const attempt = (at: number, i: number, isThere: boolean): Line[] => {
  const client = `10.9.${i}.1.${2000 + i}`;
  return [
    [at, client, B, `Flags [S], seq ${1000 + i}, win 512, length 0`],
    [at, B, client, `Flags [S.], seq 5000, ack ${1001 + i}, win 65160, options [mss 1460], length 0`],
    ...(isThere ? [[at, client, B, `Flags [R], seq ${1001 + i}, win 0, length 0`] as const] : []),
  ];
};

test('a SYN flood counts those whose forged address answered meanwhile, and the last of its SYNs', async () => {
  const checks = [0, 10, 30].flatMap((at, i) => attempt(at, 250 + i, true));
  const flood = Array.from({ length: 240 }, (_, i) => attempt(20 + i / 100, i, i % 6 === 0)).flat();
  const lines = [...checks.slice(0, 6), ...flood, ...checks.slice(6)];
  const { incidents } = await of(printed(lines));
  expect(incidents[0]!.headline).toContain('between 20 s and 22.39 s');
  expect(incidents[0]!.headline).toMatch(/240 connections from 240 addresses.*40 answered the SYN-ACK/);
});

test('SYNs that a firewall refuses with ICMP are no flood: connect() fails, and nothing more is sent', async () => {
  const at = (ms: number) => `12:00:${(ms / 1000).toFixed(6).padStart(9, '0')}`;
  const attempts = (isRefused: boolean) =>
    Array.from({ length: 150 }, (_, i) => {
      const syn = `${at(40 * i)} IP 10.9.0.${i}.40000 > 10.0.0.2.80: Flags [S], seq ${7 * i}, win 64240, length 0\n`;
      const error = `${at(40 * i + 1)} IP 10.0.0.254 > 10.9.0.${i}: ICMP 10.0.0.2 tcp port 80 unreachable, length 68\n`;
      return isRefused ? syn + error : syn;
    });
  const titles = async (lines: string[]) =>
    (await of(lines.join(''))).incidents.map((i) => i.cause.title).join();
  expect(await titles(attempts(false))).toContain('SYN flood');
  expect(await titles(attempts(true))).toBe('Refused with an ICMP error');
});

test('a SYN-ACK whose timestamp was cut off may answer an earlier SYN, late: it is of no timer', async () => {
  const option = (ts: string) => `[mss 1460,sackOK,${ts},nop,wscale 7]`;
  const lines = (cut: string): Line[] => [
    ...[0, 1, 2].map(
      (at): Line => [
        at,
        A,
        B,
        `Flags [S], seq 1000, win 64240, options ${option(`TS val ${1000 * (at + 1)} ecr 0`)}, length 0`,
      ],
    ),
    [3.0005, B, A, `Flags [S.], seq 5000, ack 1001, win 65160, options ${cut}, length 0`],
    [3.0006, A, B, 'Flags [.], ack 1, win 502, length 0'],
    [10, A.replace('40000', '40001'), B, 'Flags [S], seq 1, win 64240, options [mss 1460], length 0'],
    [10.0007, B, A.replace('40000', '40001'), 'Flags [S.], seq 5, ack 2, win 65160, length 0'],
  ];
  const lost = 'syn-ack-lost-';
  const rules = async (cut: string) => (await claims(printed(lines(cut)))).join();
  expect(await rules(option('TS val 77 ecr 3000'))).toContain(lost);
  expect(await rules(option('TS val 77 ecr 1000'))).not.toContain(lost);
  expect(await rules('[mss 1460,[|tcp]>')).not.toContain(lost);
});

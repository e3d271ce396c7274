/** Every format alone: read by its own reader, told of, in the timeline; what is not read is named with a way to get it. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { lineFormats } from '../../../src/read/formats.ts';
import { some } from '../../thorough.ts';
import { codes, formats, read, SAMPLES, sample } from './harness.ts';

const folder = `${SAMPLES}tools`;
/** Formats whose samples stand in the folder of another, or in documents. */
const ELSEWHERE = ['netstat-s', 'tcpdrop', 'tcptracer', 'bpftrace-walk'];
/** Settings say what may happen, and nothing of a connection. */
const SETTINGS = ['sysctl'];

const samplesOf = (id: string) =>
  readdirSync(`${folder}/${id}`)
    .filter((name) => /\.(?:txt|json|csv)$/.test(name))
    .map((name) => `${id}/${name}`);
const own = lineFormats.map((f) => f.id).filter((id) => !ELSEWHERE.includes(id));
const all = own.flatMap((id) => samplesOf(id));

it.each(own)('%s has a sample', (id) => expect(samplesOf(id)).not.toEqual([]));

describe('a sample is read by its own reader only', () => {
  it.each(all)('%s', (name) => {
    const [id] = name.split('/') as [string];
    const read = formats(readSampleOf(name));
    const allowed = name.startsWith('netstat/netstat-s') ? ['netstat-s'] : [id];
    expect(new Set(read)).toEqual(new Set(allowed));
  });
});

const readSampleOf = (name: string) => read(sample(`tools/${name}`));

describe('a sample alone is told of', () => {
  it.each(some(own, 14))('%s', async (id) => {
    const told = await Promise.all(
      samplesOf(id).map(async (name) => {
        const { connections, findings, answers, settings, timeline, story, inputs } = await analyze([
          { name, bytes: sample(`tools/${name}`) },
        ]);
        expect(inputs.length, name).toBeGreaterThan(0);
        const isTold = connections.length + findings.length + answers.length + settings.length > 0;
        if (connections.length + findings.length > 0)
          expect(story[0], name).not.toBe('No TCP connection was found in these files.');
        return { isTold, hasTimeline: timeline.length > 0 };
      }),
    );
    expect(told.some((t) => t.isTold)).toBe(true);
    if (!SETTINGS.includes(id)) expect(told.some((t) => t.hasTimeline)).toBe(true);
  });
});

describe('what is known and not read is named, with a way', () => {
  it.each([
    ['Frame 1: 74 bytes on wire (592 bits), 74 bytes captured (592 bits)', /tshark -T fields/],
    ['  {\n    "_index": "packets-2026-11-20",', /tshark -T fields/],
    ['"Severity","Summary","Group","Protocol","Count"', /Export Packet Dissections/],
    ['connect(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0', /strace/],
    ['Chain INPUT (policy DROP 12 packets, 720 bytes)', /LOG lines/],
    ['trace id 2cf0e1a4 inet filter input packet: iif "eth0"', /log prefix/],
    ['FUNC                                    COUNT', /tcpstates/],
    [
      "# Samples: 1K of event 'skb:kfree_skb'\n    62.01%    62.01%  swapper  [kernel.kallsyms]  [k] kfree_skb",
      /perf script/,
    ],
    ['@reason[3]: 14', /tcpdrop/],
    ['TCP Statistics for IPv4', /netstat -an/],
    ['tcp:\n\t26413 packets sent\n\t17 listen queue overflows', /netstat -an/],
    ['Transmission Control Protocol, Src Port: 443, Dst Port: 40001, Seq: 1, Len: 0', /Export Packet/],
    ['   Local Address        Remote Address    Swind Send-Q Rwind Recv-Q    State', /snoop/],
    ['Current listen queue sizes (qlen/incqlen/maxqlen)', /netstat -an/],
    ['USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS', /netstat -an/],
    [
      '   StartTime      Flgs  Proto   SrcAddr  Sport   Dir   DstAddr  Dport  TotPkts   TotBytes State',
      /capture/,
    ],
    ['10.0.0.2.38530 > 10.0.0.9.7800: Flags [S]', /whole lines/],
    ['2026/01/12 09:00:01 [error] 812#812: *55 recv() failed (104: Connection reset by peer)', /ss -tanpieo/],
    ['Jan 12 09:00:01 lb haproxy[900]: 192.0.2.77:51234 fe be/srv1 0/0/-1/-1/3001 503 217', /HAProxy/],
    ["curl: (7) Failed to connect to x port 443 after 21 ms: Couldn't connect to server", /who closed/],
    ['Error: connect ECONNREFUSED 10.0.0.9:8080', /who closed/],
    ['read tcp 10.0.0.1:5000->10.0.0.2:80: read: connection reset by peer', /who closed/],
    ['1768208400.000000\tC1\t192.0.2.10\t40001\t198.51.100.20\t443\ttcp\t-', /Zeek/],
  ])('%s', (text, way) => {
    const [diagnostic] = read(`${text}\n`).diagnostics;
    expect(diagnostic?.code).toBe('unknown-format');
    expect(diagnostic?.message).toMatch(way);
  });

  it('and prose is named as nothing', () => {
    const [diagnostic] = read('The server was slow this morning.\nNobody knows why.\n').diagnostics;
    expect(diagnostic?.message).not.toMatch(/looks like/);
  });
});

describe('new tables', () => {
  it('of calls are read by their headings, names of processes with blanks too', () => {
    const out = read(
      'TIME     PID    COMM           RADDR                RPORT LADDR               LPORT BL\n' +
        '00:34:19 3949 web worker 1    198.51.100.27        44226 192.0.2.26          8080  0/128\n',
    );
    expect(out.events).toMatchObject([
      { kind: 'call', call: 'accept', pid: 3949, comm: 'web worker 1', local: { port: 8080 } },
    ]);
    expect(codes(out)).toEqual([]);
  });

  it('of lsof: a socket that several processes share is one row', () => {
    const row = 'nginx 11 root 4u IPv4 12 0t0 TCP 192.0.2.10:80->198.51.100.7:4000 (CLOSE_WAIT)';
    const out = read(`${row}\n${row.replace('11', '12')}\n`);
    expect(out.events.filter((e) => e.kind === 'socket')).toHaveLength(1);
  });

  it('of conntrack -S: CPUs are added up, and the tool again is the next reading', async () => {
    const name = 'conntrack-stats/conntrack-S.txt';
    const readings = readSampleOf(name).events.filter((e) => e.kind === 'counters');
    expect(readings.map((e) => e.values.get('conntrack_invalid'))).toEqual([0, 10]);
    const full = sample(`tools/${name}`)
      .toString()
      .replace(/(invalid=10.*?) drop=0/, '$1 drop=7');
    const { findings } = await analyze([{ name, bytes: Buffer.from(full) }]);
    expect(findings).toMatchObject([
      { rule: 'conntrack-table-full', confidence: 'inferred' },
      { rule: 'untranslated-packet-reset', confidence: 'possible' },
    ]);
  });

  it('of tshark -T fields: without numbers segments came by, and no retransmission is claimed', async () => {
    const line = '1\t0.0\t198.51.100.7\t192.0.2.10\t44013\t8080\t0x0018'.replace('0.0', '0.000000');
    const { findings, connections } = await analyze([
      { name: 'x.txt', bytes: Buffer.from(`${line}\n${line.replace('0.000000', '1.000000')}\n`) },
    ]);
    expect(connections).toHaveLength(1);
    expect(findings).toEqual([]);
  });

  it('of tshark -T fields without tcp.ack: an ACK of nothing is not made up', async () => {
    const there = '10.0.0.1\t10.0.0.2\t4000\t80\t';
    const back = '10.0.0.2\t10.0.0.1\t80\t4000\t';
    const rows = [
      ['0x0002', 0, ''],
      ['0x0012', 0, 1],
      ['0x0010', 1, 1],
      ['0x0011', 1, 1],
      ['0x0011', 1, 2],
      ['0x0010', 2, 2],
    ] as const;
    const names =
      'frame.time_relative\tip.src\tip.dst\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq\ttcp.len\ttcp.window_size';
    const text = (isAcked: boolean) =>
      [
        isAcked ? `${names}\ttcp.ack` : names,
        ...rows.map(([flags, seq, ack], i) => {
          const line = `0.${i}\t${i === 1 || i === 4 ? back : there}${flags}\t${seq}\t0\t64240`;
          return isAcked ? `${line}\t${ack}` : line;
        }),
      ].join('\n');
    expect(read(text(true)).packets).toHaveLength(rows.length);
    expect(read(text(false)).packets).toHaveLength(1);
    const { findings } = await analyze([{ name: 'x.txt', bytes: Buffer.from(text(false)) }]);
    expect(findings.map((f) => f.rule)).not.toContain('simultaneous-close');
  });

  it('of tshark -T fields without the window, or without numbers: a SYN has its answer, and a RST is told', async () => {
    const ends = ['10.0.0.1\t10.0.0.2\t4000\t80', '10.0.0.2\t10.0.0.1\t80\t4000'];
    const names =
      'frame.time_epoch\tip.src\tip.dst\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq\ttcp.ack\ttcp.len';
    const numbers = ['0x0002\t0\t0\t0', '0x0012\t0\t1\t0', '0x0010\t1\t1\t0', '0x0014\t1\t1\t0'];
    const rows = numbers.map((n, i) => `170000000${i}.5\t${ends[i % 2]}\t${n}`);
    const of = async (...lines: string[]) => {
      const { findings, connections, servers } = await analyze([
        { name: 'x.txt', bytes: Buffer.from(lines.join('\n')) },
      ]);
      expect(servers).toMatchObject([{ connections: 1, hurt: 1, well: 0 }]);
      expect(findings).toMatchObject([{ severity: 'warning', confidence: 'possible' }]);
      return { rule: findings[0]!.rule, fact: findings[0]!.evidence[0]!.fact, row: connections[0]! };
    };
    const windowless = await of(names, ...rows);
    expect(windowless.row).toMatchObject({ closeKind: 'rst', resetBy: 'server', clientPackets: 2 });
    expect(windowless.fact).toBe('server 10.0.0.2:80 sent RST|ACK');
    for (const columns of [6, 7]) {
      const few = [names, ...rows].map((line) => line.split('\t').slice(0, columns).join('\t'));
      const told = await of(...few);
      expect(told).toMatchObject({ rule: 'unexplained-reset', fact: 'RST|ACK came by' });
      expect(told.row).toMatchObject({ closeKind: 'rst', resetBy: 'server' });
    }
  });

  it('of tshark -T fields: a cell without a window is no window of 0', () => {
    const names =
      'frame.time_epoch\tip.src\tip.dst\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq\ttcp.ack\ttcp.len\ttcp.window_size';
    const row = (window: string) => `1700000000.5\t10.0.0.1\t10.0.0.2\t4000\t80\t0x0010\t1\t1\t0\t${window}`;
    expect(read([names, row('0'), row('64')].join('\n')).packets).toHaveLength(2);
    expect(read([names, row('0'), row('')].join('\n')).packets).toHaveLength(1);
  });

  it('of tshark -T fields without the window: keep-alives of an idle connection meet no closed one', async () => {
    const there = '10.0.0.1\t10.0.0.2\t4000\t80\t';
    const back = '10.0.0.2\t10.0.0.1\t80\t4000\t';
    const rows = [
      `${there}0x0002\t0\t0\t0`,
      `${back}0x0012\t0\t1\t0`,
      `${there}0x0010\t1\t1\t0`,
      `${there}0x0018\t1\t1\t100`,
      `${back}0x0010\t1\t101\t0`,
      ...[1, 2, 3, 4].flatMap(() => [`${there}0x0010\t100\t1\t0`, `${back}0x0010\t1\t101\t0`]),
    ];
    const names =
      'frame.time_relative\tip.src\tip.dst\ttcp.srcport\ttcp.dstport\ttcp.flags\ttcp.seq\ttcp.ack\ttcp.len';
    const text = [names, ...rows.map((row, i) => `${i < 5 ? 0 : 75 * i}.${i}\t${row}`)].join('\n');
    const { findings } = await analyze([{ name: 'x.txt', bytes: Buffer.from(text) }]);
    expect(findings).toEqual([]);
  });
});

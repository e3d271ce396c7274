/** What is said of many connections holds for each of them: incidents, what followed from them, settings, sentences of groups. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { IncidentCause } from '../../src/model/incident.ts';
import { readCapture, writeCapture, writeText } from './captures.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples');
const BUNDLES = path.join(SAMPLES, 'bundle');

type Line = readonly [at: number, from: string, to: string, what: string];

function tcpdump(name: string, lines: readonly Line[], ttl?: (from: string) => number): string {
  const text = lines.map(([at, from, to, what]) => {
    const time = new Date(at * 1000 + 12 * 3_600_000).toISOString().slice(11, 23);
    if (!ttl) return `${time}000 IP ${from} > ${to}: ${what}`;
    const ip = `(tos 0x0, ttl ${ttl(from)}, id ${Math.round(at * 1000)}, offset 0, flags [DF], proto TCP (6), length 60)`;
    return `${time}000 IP ${ip}\n    ${from} > ${to}: ${what}`;
  });
  return writeText(name, `${text.join('\n')}\n`);
}

const syn = (seq: number) => `Flags [S], seq ${seq}, win 64240, options [mss 1460], length 0`;
const synAck = (ack: number) => `Flags [S.], seq 5000, ack ${ack}, win 65160, options [mss 1460], length 0`;

function* below(cause: IncidentCause): Iterable<IncidentCause> {
  yield cause;
  for (const child of cause.children) yield* below(child);
}

const rulesOf = (cause: IncidentCause) => [...below(cause)].map((c) => c.rule);

describe('what followed from an accept queue that was full', () => {
  const SERVER = '10.77.0.2.8080';
  const CLIENT = '10.77.0.9.40000';

  test.each(['documents/exp1', 'bundle/accept-queue-incident/6.18'])(
    '%s: stands below what all its connections met',
    async (sample) => {
      const { incidents } = await analyze([path.join(SAMPLES, sample)]);
      // refusals follow from one closing of the listener
      for (const cause of incidents.flatMap((i) => [...below(i.cause)]))
        for (const child of cause.children)
          if (cause.rule !== '' && child.rule !== 'connection-refused')
            expect(child.connections, child.rule).toBeLessThanOrEqual(cause.connections);
    },
  );

  test('is no FIN without an ACK of another connection of that server', async () => {
    const other = tcpdump('other.txt', [
      [0, CLIENT, SERVER, syn(1000)],
      [0.001, SERVER, CLIENT, synAck(1001)],
      [0.002, CLIENT, SERVER, 'Flags [.], ack 1, win 64240, length 0'],
      ...[1, 1.2, 1.6, 2.4, 4, 7.2, 13.6, 26.4, 52].map(
        (at): Line => [at, CLIENT, SERVER, 'Flags [F.], seq 1, ack 1, win 64240, length 0'],
      ),
    ]);
    const { incidents } = await analyze([path.join(BUNDLES, 'accept-queue-incident/6.18'), other]);
    const [stuck] = incidents.filter((i) => rulesOf(i.cause).includes('accept-queue-overflow-syn'));
    expect(stuck!.connections).toBe(50);
    const alone = incidents.filter((i) => rulesOf(i.cause).includes('fin-unacknowledged'));
    expect(alone.map((i) => i.connections)).toEqual([1]);
  });

  test('is no refusal where nothing shows that the listener was closed', async () => {
    const [client, server] = ['10.77.0.9.40000', '10.77.0.2.8085'];
    const refused = tcpdump('refused.txt', [
      [0, client, server, syn(1000)],
      [0.001, server, client, 'Flags [R.], seq 0, ack 1001, win 0, length 0'],
    ]);
    const { incidents, story } = await analyze([path.join(BUNDLES, 'syn-drops/6.1'), refused]);
    const [stuck] = incidents.filter((i) => i.headline.includes('did not accept connections'));
    expect(rulesOf(stuck!.cause)).not.toContain('connection-refused');
    expect(stuck!.connections).toBe(2);
    expect(incidents.flatMap((i) => rulesOf(i.cause))).toContain('connection-refused');
    expect(story).not.toEqual([]);
  });
});

test('two tables that name one process differently tell of one process', async () => {
  const { causes } = await analyze([path.join(SAMPLES, 'live/close-wait-leak/6.18')]);
  const { summary } = causes.find((c) => c.rule === 'close-wait-leak')!;
  expect(summary).toMatch(/because process \S+ \(20629\) does not close its socket/);
});

test('settings of the client say nothing of the handshakes of its server', async () => {
  const own = '172.23.133.137.40000';
  const server = '10.0.0.2.80';
  const half = tcpdump('half.txt', [
    [0, own, server, syn(1000)],
    ...[0.01, 1.01, 3.01, 7.01].map((at): Line => [at, server, own, synAck(1001)]),
  ]);
  const { findings, settings } = await analyze([path.join(SAMPLES, 'documents/004'), half]);
  expect(findings.map((f) => f.rule)).toContain('handshake-unfinished');
  expect(settings.map((s) => s.name)).not.toContain('net.ipv4.tcp_synack_retries');
});

test('of SYNs without an answer those are told apart that a filter left alone', async () => {
  const retried = (client: string): Line[] =>
    [0, 1, 3, 7].map((at) => [at, client, '10.0.0.2.80', syn(1000)]);
  const filtered = tcpdump('filtered.txt', [...retried('10.0.0.1.41000'), ...retried('10.0.0.1.41001')]);
  const seen = tcpdump('seen.txt', [
    [0, '10.0.0.3.42001', '10.0.0.2.80', syn(1000)],
    [0.001, '10.0.0.2.80', '10.0.0.3.42001', synAck(1001)],
    [0.002, '10.0.0.3.42001', '10.0.0.2.80', 'Flags [.], ack 1, win 64240, length 0'],
    ...retried('10.0.0.3.42000'),
  ]);
  const { causes } = await analyze([filtered, seen]);
  const { summary } = causes.find((c) => c.rule === 'unanswered-syn')!;
  expect(summary).toMatch(
    /^3 connections to 10\.0\.0\.2:80: 1 got no SYN-ACK and 2 showed no SYN-ACK, in files that hold nothing but SYNs/,
  );
});

test('of several floods it is not said that they were alike', async () => {
  const flood = (server: string, n: number): Line[] =>
    Array.from({ length: n }, (_, i): Line[] => {
      const client = `203.0.113.${i + 1}.40000`;
      return [
        [i / 100, client, server, syn(1000)],
        [i / 100 + 0.001, server, client, synAck(1001)],
      ];
    }).flat();
  const last: Line = [60, '10.0.0.9.1000', '10.0.0.8.9', 'Flags [.], ack 1, win 100, length 0'];
  const file = tcpdump('floods.txt', [...flood('10.0.0.2.80', 200), ...flood('10.0.0.3.80', 110), last]);
  const { story } = await analyze([file]);
  expect(story.join(' ')).toMatch(/SYN flood/);
  expect(story.join(' ')).toContain('1 other server most likely received a SYN flood too.');
});

test('processes that leave sockets in CLOSE_WAIT are counted, each with its own', async () => {
  const row = (port: number, pid: number) =>
    `CLOSE-WAIT 1 0 10.0.0.2:8080 10.0.0.9:${port} users:(("web",pid=${pid},fd=5))`;
  const rows = [
    'LISTEN 0 128 10.0.0.2:8080 0.0.0.0:* users:(("web",pid=1,fd=3))',
    row(4000, 11),
    row(4001, 12),
  ];
  const { causes } = await analyze([
    writeText(
      'ss.txt',
      `State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n${rows.join('\n')}\n`,
    ),
  ]);
  const { summary } = causes.find((c) => c.rule === 'close-wait-leak')!;
  expect(summary).toContain('2 processes do not close their sockets');
});

test('a text without TTLs is no second place of capture', async () => {
  const lines: Line[] = [
    [0, '10.0.0.1.40000', '10.0.0.2.80', syn(1000)],
    ...[0.01, 1.01, 3.01, 7.01].map((at): Line => [at, '10.0.0.2.80', '10.0.0.1.40000', synAck(1001)]),
  ];
  const { findings } = await analyze([tcpdump('short.txt', lines), tcpdump('long.txt', lines, () => 64)]);
  const found = findings.filter((f) => f.rule === 'handshake-unfinished');
  expect(found.map((f) => f.confidence)).toEqual(['possible']);
});

test('a client that resets a wrong SYN-ACK goes on: that its own capture lost the RST proves no other sender', async () => {
  const [client, server] = ['10.0.0.1.40000', '10.0.0.2.80'];
  const reset: Line = [0.01, client, server, 'Flags [R], seq 777, win 0, length 0'];
  const lines: Line[] = [
    [0, client, server, syn(1000)],
    [0.005, server, client, 'Flags [S.], seq 9000, ack 777, win 65160, options [mss 1460], length 0'],
    reset,
    [1, client, server, syn(1000)],
    [1.005, server, client, synAck(1001)],
    [1.01, client, server, 'Flags [.], ack 1, win 64240, length 0'],
    [1.1, client, server, 'Flags [P.], seq 1:11, ack 1, win 64240, length 10'],
    [1.11, server, client, 'Flags [.], ack 11, win 65160, length 0'],
    [1.2, server, client, 'Flags [R.], seq 1, ack 11, win 0, length 0'],
    [1.3, client, server, 'Flags [P.], seq 11:21, ack 1, win 64240, length 10'],
  ];
  const near = tcpdump(
    'near.txt',
    lines.filter((l) => l !== reset),
    (from) => (from === client ? 64 : 63),
  );
  const far = tcpdump('far.txt', lines, (from) => (from === client ? 63 : 64));
  const { findings } = await analyze([near, far]);
  expect(findings.filter((f) => f.rule === 'middlebox-reset' && f.confidence === 'proved')).toEqual([]);
});

describe('a probe that was attached', () => {
  const folder = path.join(BUNDLES, 'abort/6.12');

  /** A SYN to a listener of the bundle, sent so many seconds after everything was attached. */
  async function silentSyn(after: number) {
    const copy = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-'));
    cpSync(folder, copy, { recursive: true });
    const begin = /begin\b.*?real=(\d+)\.(\d{6})/.exec(
      readFileSync(path.join(folder, 'events.jsonl'), 'utf8'),
    )!;
    const { header, records } = readCapture(path.join(folder, 'packets.pcap'));
    const first = Buffer.from(records[0]!);
    first.writeUInt16BE(55555, 16 + 14 + 20);
    const at = Number(begin[1]) + Number(begin[2]) / 1e6 + after;
    const own = [0, 1, 3].map((wait) => {
      const again = Buffer.from(first);
      again.writeUInt32LE(Math.floor(at + wait), 0);
      again.writeUInt32LE(Math.floor(((at + wait) % 1) * 1e9), 4);
      return again;
    });
    writeFileSync(
      path.join(copy, 'packets.pcap'),
      readFileSync(writeCapture('packets.pcap', { header, records: [...own, ...records] })),
    );
    const { findings } = await analyze([copy]);
    rmSync(copy, { recursive: true });
    return findings.filter((f) => f.client.port === 55555 && f.role === 'verdict');
  }

  test('says which SYNs did not come after that', async () => {
    expect(await silentSyn(0.05)).toMatchObject([{ rule: 'netfilter-drop' }]);
  });

  test('says nothing of one that came before', async () => {
    expect(await silentSyn(-0.5)).not.toMatchObject([{ rule: 'netfilter-drop' }]);
  });
});

test('who did what some clients and some servers did is not one end alone', async () => {
  const [A, B, S] = ['10.77.0.1.40000', '10.77.0.1.40001', '10.77.0.2.8080'];
  const opened = (at: number, from: string): Line[] => [
    [at, from, S, syn(100)],
    [at + 0.01, S, from, synAck(101)],
    [at + 0.02, from, S, 'Flags [.], ack 5001, win 502, length 0'],
    [at + 0.03, from, S, 'Flags [P.], seq 101:201, ack 5001, win 502, length 100'],
    [at + 0.04, S, from, 'Flags [P.], seq 5001:5101, ack 201, win 502, length 100'],
  ];
  const lines: Line[] = [
    ...opened(1, A),
    [1.05, A, S, 'Flags [R.], seq 201, ack 5001, win 502, length 0'],
    ...opened(2, B),
    [2.05, B, S, 'Flags [P.], seq 201:301, ack 5101, win 502, length 100'],
    [2.06, S, B, 'Flags [R.], seq 5101, ack 301, win 502, length 0'],
  ];
  const [both] = (await analyze([tcpdump('both-sides.txt', lines)])).incidents;
  expect(both).toMatchObject({ connections: 2, clients: 1, servers: 1, who: [] });
  const [one] = (await analyze([tcpdump('one-side.txt', lines.slice(0, 6))])).incidents;
  expect(one!.who).toEqual(['10.77.0.1, process not in these files']);
});

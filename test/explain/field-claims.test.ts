/** Claims as far as they are true: each where it holds, and beside it what looks alike. As tcpdump, ss and bcc print them. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const FIELD = path.resolve(import.meta.dirname, '../../samples/field');

async function analyzed(...texts: string[]) {
  return analyze(texts.map((text, i) => writeText(`${i}.txt`, text)));
}

async function found(rule: string, ...texts: string[]) {
  return (await analyzed(...texts)).findings.filter((f) => f.rule === rule);
}

/** 12:00:00 and so many seconds. */
function clock(seconds: number): string {
  return new Date(seconds * 1000 + 12 * 3_600_000).toISOString().slice(11, 23);
}

const [A, B] = ['10.0.0.1.40000', '10.0.0.2.80'];
type Line = readonly [at: number, from: string, to: string, what: string];
const SYN = (seq: number, options = '') =>
  `Flags [S], seq ${seq}, win 64240, options [mss 1460${options}], length 0`;
const OPENED: readonly Line[] = [
  [0, A, B, SYN(1000)],
  [0.01, B, A, 'Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0'],
  [0.011, A, B, 'Flags [.], ack 1, win 64240, length 0'],
];
const tcpdump = (lines: readonly Line[]) =>
  `${lines.map(([at, from, to, what]) => `${clock(at)}000 IP ${from} > ${to}: ${what}`).join('\n')}\n`;

describe('a window that closes', () => {
  const closedAt = (at: number, probes: number): Line[] => [
    [at, A, B, 'Flags [.], ack 101, win 0, length 0'],
    ...Array.from({ length: probes }, (_, i): Line[] => [
      [at + 0.2 * 2 ** i, B, A, 'Flags [.], ack 1, win 65160, length 0'],
      [at + 0.2 * 2 ** i + 0.01, A, B, 'Flags [.], ack 101, win 0, length 0'],
    ]).flat(),
  ];
  const data: Line = [0.02, B, A, 'Flags [P.], seq 1:101, ack 1, win 65160, length 100'];
  const taken: Line = [0.021, A, B, 'Flags [.], ack 101, win 1000, length 0'];
  /** Each probe is one below the next number. */
  const probed = (lines: readonly Line[]) =>
    tcpdump(
      lines.map(([at, from, to, what]) => [
        at,
        from,
        to,
        from === B && what.startsWith('Flags [.], ack')
          ? what.replace('Flags [.],', 'Flags [.], seq 100,')
          : what,
      ]),
    );

  test('opens and closes again: what is told is of the last time', async () => {
    const text = probed([
      ...OPENED,
      data,
      taken,
      ...closedAt(1, 4),
      [5, A, B, 'Flags [.], ack 101, win 2000, length 0'],
      ...closedAt(6, 4),
    ]);
    const [closed] = await found('peer-window-closed', text);
    expect(closed!.summary).toMatch(/sent 4 probes over 1\.6\d? s, and the window stayed 0/);
  });

  test('and is closed again for less than three probes: nothing', async () => {
    const text = probed([
      ...OPENED,
      data,
      taken,
      ...closedAt(1, 8),
      [60, A, B, 'Flags [.], ack 101, win 2000, length 0'],
      ...closedAt(61, 1),
    ]);
    expect(await found('peer-window-closed', text)).toEqual([]);
  });
});

describe('SYN-ACKs that nobody acknowledges, in two captures', () => {
  const lines = (ttlOfSyn: number, ttlOfAnswer: number, late: number) =>
    [0, 1, 3]
      .flatMap((at) => [
        ...(at === 0 ? [[at, ttlOfSyn, A, B, SYN(1000)] as const] : []),
        [
          at + 0.01,
          ttlOfAnswer,
          B,
          A,
          'Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0',
        ] as const,
      ])
      .map(
        ([at, ttl, from, to, what], i) =>
          `${clock(at + late)}000 IP (tos 0x0, ttl ${ttl}, id ${i + 1}, offset 0, flags [DF], proto TCP (6), length 44)\n    ${from} > ${to}: ${what}`,
      )
      .join('\n');

  test('of both ends: likely', async () => {
    const [half] = await found('handshake-unfinished', lines(64, 63, 0), lines(63, 64, 0.001));
    expect(half).toMatchObject({ confidence: 'inferred', alternatives: [] });
  });

  test('of one place: one witness', async () => {
    const [half] = await found('handshake-unfinished', lines(63, 64, 0), lines(63, 64, 0));
    expect(half!.confidence).toBe('possible');
  });
});

test.each([
  ['before the fourth SYN-ACK was due: it had not expired', 5.1, 'no-socket-reset possible'],
  ['after it was due: it had', 7.2, 'request-expired-reset possible'],
])('a RST to the first data of a client that thinks it is connected, %s', async (_what, at, verdict) => {
  const answer = (time: number): Line => [
    time,
    B,
    A,
    'Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0',
  ];
  const again = (time: number): Line => [time, A, B, 'Flags [.], ack 1, win 64240, length 0'];
  const { findings } = await analyzed(
    tcpdump([
      ...OPENED,
      ...[1.05, 3.08].flatMap((time) => [answer(time), again(time + 0.001)]),
      [at, A, B, 'Flags [P.], seq 1:9, ack 1, win 64240, length 8'],
      [at + 0.001, B, A, 'Flags [R], seq 5001, win 0, length 0'],
    ]),
  );
  const reset = findings.find((f) => f.rule.endsWith('-reset'));
  expect(`${reset?.rule} ${reset?.confidence}`).toBe(verdict);
});

describe('a full-size segment that is never acknowledged', () => {
  const big = (at: number, seq: number): Line => [
    at,
    A,
    B,
    `Flags [.], seq ${seq}:${seq + 1448}, ack 1, win 64240, length 1448`,
  ];
  const small = (at: number, seq: number): Line => [
    at,
    A,
    B,
    `Flags [P.], seq ${seq}:${seq + 20}, ack 1, win 64240, length 20`,
  ];
  const acked = (at: number, ack: number): Line => [at, B, A, `Flags [.], ack ${ack}, win 65160, length 0`];

  test('is counted by itself: retransmissions that got through before are none of it', async () => {
    const text = tcpdump([
      ...OPENED,
      small(0.1, 1),
      small(0.4, 1),
      small(0.9, 1),
      acked(0.91, 21),
      big(1, 21),
      big(1.3, 21),
      acked(1.31, 21),
      big(1.9, 21),
      acked(1.91, 21),
    ]);
    const [hole] = await found('path-mtu-black-hole', text);
    expect(hole!.summary).toMatch(/a segment of 1,448 bytes 2 more times over 600 ms, and it was never/);
  });

  test('with nothing that shows that small ones pass: one of the things that fit', async () => {
    const lost = (send: typeof big) =>
      tcpdump([...OPENED, send(1, 1), send(1.3, 1), send(1.9, 1), send(3.1, 1), send(5.5, 1)]);
    const [timeout] = await found('retransmission-timeout', lost(big));
    expect(timeout!.alternatives).toContain('path-mtu-black-hole');
    const [other] = await found('retransmission-timeout', lost(small));
    expect(other!.alternatives).not.toContain('path-mtu-black-hole');
  });
});

describe('CLOSE_WAIT in several tables', () => {
  const table = (at: string, ports: readonly number[]) =>
    `# date\nMon Nov 30 ${at} UTC 2026\n# ss -tanp\nState Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n${ports
      .map((p) => `CLOSE-WAIT 1 0 10.0.0.2:80 10.0.0.1:${p} users:(("java",pid=77,fd=${p % 100}))`)
      .join('\n')}\n`;
  const two = (first: readonly number[], second: readonly number[]) =>
    table('12:00:00', first) + table('12:01:00', second);
  const ports = [41001, 41002, 41003];

  test('of one file', async () => {
    const { story } = await analyzed(two(ports, ports));
    expect(story.join(' ')).toMatch(
      /left 3 connections in CLOSE_WAIT, over 2 socket tables: 3[^;]* and 3[^;]*; none of them was closed/,
    );
  });

  test('the same tables in two files, and another in one of them: numbers of one file', async () => {
    const { story } = await analyzed(
      two(ports, ports),
      two(ports, ports) + table('12:02:00', [...ports, 41004]),
    );
    expect(story.join(' ')).toMatch(
      /left 4 connections in CLOSE_WAIT, over 3 socket tables: [^;]* and 4[^;]*; none of them was closed/,
    );
  });

  test('a file whose sockets are others does not make those of the first end', async () => {
    const { story } = await analyzed(two(ports, ports), table('13:00:00', [42001, 42002, 42003]));
    expect(story.join(' ')).toMatch(/left 3 connections in CLOSE_WAIT, .*none of them was closed/);
  });
});

test('both ends dropped for want of room: each is told its own', async () => {
  const drop = (from: string, to: string) =>
    `20:49:06 0       4  ${from}     > ${to}     ESTABLISHED (PSH|ACK) SOCKET_RCVBUFF (6)\n`;
  const [one, two] = ['198.51.100.9:443', '192.0.2.10:22912'];
  const head =
    'TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS) REASON (CODE)\n';
  const all = await found('receive-buffer-full', head + drop(one, two) + drop(one, two) + drop(two, one));
  expect(all.map((f) => [f.side, /(\S+) dropped (\d)/.exec(f.summary)?.slice(1)])).toEqual([
    ['server', ['198.51.100.9:443', '1']],
    ['client', ['192.0.2.10:22912', '2']],
  ]);
});

describe('SYNs alone', () => {
  const attempt = (port: number, at: number): Line => [at, `10.0.0.1.${port}`, B, SYN(1000 + port)];
  const unanswered = async (lines: readonly Line[]) => {
    const { findings } = await analyzed(tcpdump(lines));
    return findings.find((f) => f.rule === 'unanswered-syn')!;
  };

  test('in a file that holds nothing else: whether one was answered it does not show', async () => {
    const only = await unanswered([attempt(41001, 0), attempt(41002, 5)]);
    expect(only).toMatchObject({ severity: 'info', confidence: 'possible' });
    expect(only.summary).toContain('which holds nothing but SYNs, shows no answer');
  });

  test('beside a connection that was answered: it got none', async () => {
    const among = await unanswered([...OPENED, attempt(41001, 1), attempt(41001, 2), attempt(41002, 5)]);
    expect(among).toMatchObject({ severity: 'warning' });
    expect(among.summary).toContain('had no answer');
  });
});

describe('an ICMP error that names no ports', () => {
  const other = '10.0.0.1.40001';
  const error: Line = [
    0.6,
    '10.0.0.254',
    '10.0.0.1',
    'ICMP host 10.0.0.2 unreachable - admin prohibited, length 68',
  ];

  test('is about the only segment that it can be about', async () => {
    const [rejected, ...others] = await found('icmp-rejected', tcpdump([[0.5, A, B, SYN(1000)], error]));
    expect(others).toEqual([]);
    expect(rejected!.client.port).toBe(40000);
  });

  test('of two it is about neither', async () => {
    const text = tcpdump([[0.4, A, B, SYN(1000)], [0.5, other, B, SYN(2000)], error]);
    expect(await found('icmp-rejected', text)).toEqual([]);
  });

  test('and quotes its segment, as -v prints: about that', async () => {
    const head = (at: number, protocol: string) =>
      `${clock(at)}000 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto ${protocol}, length 60)\n`;
    const syn = (from: string, seq: number) => `    ${from} > ${B}: ${SYN(seq)}\n`;
    const [, by, told, said] = error;
    const [rejected, ...others] = await found(
      'icmp-rejected',
      `${head(0.4, 'TCP (6)')}${syn(A, 1000)}${head(0.5, 'TCP (6)')}${syn(other, 2000)}${head(0.6, 'ICMP (1)')}    ${by} > ${told}: ${said}\n\t${head(0, 'TCP (6)').slice(16)}${syn(A, 1000)}`,
    );
    expect(others).toEqual([]);
    expect(rejected!.client.port).toBe(40000);
  });

  test('one of a minute ago is no candidate', async () => {
    const text = tcpdump([[-60, other, B, SYN(2000)], [0.5, A, B, SYN(1000)], error]);
    const [rejected] = await found('icmp-rejected', text);
    expect(rejected!.client.port).toBe(40000);
  });
});

test('a SYN whose TTL was to run out: time exceeded', async () => {
  const { findings } = await analyze([path.join(FIELD, 'between/traceroute-client.pcap')]);
  expect(findings.map((f) => [f.rule, f.severity])).toEqual([
    ['unanswered-syn', 'info'],
    ['unanswered-syn', 'info'],
    ['unanswered-syn', 'info'],
  ]);
  expect(findings[0]!.summary).toMatch(/its TTL ran out at 10\.78\.1\.1 \(ICMP time exceeded\)/);
});

test('the connections of a traceroute are neither lost for no reason nor without a problem', async () => {
  const { causes, servers } = await analyze([path.join(FIELD, 'between/traceroute-client.pcap')]);
  const [cause] = causes.filter((c) => c.rule === 'unanswered-syn');
  expect(cause!.summary).toContain('ICMP time exceeded');
  expect(cause!.summary).not.toContain('nothing here shows');
  expect(servers[0]!.well).toBeLessThan(servers[0]!.connections - servers[0]!.hurt);
});

describe('source ports that come around', () => {
  /** Each port opens and closes, and opens again 5 s later. */
  const rounds = (stamp: (round: number, port: number) => string) =>
    tcpdump(
      [0, 1, 2].flatMap((round) =>
        Array.from({ length: 12 }, (_, i): Line[] => {
          const [at, from, isn] = [round * 6 + i * 0.05, `10.0.0.1.${41000 + i}`, 1000 + round * 100_000];
          return [
            [at, from, B, SYN(isn, stamp(round, i))],
            [
              at + 0.001,
              B,
              from,
              `Flags [S.], seq 5000, ack ${isn + 1}, win 65160, options [mss 1460], length 0`,
            ],
            [at + 0.002, from, B, 'Flags [.], ack 1, win 64240, length 0'],
            [at + 0.003, from, B, 'Flags [F.], seq 1, ack 1, win 64240, length 0'],
            [at + 0.004, B, from, 'Flags [F.], seq 1, ack 2, win 65160, length 0'],
            [at + 0.005, from, B, 'Flags [.], ack 2, win 64240, length 0'],
          ];
        }).flat(),
      ),
    );

  test('on one clock: one host that is short of ports', async () => {
    const { story } = await analyzed(rounds((r, i) => `,sackOK,TS val ${100_000 + r * 6000 + i * 50} ecr 0`));
    expect(story.join(' ')).toMatch(
      /reused source ports .* and still in TIME_WAIT.* 10\.0\.0\.1 is short of ports/,
    );
  });

  test.each([
    [
      'on several clocks',
      (r: number, i: number) => `,sackOK,TS val ${(i % 3) * 900_000_000 + r * 6000} ecr 0`,
    ],
    ['without timestamps', () => ''],
  ])('%s: perhaps many hosts behind one address', async (_what, stamp) => {
    const story = (await analyzed(rounds(stamp))).story.join(' ');
    expect(story).toMatch(/10\.0\.0\.1, or a host behind it if it is a NAT or proxy, is short of ports/);
    expect(story).not.toContain('still in TIME_WAIT');
  });
});

test('a SYN at the very end of a capture is neither a problem nor without one', async () => {
  const last: Line = [0.5, '10.0.0.3.40001', B, SYN(7000)];
  const { servers } = await analyzed(tcpdump([...OPENED, last]));
  expect(servers).toMatchObject([{ connections: 2, hurt: 0, well: 1 }]);
});

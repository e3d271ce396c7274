/** samples/field/resets: what may be said of resets that other systems, devices and taps show, and what not. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { RST } from '../../src/model/tcp.ts';
import { flagsOf, readCapture, writeCapture } from './captures.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/resets');
const analyzed = (...names: string[]) => analyze(names.map((n) => path.join(FOLDER, `${n}.pcap`)));

async function closingOf(...names: string[]) {
  return (await analyzed(...names)).findings.filter((f) => f.group === 'close' && f.role === 'verdict');
}

describe('refused: a RST acknowledges the SYN of the other side', () => {
  test.each(['refused-seq', 'refused-window'])('%s', async (name) => {
    const found = await closingOf(name);
    expect(found).toMatchObject([{ rule: 'connection-refused', confidence: 'inferred', side: 'server' }]);
  });

  test('a sequence number that Linux does not give is told, and what else it can be is listed', async () => {
    const [found] = await closingOf('refused-seq');
    expect(found!.summary).toContain('another system');
    expect(found!.alternatives).toContain('middlebox-reset');
    expect((await closingOf('refused-window'))[0]!.summary).not.toContain('another system');
  });

  test.each([
    'handshake-not-captured',
    'wrong-ack',
    'backscatter',
    'rst-of-the-syn-sender',
    'reset-after-syn-ack',
  ])('%s: nobody was', async (name) => {
    const found = await closingOf(name);
    expect(found).toHaveLength(1);
    expect(found[0]).not.toMatchObject({ rule: 'connection-refused' });
    expect(found[0]!.confidence).toBe('possible');
  });

  test('what a lone RST answers is unknown', async () => {
    const [found] = await closingOf('backscatter');
    expect(found).toMatchObject({ rule: 'unexplained-reset' });
    expect(found!.summary).toContain('answers no packet');
  });
});

describe('a server resets what its client does not read (tcp_max_orphans was 2)', () => {
  test('a warning: data were left for a closed window; no keepalive probe went unanswered', async () => {
    const found = await closingOf('window-closed');
    expect(found).toHaveLength(2);
    for (const { rule, severity, summary, remedy, alternatives } of found) {
      expect([rule, severity]).toEqual(['linger-zero-reset', 'warning']);
      expect(summary).toMatch(
        /still had data for client 10\.9\.0\.1:\d+, whose receive window had been closed for 6\d\d(\.\d)? ms/,
      );
      expect(remedy).toMatch(/^Find out why the other side had stopped reading/);
      expect(alternatives).toContain('memory-pressure-reset');
      expect(alternatives).not.toContain('keepalive-timeout-reset');
    }
  });

  test('nor what it sent again and again, of a window that opens in between (tcp_mem was 20 pages)', async () => {
    const found = await closingOf('not-acknowledged');
    expect(found.map((f) => [f.rule, f.severity])).toEqual(Array(2).fill(['linger-zero-reset', 'warning']));
    expect(found[0]!.summary).toContain('whose receive window had been closed for 286 ms');
    expect(found[1]!.summary).toContain('had not acknowledged 7,240 bytes of what it had sent');
    expect(found[1]!.evidence.at(-1)!.fact).toContain('sent again, and not acknowledged');
  });
});

describe('a window that stayed closed until TCP_USER_TIMEOUT, and the reader reset then', () => {
  const live = path.resolve(FOLDER, '../live/zero_window_user_timeout');
  const verdict = async (name: string) =>
    (await analyze([path.join(live, name)])).findings.find(
      (f) => f.group === 'close' && f.role === 'verdict',
    )!;

  test('by events: the timer gave up on a peer that answered; the path is not to blame', async () => {
    const { rule, confidence, summary, evidence, remedy } = await verdict('bundle');
    expect([rule, confidence]).toEqual(['retransmission-timeout', 'inferred']);
    expect(summary).toContain('while the receive window of server 10.78.2.2:20990 was closed');
    expect(evidence.at(-1)!.fact).toContain('window 0');
    expect(remedy).toContain('the path is not the cause');
  });

  test('by packets: the window that it had closed itself shows that data lay unread', async () => {
    const { rule, confidence, summary } = await verdict('server.pcap.gz');
    expect([rule, confidence]).toEqual(['unread-data-reset', 'inferred']);
    expect(summary).toMatch(
      /its receive window had been closed for 1\.9\d s, full of what its process had not read/,
    );
  });
});

test('a client that closed before the answer came: told by both times, and what to do about it', async () => {
  const found = await closingOf('late-answer');
  expect(found.map((f) => [f.rule, f.side])).toEqual(Array(2).fill(['time-wait-data-reset', 'client']));
  expect(found[0]!.summary).toMatch(
    /The client closed 1 s after its first data; the server's first came 3 s after these\.$/,
  );
  expect(found[0]!.remedy).toMatch(/^Find out why the server took so long to answer/);
});

test('a client (HAProxy, `timeout server 1s`) that reset the one who gave no answer is not well', async () => {
  const { findings, servers } = await analyzed('gave-up-waiting');
  const own = findings.filter((f) => f.rule === 'linger-zero-reset');
  expect(own.map((f) => [f.side, f.severity])).toEqual(Array(2).fill(['client', 'warning']));
  expect(own[0]!.summary).toMatch(/; 1 s after its first data it had no answer\.$/);
  expect(own[0]!.remedy).toMatch(/^Find out why the server had not answered by then/);
  expect(servers).toMatchObject([{ connections: 4, well: 0 }]);
});

test.each([
  ['used-when-closed', ' that the server had closed after 2 s without a packet.'],
  ['told-and-closed', ' that the server had closed.'],
])(
  '%s: a kept connection is used again after the FIN of its server (nginx, PostgreSQL)',
  async (name, closed) => {
    const [found] = await closingOf(name);
    expect(found).toMatchObject({ rule: 'time-wait-data-reset', side: 'server' });
    expect(found!.summary.endsWith(`The client had used a connection again${closed}`)).toBe(true);
    expect(found!.remedy).toMatch(/^Let the client look whether the server has closed/);
  },
);

test('a server that takes a connection and no word of it (Mosquitto, max_connections): its log tells', async () => {
  const found = await closingOf('no-answer');
  expect(found.map((f) => [f.rule, f.side])).toEqual(Array(2).fill(['unread-data-reset', 'server']));
  expect(found[0]!.remedy).toMatch(/^Look in the log of the server/);
});

test('one that sends and resets within a millisecond, as some health checks do, waited for nothing', async () => {
  const { header, records } = readCapture(path.join(FOLDER, 'gave-up-waiting.pcap'));
  const [request, reset] = [records[8]!, records[22]!];
  expect(flagsOf(reset) & RST).toBe(RST);
  request.copy(reset, 0, 0, 8);
  reset.writeUInt32LE(reset.readUInt32LE(4) + 500, 4);
  const sooner = [...records.slice(0, 10), reset, ...records.slice(10).filter((r) => r !== reset)];
  const { findings } = await analyze([writeCapture('check.pcap', { header, records: sooner })]);
  const own = findings.filter((f) => f.rule === 'linger-zero-reset');
  expect(own.map((f) => f.severity)).toEqual(['info', 'warning']);
  expect(own[0]!.summary).toContain('after its first data it had no answer');
});

describe('RSTs at one moment', () => {
  test('three of a server that had never sent a byte: its listener was closed', async () => {
    const found = await closingOf('burst');
    expect(found.map((f) => [f.rule, f.confidence])).toEqual(
      Array(3).fill(['listener-closed-reset', 'inferred']),
    );
  });

  test('among many resets they fall together by chance', async () => {
    const { connections } = await analyzed('burst-among-many');
    expect(connections).toHaveLength(100);
    expect(connections.filter((c) => c.closeRule === 'listener-closed-reset')).toEqual([]);
  });

  test('midstream nobody knows what the server had sent', async () => {
    const found = await closingOf('burst-midstream');
    expect(found).toHaveLength(3);
    expect(found.filter((f) => f.rule === 'listener-closed-reset')).toEqual([]);
  });
});

describe('a RST after its own FIN', () => {
  test('what it had received may be unread: close() after shutdown(SHUT_WR)', async () => {
    const [found] = await closingOf('unread-after-shutdown');
    expect(found).toMatchObject({ rule: 'unread-data-reset', confidence: 'possible', side: 'server' });
    expect(found!.alternatives).toEqual(
      expect.arrayContaining(['linger-zero-reset', 'memory-pressure-reset']),
    );
  });

  test('nothing was received: no data were unread', async () => {
    const [found] = await closingOf('reset-after-shutdown');
    expect(found).toMatchObject({ rule: 'linger-zero-reset', confidence: 'possible' });
  });

  test('the FIN had no answer: given up', async () => {
    const [found] = await closingOf('fin-given-up');
    expect(found).toMatchObject({ rule: 'retransmission-timeout', confidence: 'possible', side: 'client' });
    expect(found!.summary).toContain('its FIN 5 more times over 9.3 s');
  });

  test('the FIN had an answer in the end', async () => {
    const [found] = await closingOf('fin-answered-then-reset');
    expect(found!.rule).not.toBe('retransmission-timeout');
  });
});

describe('which segment a RST answers', () => {
  test('the request that crossed the FIN, by its number', async () => {
    const [found] = await closingOf('data-crossed-fin');
    expect(found).toMatchObject({ rule: 'keep-alive-race', side: 'server', confidence: 'inferred' });
  });

  test('the ACK of the FIN, by its number', async () => {
    expect(await closingOf('ack-of-fin-reset')).toMatchObject([{ rule: 'linger2-reset', side: 'server' }]);
  });

  test('none has its number: no cause is claimed', async () => {
    const [found] = await closingOf('answers-nothing');
    expect(found).toMatchObject({ rule: 'unexplained-reset', confidence: 'possible' });
  });
});

test('a handshake whose ACK was refused is not called a SYN without an answer', async () => {
  const { findings, story } = await analyzed('ack-refused');
  expect(findings).toMatchObject([{ rule: 'accept-queue-overflow-ack' }]);
  expect(story[0]).toContain("established from the client's side only");
});

describe('whose stack', () => {
  test.each([
    ['stacks-linux', 'linux', 7],
    ['stacks-others', 'not linux', 5],
    ['stacks-unknown', 'unknown', 5],
  ])('%s', async (name, stack, syns) => {
    const { connections } = await analyzed(name);
    expect(connections.map((c) => c.clientStack)).toEqual(Array(syns).fill(stack));
  });

  test('a SYN-ACK shows it of the server, and of its other connections', async () => {
    const { connections } = await analyzed('fin-given-up', 'burst-midstream');
    expect(connections.length).toBeGreaterThan(2);
    for (const c of connections) expect([c.clientStack, c.serverStack]).toEqual(['not linux', 'linux']);
  });

  test.each([
    ['ack-of-fin-reset', 'inferred'],
    ['ack-of-fin-reset-windows', 'possible'],
    ['ack-of-fin-reset-midstream', 'possible'],
  ])('what only Linux does is claimed of Linux: %s is %s', async (name, confidence) => {
    const [found] = await closingOf(name);
    expect(found).toMatchObject({ rule: 'linger2-reset', confidence });
    if (confidence === 'possible') expect(found!.evidence.at(-1)!.fact).toContain('Linux');
  });
});

describe('two captures of one connection', () => {
  test('a RST that only the capture of its receiver has was not sent by the peer', async () => {
    const [found, ...others] = await closingOf('made-between-client', 'made-between-server');
    expect(others).toEqual([]);
    expect(found).toMatchObject({ rule: 'middlebox-reset', confidence: 'inferred', side: 'path' });
    expect(found!.summary).toContain('it went on');
  });

  test('one that both have is of its sender', async () => {
    for (const f of await closingOf('made-by-server-client', 'made-by-server-server')) {
      expect(f.rule).not.toBe('middlebox-reset');
    }
  });
});

describe('an answer that comes after a path was interrupted, for a process that has given up', () => {
  test('the socket that had just sent again did not vanish: its process had closed, the FIN waited', async () => {
    const [found, ...others] = await closingOf('closed-behind-loss');
    expect(others).toEqual([]);
    expect(found).toMatchObject({ rule: 'data-after-close-reset', confidence: 'inferred', side: 'client' });
    expect(found!.summary).toContain('after 13.1 s without an answer');
    expect(found!.remedy).toMatch(/^Find out why what the client had sent was so long without an answer/);
    expect(found!.remedy).not.toContain('reboot');
  });

  test('at the server, which did not see it sent again: possible, and no reboot is looked for', async () => {
    const [found] = await closingOf('closed-unseen');
    expect(found).toMatchObject({ rule: 'data-after-close-reset', confidence: 'possible', side: 'client' });
    expect(found!.alternatives).toContain('no-socket-reset');
    expect(found!.remedy).not.toContain('reboot');
  });
});

describe('a server that answers and resets at once', () => {
  test('no good end for a client that had not closed (sshd, MaxStartups)', async () => {
    const found = await closingOf('turned-away');
    expect(found).toMatchObject([{ severity: 'warning', confidence: 'possible', side: 'server' }]);
    expect(found[0]!.summary).toContain('gets "connection reset by peer"');
    expect(found[0]!.remedy).toMatch(/^Look in the log of the server/);
    expect(found[0]!.alternatives).toContain('unread-data-reset');
  });
});

describe('HAProxy without a server for the connection: 78 bytes cross its FIN, and it resets', () => {
  test('by the numbers they came after the FIN, and were not read', async () => {
    const [found] = await closingOf('refused-by-proxy');
    expect(found).toMatchObject({ rule: 'unread-data-reset', side: 'server' });
    expect(found!.summary).toContain('data came after its FIN');
  });

  test('of one direction nothing is said about what it had received', async () => {
    const [found] = await closingOf('refused-by-proxy-one-way');
    expect(found!.summary).toContain('what it had received is not in the capture');
    expect(found!.summary).not.toContain('no bytes');
  });
});

test('two that call each other from the same ports, refused until the SYNs cross: no device between them', async () => {
  const found = await closingOf('calls-crossing');
  expect(found.filter((f) => f.rule === 'connection-refused').length).toBe(6);
  expect(found.some((f) => f.rule === 'middlebox-reset')).toBe(false);
});

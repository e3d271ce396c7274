/** The transcripts of the articles: what each file holds, to the last line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACK, FIN, RST, SYN } from '../../../src/model/tcp.ts';
import { only, read, readSample, sample } from './harness.ts';

const files: [path: string, format: string, clock: string, host: string | null, records: number][] = [
  ['000/bpftrace.txt', 'bpftrace-walk', 'order', null, 17],
  ['003/fin-tcpdump.txt', 'tcpdump', 'wall', null, 13],
  ['003/reset-tcpdump.txt', 'tcpdump', 'wall', null, 10],
  ['004/netstat-s.txt', 'netstat-s', 'order', 'iZ2ze76owg090hoj8a5bpqZ', 1],
  ['004/netstat.txt', 'netstat', 'order', 'iZ2ze76owg090hoj8a5bpqZ', 7],
  ['004/ss.txt', 'ss', 'order', 'iZ2ze76owg090hoj8a5bpqZ', 6],
  ['004/sysctl.txt', 'sysctl', 'order', 'iZ2ze76owg090hoj8a5bpqZ', 6],
  ['exp1-physical/client-netstat.txt', 'netstat', 'order', null, 4],
  ['exp1-physical/server-netstat-s.txt', 'netstat-s', 'order', null, 5],
  ['exp1/client-netstat.txt', 'netstat', 'order', 'iZbp12vk49h9xtc8lx3o3tZ', 6],
  ['exp1/client-tcpdrop.txt', 'tcpdrop', 'wall', null, 2],
  ['exp1/client-tcpstates.txt', 'tcpstates', 'order', 'iZbp12vk49h9xtc8lx3o3tZ', 45],
  ['exp1/client-tcptracer.txt', 'tcptracer', 'order', 'iZbp12vk49h9xtc8lx3o3tZ', 19],
  ['exp1/server-netstat-s.txt', 'netstat-s', 'order', 'iZbp12vk49h9xtc8lx3o3uZ', 1],
  ['exp1/server-netstat.txt', 'netstat', 'order', 'iZbp12vk49h9xtc8lx3o3uZ', 7],
  ['exp1/server-tcpdump.txt', 'tcpdump', 'wall', 'iZbp12vk49h9xtc8lx3o3uZ', 6],
  ['exp1/server-tcpstates.txt', 'tcpstates', 'order', 'iZbp12vk49h9xtc8lx3o3uZ', 26],
  ['exp2/server-tcpstates.txt', 'tcpstates', 'order', null, 7],
  ['exp2/server-tcptracer.txt', 'tcptracer', 'relative', null, 2],
  ['exp3/server-tcpstates.txt', 'tcpstates', 'order', null, 6],
  ['exp3/server-tcptracer.txt', 'tcptracer', 'relative', null, 2],
];

describe.each(files)('%s', (path, format, clock, host, records) => {
  const out = readSample(`documents/${path}`);

  it('is one source, known by its content alone', () => {
    expect(out.sources).toHaveLength(1);
    expect(out.sources[0]).toMatchObject({ name: 'x.txt', format, host, records });
    expect(out.sources[0]!.clock.kind).toBe(clock);
  });

  it('leaves no line unread', () => expect(out.diagnostics).toEqual([]));

  it('is the same in blocks of any size', () => {
    for (const block of [1, 7, 1000]) {
      expect(read(sample(`documents/${path}`), block)).toEqual(out);
    }
  });

  it('is the same with CRLF', () => {
    const text = sample(`documents/${path}`).toString().replaceAll('\n', '\r\n');
    expect(read(text)).toEqual(out);
  });
});

describe('tcpstates of experiment 1', () => {
  const states = only(readSample('documents/exp1/client-tcpstates.txt'), 'state');

  it('gives the first and the last transition', () => {
    expect(states[0]).toEqual({
      kind: 'state',
      source: 0,
      line: 3,
      time: null,
      socket: 'ffff90cd83ae0a40',
      pid: 6099,
      comm: 'client',
      local: { address: '172.16.58.147', port: 0 },
      remote: { address: '172.16.58.146', port: 8080 },
      from: 'CLOSE',
      to: 'SYN_SENT',
      duration: 0,
    });
    expect(states.at(-1)).toMatchObject({
      line: 47,
      comm: 'swapper/0',
      local: { port: 43782 },
      from: 'FIN_WAIT1',
      to: 'CLOSE',
      duration: 12_916_193_000,
    });
  });

  it('shows FIN_WAIT2 for microseconds only', () => {
    const ms = states.filter((e) => e.from === 'FIN_WAIT2').map((e) => e.duration! / 1000);
    expect(ms.sort()).toEqual([1, 1, 1, 1, 3, 4]);
  });

  it('has no SYN_SENT to ESTABLISHED of 43798', () => {
    const ports = states.filter((e) => e.to === 'ESTABLISHED').map((e) => e.local.port);
    expect(ports).toHaveLength(9);
    expect(ports).not.toContain(43798);
  });

  it('reads lines that blank lines separate, and a listener on ::', () => {
    const server = only(readSample('documents/exp2/server-tcpstates.txt'), 'state');
    expect(server.map((e) => `${e.from} ${e.to}`)).toEqual([
      'CLOSE LISTEN',
      'LISTEN SYN_RECV',
      'SYN_RECV ESTABLISHED',
      'ESTABLISHED CLOSE_WAIT',
      'LAST_ACK CLOSE',
      'CLOSE_WAIT LAST_ACK',
      'LISTEN CLOSE',
    ]);
    expect(server[0]!.local).toEqual({ address: '::', port: 8090 });
    expect(server[6]).toMatchObject({ line: 9, duration: 47_670_823_000 });
  });
});

describe('the other transcripts', () => {
  it('tcpdrop: packet, state and stack', () => {
    const [first, second] = only(readSample('documents/exp1/client-tcpdrop.txt'), 'drop');
    expect(first).toMatchObject({
      line: 1,
      time: 24_990e9,
      pid: 0,
      from: { address: '172.16.58.146', port: 8080 },
      to: { address: '172.16.58.147', port: 43782 },
      state: 'FIN_WAIT1',
      flags: SYN | ACK,
      reason: null,
    });
    expect(first!.stack).toHaveLength(30);
    expect(first!.stack[1]).toBe('tcp_validate_incoming');
    expect(second).toMatchObject({ line: 33, time: 25_000e9, state: 'CLOSE', flags: RST });
  });

  it('tcptracer: calls, and times without a separator of their own', () => {
    const calls = only(readSample('documents/exp1/client-tcptracer.txt'), 'call');
    expect(calls.map((c) => c.call).join(' ')).toBe(
      'connect connect connect connect close connect connect connect connect connect close close close close close close close close close',
    );
    expect(calls.some((c) => c.call === 'connect' && c.local.port === 43798)).toBe(false);
    const timed = only(readSample('documents/exp3/server-tcptracer.txt'), 'call');
    expect(timed.map((c) => [c.call, c.time])).toEqual([
      ['accept', 0],
      ['close', 2_000_000],
    ]);
    expect(timed[0]).toMatchObject({ pid: 1421971, comm: 'python', local: { port: 8000 } });
  });

  it('netstat: the second, empty run is a snapshot too', () => {
    const out = readSample('documents/exp1/client-netstat.txt');
    expect(only(out, 'socket').every((r) => r.state === 'FIN_WAIT2' && r.owner === 'none')).toBe(true);
    expect(only(out, 'snapshot').map((s) => [s.snapshot, s.line, s.filter, s.rows])).toEqual([
      [1, 1, 'grep 8080', 6],
      [2, 8, 'grep 8080', 0],
    ]);
    expect(out.sources[0]).toMatchObject({ root: true, command: 'netstat -anp|grep 8080' });
  });

  it('netstat: queues, owners with spaces, no owner', () => {
    const server = only(readSample('documents/exp1/server-netstat.txt'), 'socket');
    expect(server[0]).toMatchObject({
      state: 'LISTEN',
      recvQ: 6,
      acceptLimit: null,
      pid: 5348,
      comm: './server',
    });
    expect(server[1]).toMatchObject({ state: 'CLOSE_WAIT', recvQ: 11, owner: 'none', pid: null });
    const rows = only(readSample('documents/004/netstat.txt'), 'socket');
    expect(rows[2]).toMatchObject({ pid: 1790, comm: 'sshd: root@not', owner: 'known', sendQ: 0 });
    expect(rows[4]).toMatchObject({ sendQ: 36, remote: { address: '100.104.192.180', port: 54413 } });
  });

  it('ss, old layout: the limit of the accept queue', () => {
    const rows = only(readSample('documents/004/ss.txt'), 'socket');
    expect(rows[1]).toMatchObject({
      state: 'LISTEN',
      local: { address: '*', port: 8000 },
      recvQ: 0,
      acceptLimit: 5,
      comm: 'python',
      pid: 1764,
    });
    expect(rows[5]).toMatchObject({ state: 'TIME_WAIT', acceptLimit: null, owner: 'none' });
  });

  it('netstat -s: readings of one source', () => {
    const readings = only(readSample('documents/exp1-physical/server-netstat-s.txt'), 'counters');
    expect(
      readings.map((r) => [r.line, r.snapshot, r.values.get('ListenOverflows'), r.values.get('ListenDrops')]),
    ).toEqual([
      [2, 1, 85, 85],
      [7, 2, 101, 101],
      [10, 3, 105, 105],
      [13, 4, 109, 109],
      [17, 5, 113, 113],
    ]);
    expect(readings.every((r) => !r.delta)).toBe(true);
  });

  it('sysctl', () => {
    const settings = only(readSample('documents/004/sysctl.txt'), 'sysctl');
    expect(settings.map((s) => [s.name, s.value])).toContainEqual(['net.ipv4.tcp_synack_retries', '2']);
  });

  it('bpftrace: functions, sockets and the state to be set', () => {
    const walk = only(readSample('documents/000/bpftrace.txt'), 'walk');
    expect(walk[0]).toMatchObject({
      function: 'tcp_close',
      socket: '-1907214080',
      pid: 2828708,
      state: 'ESTABLISHED',
      newState: null,
      acceptLimit: 1024,
    });
    expect(walk[1]).toMatchObject({ function: 'tcp_set_state', state: 'ESTABLISHED', newState: 'FIN_WAIT1' });
    expect(new Set(walk.map((w) => w.socket)).size).toBe(3);
  });

  it('tcpdump: the RSTs of a listener that closed', () => {
    const { packets } = readSample('documents/exp1/server-tcpdump.txt');
    expect(packets.every((p) => p.flags === (RST | ACK) && p.srcPort === 8080)).toBe(true);
    expect(packets.map((p) => p.window)).toEqual([509, 509, 509, 509, 502, 502]);
    expect(packets[0]).toMatchObject({
      frame: 5,
      time: 25_947_783_229_000,
      dstPort: 43752,
      seq: 3446801307 | 0,
      ack: 2969925217 | 0,
      tsVal: 1950798553,
      tsEcr: 3917065523 | 0,
      payload: 0,
    });
  });

  it('tcpdump before 4.0: absolute numbers again', () => {
    const { packets } = readSample('documents/003/fin-tcpdump.txt');
    const client = 3086473299;
    const server = 738551248;
    expect(packets[0]).toMatchObject({
      flags: SYN,
      seq: client | 0,
      mss: 1460,
      windowScale: 7,
      tsVal: 2608642228 | 0,
    });
    expect(packets[2]).toMatchObject({ flags: ACK, seq: (client + 1) | 0, ack: server + 1, payload: 0 });
    expect(packets[3]).toMatchObject({ seq: (client + 1) | 0, payload: 18 });
    expect(packets[7]).toMatchObject({ seq: server + 179, payload: 307, srcPort: 80 });
    expect(packets.filter((p) => p.flags & FIN).map((p) => p.seq)).toEqual([(client + 19) | 0, server + 486]);
  });
});

/** The articles as they are, beside the folder that CORPUS names. */
const ARTICLES = `${process.env.CORPUS ?? ''}/../seeds`;

describe.skipIf(!process.env.CORPUS || !existsSync(ARTICLES))(
  'the articles straight from their Markdown',
  () => {
    const article = (number: string) =>
      read(readFileSync(`${ARTICLES}/${readdirSync(ARTICLES).find((f) => f.startsWith(number))}`));
    const where = (out: ReturnType<typeof article>) => out.sources.map((s) => [s.format, s.host, s.records]);

    it('002 gives what its extracted files give', () => {
      const out = article('002');
      expect(where(out)).toEqual([
        ['tcpstates', 'iZbp12vk49h9xtc8lx3o3uZ', 26],
        ['netstat', 'iZbp12vk49h9xtc8lx3o3uZ', 7],
        ['netstat-s', 'iZbp12vk49h9xtc8lx3o3uZ', 1],
        ['netstat-s', null, 5],
        ['tcpdump', 'iZbp12vk49h9xtc8lx3o3uZ', 6],
        ['netstat', 'iZbp12vk49h9xtc8lx3o3tZ', 6],
        ['netstat', null, 4],
        ['tcpstates', 'iZbp12vk49h9xtc8lx3o3tZ', 45],
        ['tcptracer', 'iZbp12vk49h9xtc8lx3o3tZ', 19],
        ['tcpdrop', null, 2],
        ['tcpstates', null, 7],
        ['tcptracer', null, 2],
        ['tcpstates', null, 6],
        ['tcptracer', null, 2],
      ]);
      for (const [path, source] of [
        ['exp1/server-tcpstates.txt', 0],
        ['exp1/client-tcpstates.txt', 7],
        ['exp2/server-tcpstates.txt', 10],
      ] as const) {
        const alone = only(readSample(`documents/${path}`), 'state');
        const within = only(out, 'state').filter((e) => e.source === source);
        expect(within.map((e) => ({ ...e, line: 0, source: 0 }))).toEqual(
          alone.map((e) => ({ ...e, line: 0 })),
        );
      }
      expect(out.diagnostics.every((d) => d.severity === 'info')).toBe(true);
    });

    it('000, 003 and 004 too; 001 holds no output at all', () => {
      expect(where(article('000'))).toEqual([['bpftrace-walk', null, 17]]);
      expect(where(article('003'))).toEqual([['tcpdump', null, 23]]);
      const host = 'iZ2ze76owg090hoj8a5bpqZ';
      expect(where(article('004'))).toEqual([
        ['netstat', host, 7],
        ['ss', host, 8],
        ['netstat-s', host, 2],
        ['sysctl', host, 6],
      ]);
      expect(article('001').diagnostics.map((d) => d.code)).toEqual(['unknown-format']);
    });
  },
);

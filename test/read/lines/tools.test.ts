/** Output of today's tools, taken in one run: what each notation says must agree with the others. */
import { describe, expect, it } from 'vitest';
import { formatWords } from '../../../src/model/address.ts';
import { displayAddress } from '../../../src/model/hostnames.ts';
import { OPT_TIMESTAMP, type Packet } from '../../../src/model/packet.ts';
import { ACK, RST, SYN } from '../../../src/model/tcp.ts';
import { codes, formats, only, read, readSample, sample, withoutPlace } from './harness.ts';

const tools = (path: string) => readSample(`tools/${path}`);

describe('tcpstates', () => {
  it('says the same in text, with times and wide (libbpf-tools)', () => {
    const plain = tools('tcpstates/tcpstates.txt');
    const timed = tools('tcpstates/tcpstates-T.txt');
    const wide = tools('tcpstates/tcpstates-wT.txt');
    const what = (out: ReturnType<typeof tools>) =>
      withoutPlace(only(out, 'state').map((e) => ({ ...e, duration: 0, comm: e.comm!.slice(0, 10) })));
    expect(what(plain)).toHaveLength(56);
    expect(what(timed)).toEqual(what(plain));
    expect(what(wide)).toEqual(what(plain));
    expect([plain, timed, wide].map((o) => o.sources[0]!.clock.kind)).toEqual(['order', 'wall', 'wall']);
    expect(only(wide, 'state').some((e) => e.comm === 'ksoftirqd/1')).toBe(true);
    expect(codes(plain).concat(codes(timed), codes(wide))).toEqual([]);
  });

  it('refuses lines of libbpf-tools whose IPv6 address did not fit its buffer', () => {
    const out = tools('tcpstates/tcpstates-ipv6.txt');
    expect(out.events).toEqual([]);
    expect(out.diagnostics).toMatchObject([{ code: 'unknown-line', severity: 'data-loss', count: 22 }]);
  });

  it('normalises the addresses of a dual-stack socket', () => {
    const accepted = only(tools('tcpstates/tcpstates.txt'), 'state').filter((e) => e.local.port === 9090);
    expect(accepted.map((e) => e.local.address)).toContain('10.9.0.1');
    expect(accepted.some((e) => e.local.address.startsWith('::ffff:'))).toBe(false);
  });

  it('says the same in text, wide and CSV, COMM with a space included (bcc)', () => {
    const at = (name: string) => readSample(`live/pcap-and-tcpstates/${name}`);
    const narrow = at('tcpstates.txt');
    const [wide, csv, both] = ['tcpstates-w.txt', 'tcpstates.csv', 'tcpstates-T.txt'].map(at);
    // IPv4 and IPv6 come through two buffers of each process: their lines interleave differently
    const what = (out: ReturnType<typeof at>) =>
      only(out, 'state')
        .map((e) => JSON.stringify([e.socket, e.pid, e.local, e.remote, e.from, e.to]))
        .sort();
    expect(what(narrow)).toHaveLength(203);
    for (const other of [wide!, csv!, both!]) expect(what(other)).toEqual(what(narrow));
    expect(only(narrow, 'state')[1]).toMatchObject({ comm: 'Socket Thr', time: 1_088_000 });
    expect(only(wide!, 'state')[1]).toMatchObject({ comm: 'Socket Thread', time: 1_094_000 });
    expect(only(csv!, 'state')[1]).toMatchObject({ comm: 'Socket Thread', time: 1_095_000 });
    expect(narrow.sources[0]!.clock).toEqual({ kind: 'relative', base: 0n, resolution: 1000 });
  });

  it('bounds the time of day at its zero where both times are printed', () => {
    const [source] = readSample('live/pcap-and-tcpstates/tcpstates-T.txt').sources;
    const { from, to } = source!.wallOfZero!;
    // 22:34:19 was printed on the first line
    expect(from).toBeGreaterThanOrEqual(81_259e9);
    expect(to).toBeLessThan(81_260e9);
    expect(to - from).toBeLessThan(0.1e9);
  });
});

describe('tcplife and tcpdrop.bt', () => {
  it('sums lives up', () => {
    const lives = only(tools('tcplife/tcplife-T.txt'), 'life');
    expect(lives).toHaveLength(14);
    expect(lives[5]).toMatchObject({
      pid: 3714,
      comm: 'python3',
      local: { address: 'fd09::2', port: 55504 },
      sent: 307,
      received: 61,
      duration: 100_550_000,
    });
  });

  it('gives local end, remote end and stack; without ports where the packet was dropped', () => {
    const out = tools('tcpdrop-bt/tcpdrop-bt.txt');
    expect(only(out, 'drop')).toEqual([]);
    expect(only(out, 'drop-count').map((d) => d.where)).toEqual([
      'ip6_rcv_core',
      'tcp_disconnect',
      'tcp_disconnect',
    ]);
    // the ports of an earlier moment of that socket
    const [drop] = only(
      read(
        Buffer.from(
          sample('tools/tcpdrop-bt/tcpdrop-bt.txt').toString().replaceAll('10.9.0.1:0', '10.9.0.1:8080'),
        ),
      ),
      'drop',
    );
    expect(drop).toMatchObject({
      socketEnds: true,
      to: { address: '10.9.0.1', port: 8080 },
      from: { address: '10.9.0.2', port: 41256 },
      state: 'CLOSE',
      flags: null,
    });
    expect(drop!.stack.slice(1, 4)).toEqual(['tcp_disconnect', 'inet_child_forget', 'inet_csk_listen_stop']);
    expect(out.diagnostics).toEqual([]);
  });
});

describe('ss', () => {
  const rows = (name: string) => only(tools(`ss/${name}`), 'socket');

  it('reads every layout to the same table', () => {
    const what = (name: string) =>
      rows(name).map((r) => [r.state, r.local, r.remote, r.recvQ, r.acceptLimit]);
    expect(what('ss-tan.txt')).toHaveLength(6);
    for (const name of ['ss-anp.txt', 'ss-tanH.txt', 'ss-at.txt', 'ss-tanpieoOm.txt', 'ss-tanpieom.txt']) {
      expect(what(name)).toEqual(what('ss-tan.txt'));
    }
    expect(rows('ss-ltnp.txt').map((r) => r.state)).toEqual(['LISTEN', 'LISTEN']);
  });

  it('reads details on the same line and on the next one alike', () => {
    const details = (name: string) => rows(name).map((r) => [r.owner, r.pid, r.comm, r.timer, r.drops]);
    expect(details('ss-tanpieom.txt')).toEqual(details('ss-tanpieoOm.txt'));
    expect(details('ss-tanpieoOm.txt')[0]).toEqual(['known', 3672, 'python3', null, 9]);
    expect(details('ss-tanpieoOm.txt')[1]).toEqual(['none', null, null, null, 0]);
    expect(details('ss-tanpieoOm.txt')[4]![3]).toEqual({ name: 'timewait', left: 57e9, retransmits: 0 });
    expect(details('ss-tanpieoOm.txt')[5]![3]).toEqual({ name: 'keepalive', left: 7140e9, retransmits: 0 });
  });

  it('gives queue and limit of listeners, and normal addresses', () => {
    expect(rows('ss-tan.txt')[0]).toMatchObject({ recvQ: 2, acceptLimit: 1, owner: 'hidden' });
    expect(rows('ss-tan.txt')[5]!.local).toEqual({ address: '10.9.0.1', port: 9090 });
  });

  it('cannot tell the rows of `ss state X` without the command, and can with it', () => {
    const alone = tools('ss/ss-state-close-wait.txt');
    expect(codes(alone)).toEqual(['ss-state-hidden']);
    expect(only(alone, 'socket')).toEqual([]);
    const prompt = '[root@a ~]# ss -tan state close-wait\n';
    const told = read(prompt + sample('tools/ss/ss-state-close-wait.txt').toString());
    expect(only(told, 'socket').map((r) => r.state)).toEqual(['CLOSE_WAIT', 'CLOSE_WAIT']);
    expect(only(told, 'snapshot')[0]!.filter).toBe('state close-wait');
  });
});

describe('netstat', () => {
  const rows = (name: string) => only(tools(`netstat/${name}`), 'socket');

  it('reads every set of columns to the same table', () => {
    const what = (name: string) => rows(name).map((r) => [r.state, r.local.port, r.remote.port, r.recvQ]);
    expect(what('netstat-anp.txt')).toHaveLength(6);
    expect(what('netstat-ant.txt')).toEqual(what('netstat-anp.txt'));
    expect(what('netstat-anpte.txt')).toEqual(what('netstat-anp.txt'));
    expect(what('netstat-at.txt')).toEqual(what('netstat-anp.txt'));
    expect(what('netstat-tnpo.txt')).toHaveLength(4);
  });

  it('knows an owner, none, and a column that was not asked for', () => {
    expect(rows('netstat-anp.txt').map((r) => r.owner)).toEqual([
      'known',
      'none',
      'none',
      'known',
      'none',
      'known',
    ]);
    expect(rows('netstat-anpte.txt').map((r) => r.pid)).toEqual(rows('netstat-anp.txt').map((r) => r.pid));
    expect(rows('netstat-ant.txt').every((r) => r.owner === 'hidden')).toBe(true);
  });

  it('reads timers', () => {
    const timers = rows('netstat-tnpo.txt').map((r) => r.timer?.name ?? null);
    expect(timers).toEqual([null, null, 'timewait', 'keepalive']);
    expect(rows('netstat-tnpo.txt')[2]!.timer!.left).toBeGreaterThan(50e9);
  });

  it('takes what the title says of listeners for the filter', () => {
    const filter = (name: string) => only(tools(`netstat/${name}`), 'snapshot')[0]!.filter;
    expect(filter('netstat-anp.txt')).toBeNull();
    expect(filter('netstat-tnpo.txt')).toBe('without listening sockets');
  });
});

describe('counters', () => {
  const values = (path: string) => only(tools(path), 'counters')[0]!.values;

  it('are the same by their English, by nstat and by the kernel', () => {
    const kernel = values('proc-net/proc-net.txt');
    expect(kernel.get('ListenOverflows')).toBe(12);
    expect(kernel.get('TcpPassiveOpens')).toBe(5);
    const english = [...values('netstat/netstat-s.txt')].filter(
      ([name]) => !/^(?:Ip|MPTcp|Udp|Icmp)/.test(name),
    );
    expect(english.length).toBeGreaterThan(20);
    for (const [name, value] of english) expect([name, kernel.get(name)]).toEqual([name, value]);
    for (const [name, value] of values('nstat/nstat-az.txt')) {
      if (kernel.has(name)) expect([name, kernel.get(name)]).toEqual([name, value]);
    }
    expect(values('nstat/nstat-a.json').get('ListenOverflows')).toBe(12);
  });

  it('reads every sentence and name of netstat -s', () => {
    for (const name of ['netstat-s.txt', 'netstat-s-later.txt'])
      expect(tools(`netstat/${name}`).diagnostics).toEqual([]);
  });

  it('marks when nobody can tell totals from differences', () => {
    expect(only(tools('nstat/nstat.txt'), 'counters')[0]).toMatchObject({ delta: false, assumed: true });
    const told = (command: string) => read(`[root@a ~]# ${command}\n${sample('tools/nstat/nstat.txt')}`);
    expect(only(told('nstat'), 'counters')[0]!.delta).toBe(true);
    expect(only(told('nstat -az'), 'counters')[0]).toMatchObject({ delta: false });
    expect(only(told('nstat -az'), 'counters')[0]).not.toHaveProperty('assumed');
  });
});

describe('tcpdump -q', () => {
  it('sums a connection up and makes no packet, whose flags would be made up', () => {
    const { events, packets, diagnostics } = tools('tcpdump-quiet/tcpdump-q.txt');
    expect(packets).toEqual([]);
    expect(events.map((e) => e.kind === 'probe' && [e.line, e.local.port, e.remote.port, e.said])).toEqual([
      [1, 53760, 18080, 'first segment here, its flags are not printed'],
      [
        12,
        53760,
        18080,
        'last segment here, its flags are not printed; 86 bytes in 6 segments from 127.0.0.1:53760, 415 bytes in 6 segments from 127.0.0.1:18080',
      ],
      [13, 57808, 18081, 'first segment here, its flags are not printed'],
      [
        14,
        57808,
        18081,
        'last segment here, its flags are not printed; 0 bytes in 1 segment from 127.0.0.1:57808, 0 bytes in 1 segment from 127.0.0.1:18081',
      ],
    ]);
    expect(diagnostics.map((d) => [d.code, d.severity])).toEqual([['not-tcp', 'info']]);
  });

  it('leaves lines with flags to their reader, and prose alone', () => {
    const flags = '07:12:27.783229 IP 10.0.0.1.80 > 10.0.0.2.4242: Flags [R], seq 3, win 0, length 0';
    expect(read(`${flags}\n`)).toMatchObject({ packets: [{ flags: 4 }], events: [] });
    expect(read('see a.1 > b.2: tcp 120\n').events).toEqual([]);
    expect(read('07:12:27.783229 IP 10.0.0.1 > 10.0.0.2: tcp\n').events).toEqual([]);
  });
});

describe('tcpdump', () => {
  it('takes UDP for another protocol, and not for a flag U that is damaged', () => {
    const udp = '07:12:27.783231 IP 10.0.0.1.53 > 10.0.0.2.4242: UDP, length 30';
    const flags = '07:12:27.783229 IP 10.0.0.1.80 > 10.0.0.2.4242: Flags [R], seq 3, win 0, length 0';
    expect(read(`${flags}\n${udp}\n`).diagnostics.map((d) => d.code)).toEqual(['not-tcp']);
  });

  const packets = (name: string) => tools(`tcpdump/${name}`).packets;
  const same = (p: Packet) => ({ ...p, frame: 0, time: 0, vantage: 0, direction: 0, ttl: 0, ipId: 0 });

  it('makes relative numbers absolute: the same as with -S', () => {
    expect(packets('tcpdump-nn.txt')).toHaveLength(68);
    expect(packets('tcpdump-nn.txt')).toEqual(packets('tcpdump-nnS.txt'));
  });

  it('agrees with the bytes of the capture', () => {
    const wire = segments(sample('tools/tcpdump/server.pcap'));
    const text = packets('tcpdump-nnS.txt');
    const what = (p: Packet) => [
      p.srcPort,
      p.dstPort,
      p.seq >>> 0,
      p.ack >>> 0,
      p.flags,
      p.window,
      p.payload,
      p.tsVal >>> 0,
    ];
    expect(text.map(what)).toEqual(wire.map((w) => w.slice(0, 8)));
    const [source] = tools('tcpdump/tcpdump-nnS.txt').sources;
    expect(source!.clock).toEqual({ kind: 'wall', base: 0n, resolution: 1000 });
    expect(text.map((p) => p.time % 1e9)).toEqual(wire.map((w) => w[8]! * 1000));
  });

  it.each(['nnt', 'nntt', 'nnttt', 'nntttt', 'nnttttt', 'nnv', 'nne', 'nn-number', 'nnvve'])(
    'reads -%s',
    (options) => {
      const expected = packets('tcpdump-nn.txt').slice(0, 24).map(same);
      expect(packets(`tcpdump-${options}.txt`).map(same)).toEqual(expected);
    },
  );

  it('reads service names', () => {
    expect(packets('tcpdump.txt').map((p) => [p.srcPort, p.dstPort])).toEqual(
      packets('tcpdump-nn.txt')
        .slice(0, 24)
        .map((p) => [p.srcPort, p.dstPort]),
    );
  });

  it('names its clock by its stamps', () => {
    const clock = (name: string, command = '') =>
      read(`${command}${sample(`tools/tcpdump/tcpdump-${name}.txt`)}`).sources[0]!.clock;
    expect(clock('nnt').kind).toBe('order');
    expect(clock('nntt')).toEqual({ kind: 'realtime', base: 1795215030n * 1_000_000_000n, resolution: 1000 });
    expect(clock('nntttt')).toEqual({ kind: 'wall', base: 1795132800n * 1_000_000_000n, resolution: 1000 });
    expect(clock('nnttttt').kind).toBe('relative');
  });

  it('has the same time whatever the stamp', () => {
    const relative = packets('tcpdump-nnttttt.txt').map((p) => p.time as number);
    const since = (times: number[]) => times.map((t) => t - times[0]!);
    for (const name of ['nntt', 'nntttt', 'nn-number']) {
      expect(since(packets(`tcpdump-${name}.txt`).map((p) => p.time as number))).toEqual(relative);
    }
    const deltas = read(`[root@a ~]# tcpdump -nnttt -r f\n${sample('tools/tcpdump/tcpdump-nnttt.txt')}`);
    expect(deltas.packets.map((p) => p.time)).toEqual(relative);
    expect(codes(tools('tcpdump/tcpdump-nnttt.txt'))).toEqual(['times-fall']);
  });

  it('takes time to live and identification from -v', () => {
    expect(packets('tcpdump-nnv.txt')[0]).toMatchObject({ ttl: 64, ipId: 53666 });
    expect(packets('tcpdump-nnv.txt').every((p) => p.ttl === 64)).toBe(true);
  });

  it('takes direction and vantage from -i any', () => {
    const any = packets('tcpdump-any.txt');
    expect(any.map(same)).toEqual(packets('tcpdump-nn.txt').map(same));
    expect(
      any.every(
        (p) => (p.dstPort === 8080 || p.dstPort === 9090 || p.dstPort === 81) === (p.direction === 1),
      ),
    ).toBe(true);
    expect(new Set(any.map((p) => p.vantage))).toEqual(new Set([1, 2]));
  });

  it('ends with the reset of unread data, IPv6', () => {
    const reset = packets('tcpdump-nn.txt').find((p) => p.flags & RST && p.srcPort === 9090)!;
    expect(formatWords(reset.src0, reset.src1, reset.src2, reset.src3)).toBe('fd09::1');
    expect(reset).toMatchObject({ flags: RST | ACK, window: 63, options: OPT_TIMESTAMP });
    expect(packets('tcpdump-nn.txt').filter((p) => p.flags === SYN)).toHaveLength(24);
  });

  it('keeps host names', () => {
    const [first] = readSample('documents/003/fin-tcpdump.txt').packets;
    const address = formatWords(first!.src0, first!.src1, first!.src2, first!.src3);
    expect(address.startsWith('100::')).toBe(true);
    expect(displayAddress(address)).toBe('my031089.sqa.cm4.tbsite.net');
  });
});

it('knows every sample by its content', () => {
  const expected: [string, string][] = [
    ['tcplife/tcplife-T.txt', 'tcplife'],
    ['tcpdrop-bt/tcpdrop-bt.txt', 'tcpdrop-bt'],
    ['nstat/nstat-a.json', 'nstat'],
    ['sysctl/sysctl.txt', 'sysctl'],
    ['proc-net/proc-net.txt', 'proc-net'],
  ];
  for (const [path, format] of expected) expect([path, formats(tools(path))]).toEqual([path, [format]]);
});

/** TCP segments of an Ethernet capture in microseconds, little endian, read here by the bytes. */
function segments(file: Buffer): number[][] {
  const rows: number[][] = [];
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const packet = file.subarray(at + 16, at + 16 + length);
    const v6 = packet.readUInt16BE(12) === 0x86dd;
    const tcp = packet.subarray(v6 ? 54 : 34);
    const header = (tcp[12]! >> 4) * 4;
    const payload = (v6 ? packet.readUInt16BE(18) : packet.readUInt16BE(16) - 20) - header;
    rows.push([
      tcp.readUInt16BE(0),
      tcp.readUInt16BE(2),
      tcp.readUInt32BE(4),
      tcp.readUInt32BE(8),
      tcp[13]!,
      tcp.readUInt16BE(14),
      payload,
      timestamp(tcp.subarray(20, header)),
      file.readUInt32LE(at + 4),
    ]);
    at += 16 + length;
  }
  return rows;
}

function timestamp(options: Buffer): number {
  for (let i = 0; i < options.length; ) {
    if (options[i] === 8) return options.readUInt32BE(i + 2);
    i += options[i]! < 2 ? 1 : options[i + 1]!;
  }
  return 0;
}

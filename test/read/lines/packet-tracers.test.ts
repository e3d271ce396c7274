/**
 * retis, nettrace and pwru: three notations of one recording (see their READMEs), and what their sources print besides.
 */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { DIRECTION_IN, DIRECTION_OUT } from '../../../src/model/packet.ts';
import { ACK, PSH, RST, SYN } from '../../../src/model/tcp.ts';
import { codes, formats, only, read, readSample, SAMPLES, sample } from './harness.ts';

const at = (port: number) => ({ address: '10.77.0.1', port });
const server = { address: '10.77.0.2', port: 8080 };

describe('retis', () => {
  const out = readSample('tools/retis/retis.json');

  it('takes packets where they pass an interface, drops and RSTs; and the clock from its first line', () => {
    expect(formats(out)).toEqual(['retis']);
    expect(out.diagnostics).toEqual([]);
    expect(out.frames.map((f) => [f.number, f.direction, f.length])).toEqual([
      [2, DIRECTION_OUT, 74],
      [3, DIRECTION_IN, 74],
      [5, DIRECTION_OUT, 54],
      [6, DIRECTION_IN, 54],
      [8, DIRECTION_OUT, 74],
      [9, DIRECTION_IN, 74],
      [11, DIRECTION_OUT, 54],
      [12, DIRECTION_IN, 54],
    ]);
    // the device has one name in two network namespaces
    expect(new Set(out.frames.map((f) => f.interfaceId))).toEqual(new Set([0, 1]));
    expect(only(out, 'drop')).toMatchObject([
      { from: at(36441), to: server, flags: SYN, reason: { name: 'NO_SOCKET', code: null }, place: 'in' },
      { from: at(40935), to: server, flags: SYN, reason: { name: 'NO_SOCKET', code: null }, place: 'in' },
    ]);
    expect(only(out, 'reset-sent')[0]).toMatchObject({
      local: server,
      remote: at(36441),
      reason: 'NO_SOCKET',
      state: null,
      answers: { flags: SYN, seq: 2821029815 | 0, payload: 0 },
    });
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'realtime', base: 1_795_214_827_708_238_568n });
  });

  it('explains two refused connections, as the recording itself does', async () => {
    const { findings, connections } = await analyze([`${SAMPLES}tools/retis/retis.json`]);
    expect(connections.map((c) => c.closeRule)).toEqual(['connection-refused', 'connection-refused']);
    expect(findings.filter((f) => f.rule === 'connection-refused').map((f) => f.confidence)).toEqual([
      'proved',
      'proved',
    ]);
  });

  const drop = (more: object, packet: object = {}) =>
    JSON.stringify({
      common: { timestamp: 5_000_000_001, smp_id: 0, task: { pid: 7, tgid: 7, comm: 'a"timestamp":9,' } },
      kernel: { symbol: 'skb:kfree_skb', probe_type: 'raw_tracepoint' },
      ...more,
      ...packet,
    });
  const data = JSON.parse(sample('tools/retis/retis.json').toString().split('\n')[1]!).packet.data as string;

  it('1.5: the packet inside skb; a subsystem, a stack; times without the first line are monotonic', () => {
    const old = read(
      `${drop(
        {
          'skb-drop': { subsys: 'openvswitch', drop_reason: 'OVS_DROP_LAST_ACTION' },
          kernel: {
            symbol: 'skb:kfree_skb',
            probe_type: 'raw_tracepoint',
            stack_trace: ['kfree_skb_reason+0x8f', 'ovs_vport_receive+0x1'],
          },
        },
        {
          skb: { packet: { len: 74, capture_len: 74, packet: data }, ns: { netns: 1 }, dev: { name: 'br0' } },
        },
      )}\n`,
    );
    expect(only(old, 'drop')).toMatchObject([
      {
        time: 0,
        pid: 7,
        to: server,
        place: 'unknown',
        reason: { name: 'openvswitch/OVS_DROP_LAST_ACTION' },
        stack: ['kfree_skb_reason', 'ovs_vport_receive'],
      },
    ]);
    expect(old.sources[0]!.clock).toEqual({ kind: 'monotonic', base: 5_000_000_001n, resolution: 1 });
  });

  it('reads a packet without a link layer, IPv6 and VLANs, and nothing else for a segment', () => {
    const raw = Buffer.from(data, 'base64');
    const segment = (bytes: Uint8Array) =>
      only(
        read(
          drop(
            { 'skb-drop': { drop_reason: 'X' } },
            { packet: { len: 1, capture_len: 1, data: Buffer.from(bytes).toString('base64') } },
          ),
        ),
        'drop',
      )[0]?.to ?? null;
    expect(segment(raw.subarray(14))).toEqual(server);
    const vlan = Buffer.concat([raw.subarray(0, 12), Buffer.from('81000005', 'hex'), raw.subarray(12)]);
    expect(segment(vlan)).toEqual(server);
    const v6 = Buffer.from(
      '86dd600000000014064020010db800000000000000000000000120010db8000000000000000000000002',
      'hex',
    );
    expect(segment(Buffer.concat([raw.subarray(0, 12), v6, raw.subarray(34, 54)]))).toEqual({
      address: '2001:db8::2',
      port: 8080,
    });
    const udp = Buffer.from(raw);
    udp[23] = 17;
    expect(segment(udp)).toBeNull();
    for (let length = 0; length < 48; length++) expect(segment(raw.subarray(0, length))).toBeNull();
  });

  it('a RST itself names its sender; one without a packet is no connection', () => {
    const rst = Buffer.from(data, 'base64');
    rst[47] = RST | ACK;
    const reset = (packet: object) =>
      drop(
        {
          kernel: { symbol: 'tcp:tcp_send_reset', probe_type: 'raw_tracepoint' },
          sock: {
            common: { inode: 5, type: 'SOCK_STREAM', proto: 'TCP', state: 'CLOSE' },
            reset_reason: 'TCP_ABORT_ON_CLOSE',
          },
        },
        packet,
      );
    const out = read(
      `${reset({ packet: { len: 74, capture_len: 74, data: rst.toString('base64') } })}\n${reset({})}\n`,
    );
    expect(only(out, 'reset-sent')).toMatchObject([
      { local: at(36441), remote: server, answers: null, state: 'CLOSE', reason: 'TCP_ABORT_ON_CLOSE' },
    ]);
    expect(codes(out)).toEqual(['reset-without-packet']);
  });

  it('says what it does not use, and which version it does not know', () => {
    const start = `{"common":{"timestamp":1},"startup":{"retis_version":"v9.0.0","clock_monotonic_offset":{"sec":1,"nsec":2}}}\n`;
    const step = `${drop({ kernel: { symbol: 'tcp_v4_rcv', probe_type: 'kprobe' } })}\n`;
    const untold = `${drop({ 'skb-drop': { drop_reason: 'X' } })}\n`;
    const out = read(start + step.repeat(3) + untold + start + step + step.slice(0, -30));
    expect(out.diagnostics.map((d) => [d.source, d.code, d.severity, d.count])).toEqual([
      ['x.txt', 'retis-version-unknown', 'info', 1],
      ['x.txt', 'events-not-used', 'info', 3],
      ['x.txt', 'retis-without-packet', 'data-loss', 1],
      ['x.txt#2', 'retis-version-unknown', 'info', 1],
      ['x.txt#2', 'events-not-used', 'info', 1],
      ['x.txt#2', 'unknown-line', 'data-loss', 1],
    ]);
    expect(out.sources.map((s) => s.clock.base)).toEqual([6_000_000_003n, 6_000_000_003n]);
  });

  it('keeps nanoseconds after more than 104 days of uptime', () => {
    const late = drop({ 'skb-drop': { drop_reason: 'X' } }, { packet: { len: 74, capture_len: 74, data } });
    const out = read(
      `${late.replace('5000000001', '18014398509481985')}\n${late.replace('5000000001', '18014398509481987')}`,
    );
    expect(only(out, 'drop').map((d) => d.time)).toEqual([0, 2]);
  });
});

describe('nettrace', () => {
  it('--drop', () => {
    const out = readSample('tools/nettrace/nettrace-drop.txt');
    expect(formats(out)).toEqual(['nettrace']);
    expect(out.diagnostics).toEqual([]);
    expect(only(out, 'drop')).toMatchObject([
      {
        time: 3_062_473_552_000,
        from: at(36441),
        to: server,
        flags: SYN,
        reason: { name: 'NO_SOCKET', code: null },
        stack: ['tcp_v4_rcv'],
        place: 'unknown',
      },
      { from: at(40935) },
    ]);
    expect(out.sources[0]!.clock).toEqual({ kind: 'monotonic', base: 0n, resolution: 1000 });
  });

  it('--drop on kernels without reasons; --date; --detail; IPv6; other protocols', () => {
    const out = read(
      [
        '[2022-1-4 07:02:03.123456] TCP: 10.0.0.2:80 -> 10.0.0.1:5000 seq:1, ack:2, flags:AP, tcp_v4_do_rcv+0x70',
        '[2022-1-5 00:00:00.000001] [8f02f900][kfree_skb           ][cpu:3  ][eth0 ][pid:0      ][swapper/3   ][ns:1] TCP: 2001:db8::1:80 -> 2001:db8::2:5000 seq:1, ack:0, flags:S, reason: NETFILTER_DROP, nf_hook_slow+0xa8',
        '[2022-1-5 00:00:00.000002] UDP: 10.0.0.2:80 -> 10.0.0.1:5000, reason: NO_SOCKET, udp_rcv+0x70',
      ].join('\n'),
    );
    expect(only(out, 'drop')).toMatchObject([
      { flags: ACK | PSH, reason: null, stack: ['tcp_v4_do_rcv'], time: 25_323_123_456_000 },
      {
        from: { address: '2001:db8::1', port: 80 },
        reason: { name: 'NETFILTER_DROP' },
        stack: ['nf_hook_slow'],
        time: 86_400_000_001_000,
      },
    ]);
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'wall', resolution: 1e9 });
    expect(codes(out)).toEqual(['not-tcp']);
  });

  it('--diag: the place and the reason from the analysis; the way there is not read, and said so', () => {
    const out = read(
      [
        '$ nettrace -p tcp --diag',
        'begin trace...',
        '***************** b3c64f00 ***************',
        '[4049.295546] [ip_rcv              ] TCP: 10.0.0.1:5000 -> 10.0.0.2:80 seq:9, ack:0, flags:S',
        '[4049.295687] [nf_hook_slow        ] TCP: 10.0.0.1:5000 -> 10.0.0.2:80 seq:9, ack:0, flags:S *ipv4 in chain: INPUT* *packet is dropped by netfilter (NF_DROP)*',
        '[4049.295700] [skb_clone           ]',
        '[4049.295711] [kfree_skb           ] TCP: 10.0.0.1:5000 -> 10.0.0.2:80 seq:9, ack:0, flags:S *packet is dropped by kernel*',
        '---------------- ANALYSIS RESULT ---------------------',
        '[1] ERROR happens in nf_hook_slow(netfilter):',
        '        packet is dropped by netfilter (NF_DROP)',
        '    fix advice:',
        '        check your netfilter rule',
        '',
        '[2] ERROR happens in kfree_skb(life):',
        '\tpacket is dropped by kernel',
        '    location:',
        '\tnf_hook_slow+0x96',
        '    drop reason:',
        '\tNETFILTER_DROP',
        '',
        'analysis finished!',
        'end trace...',
      ].join('\n'),
    );
    expect(only(out, 'drop')).toMatchObject([
      { line: 7, flags: SYN, reason: { name: 'NETFILTER_DROP' }, stack: ['nf_hook_slow'] },
    ]);
    expect(out.diagnostics.map((d) => [d.code, d.severity, d.count])).toEqual([['path-not-read', 'info', 3]]);
  });

  it('names the layout of its first versions instead of calling it damage', () => {
    const line =
      '463697.331957: [__netif_receive_skb_core]: TCP: 10.0.0.1:5 -> 10.0.0.2:80, seq:1, ack:2, flags:S';
    expect(read(line).diagnostics).toMatchObject([{ code: 'path-not-read', severity: 'info' }]);
  });

  it('is not taken for the ring buffer of the kernel', () => {
    const dmesg = '[  142.097193] TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.';
    expect(formats(read(dmesg))).toEqual(['kernel-log']);
    expect(formats(read(dmesg.replace('[  ', '[')))).toEqual(['kernel-log']);
  });
});

describe('pwru', () => {
  it('text: the drops of it', () => {
    const out = readSample('tools/pwru/pwru.txt');
    expect(formats(out)).toEqual(['pwru']);
    expect(only(out, 'drop')).toMatchObject([
      {
        line: 5,
        time: null,
        from: at(36441),
        to: server,
        flags: null,
        reason: { name: 'NO_SOCKET', code: null },
        place: 'unknown',
      },
      { line: 9, from: at(40935) },
    ]);
    expect(out.diagnostics.map((d) => [d.code, d.severity, d.count])).toEqual([['path-not-read', 'info', 6]]);
  });

  it('JSON: the same, with flags and the time of day', () => {
    const out = readSample('tools/pwru/pwru.json');
    expect(only(out, 'drop')).toMatchObject([
      { from: at(36441), flags: SYN, time: 18_427_708_000_000, reason: { name: 'NO_SOCKET' } },
      { from: at(40935), flags: SYN },
    ]);
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'wall', resolution: 1e6 });
    expect(out.diagnostics).toEqual([]);
  });

  it('other versions: another order of columns, reasons without a name, IPv6, a stack, progress', () => {
    const out = read(
      [
        '2023/03/01 10:00:00 Attaching kprobes (via kprobe-multi)...',
        '1475 / 1475 [-----------------------] 100.00% ? p/s',
        '2023/03/01 10:00:00 Listening for events..',
        '               SKB    CPU          PROCESS                     FUNC',
        '0xffff8cf003facee0      2        [curl]       kfree_skb_reason(SKB_DROP_REASON_NETFILTER_DROP) [2001:db8::1]:5000->[2001:db8::2]:80(tcp)',
        'nf_hook_slow',
        '__ip_local_out',
        '0xffff8cf003facee0      2        [<empty>]    sk_skb_reason_drop (77) 10.0.0.1:5000->10.0.0.2:80(tcp:FIN|ACK)',
        '0xffff8cf003facee0      2        [curl]       kfree_skb 10.0.0.1:53->10.0.0.2:53(udp)',
        '0xffff8cf003facee0      2        [curl]       kfree_skb_reason(SKB_DROP_REASON_NO_SOCKET)',
      ].join('\n'),
    );
    expect(only(out, 'drop')).toMatchObject([
      {
        from: { address: '2001:db8::1', port: 5000 },
        reason: { name: 'NETFILTER_DROP' },
        stack: ['nf_hook_slow', '__ip_local_out'],
      },
      { reason: { code: 77, name: null }, flags: 0x11, stack: [] },
    ]);
    expect(out.diagnostics.map((d) => [d.code, d.count])).toEqual([
      ['not-tcp', 1],
      ['drop-without-tuple', 1],
    ]);
  });
});

it('a drop by netfilter of which nothing tells on which of the two hosts it was is not proved', async () => {
  const { mkdtemp, writeFile } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/tcpautopsy-test-');
  const line =
    '[3.000001] TCP: 10.0.0.1:5000 -> 10.0.0.2:80 seq:9, ack:0, flags:S, reason: NETFILTER_DROP, nf_hook_slow+0xa8\n';
  await writeFile(`${folder}/drops.txt`, line);
  const { findings } = await analyze([`${folder}/drops.txt`]);
  expect(findings.filter((f) => f.rule === 'netfilter-drop').map((f) => f.confidence)).toEqual(['inferred']);
});

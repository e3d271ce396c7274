/** What people paste beside the tools of tracing: firewall logs, tables of other systems, conntrack. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { SYN } from '../../../src/model/tcp.ts';
import { codes, formats, only, read, readSample, SAMPLES, sample } from './harness.ts';

const tools = (path: string) => readSample(`tools/${path}`);
const explained = (path: string) => analyze([`${SAMPLES}tools/${path}`]);

describe('LOG lines of a firewall', () => {
  it('are drops where the prefix says so, and no more than lines where it does not', () => {
    const out = tools('netfilter-log/dmesg.txt');
    expect(only(out, 'drop').map((d) => [d.to.port, d.flags, d.said, d.place])).toEqual([
      [8080, SYN, 'DROP 8080:', 'in'],
      [8080, SYN, 'DROP 8080:', 'in'],
    ]);
    expect(only(out, 'probe').map((p) => [p.local.port, p.packet!.flags])).toEqual([[8081, SYN]]);
    expect(out.sources[0]!.clock).toMatchObject({ kind: 'relative', resolution: 1000 });
    expect(codes(out)).toEqual([]);
  });

  it('never prove a drop', async () => {
    const { findings } = await explained('netfilter-log/dmesg.txt');
    expect(findings.filter((f) => f.rule === 'netfilter-drop').map((f) => f.confidence)).toEqual([
      'inferred',
    ]);
  });

  it('are read behind what syslog puts before them, with its time', () => {
    const [first] = sample('tools/netfilter-log/dmesg.txt').toString().split('\n');
    const bare = first!.replace(/^\[[^\]]+\] DROP 8080/, '[UFW BLOCK]').replace(/ SEQ=\d+ ACK=\d+/, '');
    const [drop] = only(read(`Jan 12 10:00:01 fw kernel: ${bare}\n`), 'drop');
    expect(drop).toMatchObject({ said: '[UFW BLOCK]:', time: 36_001e9, flags: SYN });
    const [allowed] = read(`Jan 12 10:00:01 fw kernel: ${bare.replace('BLOCK', 'ALLOW')}\n`).events;
    expect(allowed!.kind).toBe('probe');
  });
});

describe('netstat of other systems', () => {
  it('reads that of macOS, also behind a prompt, and no table of Linux', () => {
    const out = tools('netstat-bsd/netstat-an-p-tcp.txt');
    expect(formats(out)).toEqual(['netstat-bsd']);
    const rows = only(out, 'socket');
    expect(rows.map((r) => r.state)).toEqual(['ESTABLISHED', 'CLOSE_WAIT', 'FIN_WAIT2', 'LISTEN', 'LISTEN']);
    expect(rows[1]).toMatchObject({
      recvQ: 31,
      local: { address: '198.51.100.20', port: 52012 },
      owner: 'hidden',
    });
    const plain = read(sample('tools/netstat-bsd/netstat-an-p-tcp.txt').toString().replace(' -p tcp', ''));
    expect(only(plain, 'snapshot').map((s) => plain.sources[s.source]!.format)).toEqual(['netstat-bsd']);
    expect(codes(out)).toEqual([]);
  });

  it('reads that of Windows, which shows owners and no queues', () => {
    const out = tools('netstat-windows/netstat-abno.txt');
    expect(formats(out)).toEqual(['netstat-windows']);
    const rows = only(out, 'socket');
    expect(rows.map((r) => [r.state, r.owner, r.comm])).toEqual([
      ['LISTEN', 'known', 'svchost.exe'],
      ['ESTABLISHED', 'known', 'client.exe'],
      ['CLOSE_WAIT', 'known', 'client.exe'],
      ['TIME_WAIT', 'none', null],
      ['SYN_SENT', 'known', 'client.exe'],
      ['LISTEN', 'known', null],
    ]);
    expect(rows.every((r) => r.withoutQueues)).toBe(true);
    expect(codes(out)).toEqual([]);
  });

  it('takes their hosts for no Linux', async () => {
    const { connections } = await explained('netstat-windows/netstat-abno.txt');
    expect(connections.map((c) => c.clientStack)).toEqual(Array(4).fill('not linux'));
  });
});

/** Tracepoints of the kernel as tracefs, trace-cmd and perf print them. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { codes, formats, only, read, readSample, SAMPLES, sample } from './harness.ts';

const trace = sample('tools/kernel-trace/trace.txt').toString();
const what = (text: string) =>
  read(text).events.map((e) =>
    e.kind === 'state' ? [e.socket, e.from, e.to, e.comm, e.time] : [e.kind, e.time],
  );

describe('tracepoints of the kernel as text', () => {
  it('are read from trace, trace_pipe and perf script', () => {
    const out = read(trace);
    expect(formats(out)).toEqual(['kernel-trace']);
    expect(codes(out)).toEqual([]);
    expect(only(out, 'reset-received')).toHaveLength(2);
    const perf = readSample('tools/kernel-trace/perf-script.txt');
    expect(only(perf, 'reset-sent')).toMatchObject([
      { state: 'CLOSE', reason: 'TCP_ABORT_ON_CLOSE', answers: null },
    ]);
  });

  it('say the same in the notation of trace-cmd report', () => {
    const report = trace
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/\] \S{5} +([\d.]+): (\w+): /, ']  $1: $2:      '));
    expect(what(report.join('\n'))).toEqual(what(trace));
  });

  it('join SYN_SENT, which has no port yet, with what follows', () => {
    const connecting = only(read(trace), 'state').filter((e) => e.to === 'SYN_SENT');
    expect(connecting.map((e) => e.remote.port)).toEqual([8082, 8082, 81, 8080]);
    const named = only(read(trace), 'state').filter((e) => e.socket === connecting[0]!.socket);
    expect(named.at(-1)!.to).toBe('CLOSE');
  });

  it('leave it unjoined where several sockets wait for the same server', () => {
    const [first] = trace.split('\n').filter((line) => line.includes('newstate=TCP_SYN_SENT'));
    const next = trace.split('\n').filter((line) => line.includes('oldstate=TCP_SYN_SENT'))[0]!;
    const other = next.replace('sport=41054', 'sport=41055');
    const out = read([first, first, next, other].join('\n'));
    expect(only(out, 'state').map((e) => e.from)).toEqual(['SYN_SENT', 'SYN_SENT']);
    expect(codes(out)).toEqual(['connect-without-port']);
  });

  it('give the causes of what happened, and of an answered packet nobody knows which it was', async () => {
    const { findings } = await analyze([`${SAMPLES}tools/kernel-trace/trace.txt`]);
    const sure = (rule: string) => findings.find((f) => f.rule === rule)?.confidence;
    expect(sure('unread-data-reset')).toBe('inferred');
    expect(sure('connection-refused')).toBe('possible');
    expect(sure('no-socket-reset')).toBeUndefined();
  });
});

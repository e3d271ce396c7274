import { describe, expect, test } from 'vitest';
import { resetShape } from '../../src/explain/facts/reset-shape.ts';
import { stepsOf } from '../../src/explain/facts/steps.ts';
import { retransmissionAt } from '../../src/explain/facts/timing.ts';
import { count, endpoints, list, ports } from '../../src/explain/words.ts';
import type { CounterSeries } from '../../src/model/case.ts';
import type { KeyPacket } from '../../src/model/connection.ts';
import { OPT_TIMESTAMP } from '../../src/model/packet.ts';
import type { CounterEvent } from '../../src/model/table-event.ts';
import { ACK, RST, SYN } from '../../src/model/tcp.ts';
import type { SourceTime } from '../../src/model/time.ts';

function packet(fields: Partial<KeyPacket>): KeyPacket {
  return {
    source: 0,
    frame: 1,
    time: 0 as SourceTime,
    side: 0,
    vantage: 0,
    why: 0,
    flags: 0,
    seq: 0,
    ack: 0,
    payload: 0,
    window: 0,
    options: 0,
    tsVal: 0,
    tsEcr: 0,
    ttl: 64,
    ipId: 0,
    ...fields,
  };
}

describe('the shape of a RST (kernel-notes §1)', () => {
  const data = packet({ flags: ACK, ack: 5 });
  const syn = packet({ flags: SYN });
  test.each([
    ['RST|ACK with a window', { flags: RST | ACK, window: 509 }, data, true, 'active'],
    ['RST|ACK with timestamps', { flags: RST | ACK, options: OPT_TIMESTAMP }, data, true, 'active'],
    ['a bare RST', { flags: RST, seq: 5 }, data, true, 'passive'],
    ['RST|ACK with seq 0 answering a SYN', { flags: RST | ACK, ack: 1 }, syn, null, 'passive'],
    ['a bare RST with a window', { flags: RST, seq: 5, window: 1024 }, data, true, 'foreign'],
    [
      'RST|ACK without window where there are timestamps',
      { flags: RST | ACK, seq: 9 },
      data,
      true,
      'foreign',
    ],
    ['RST|ACK without window where there are none', { flags: RST | ACK, seq: 9 }, data, false, 'unclear'],
  ] as const)('%s is %4$s', (_name, reset, answers, timestamps, shape) => {
    expect(resetShape(packet(reset), answers, timestamps)).toBe(shape);
  });
});

describe('moments of retransmissions', () => {
  test('12.916 s is the sixth, with an RTO of 205 ms', () => {
    const fit = retransmissionAt(12_916_193_000, 544_000);
    expect(fit?.n).toBe(6);
    expect(fit?.rto).toBeCloseTo(205e6, -6);
  });

  test.each([150e6, 300e6, 10e9, 1])('%d ns is none', (elapsed) => {
    expect(retransmissionAt(elapsed, 500_000)).toBeNull();
  });

  test('a long round trip allows a longer RTO', () => {
    expect(retransmissionAt(250e6, 45e6)?.n).toBe(1);
    expect(retransmissionAt(250e6, 1e6)).toBeNull();
  });
});

describe('steps of counters', () => {
  function series(values: number[], delta = false): CounterSeries {
    const readings = values.map(
      (v, i): CounterEvent => ({
        kind: 'counters',
        source: 0,
        line: i + 1,
        time: null,
        snapshot: i + 1,
        values: new Map([['ListenOverflows', v]]),
        delta,
      }),
    );
    return { source: {} as CounterSeries['source'], host: null, readings };
  }

  test('one reading makes no step', () => {
    expect(stepsOf(series([17]), 'ListenOverflows')).toEqual([]);
  });

  test('two totals make one, and a counter that starts again makes none', () => {
    expect(stepsOf(series([85, 101]), 'ListenOverflows').map((s) => s.delta)).toEqual([16]);
    expect(stepsOf(series([85, 3, 5]), 'ListenOverflows').map((s) => s.delta)).toEqual([2]);
  });

  test('a delta is a step of its own', () => {
    expect(stepsOf(series([4], true), 'ListenOverflows').map((s) => s.delta)).toEqual([4]);
  });

  test('a counter that is not there makes none', () => {
    expect(stepsOf(series([1, 2]), 'TCPAbortOnData')).toEqual([]);
  });
});

describe('words', () => {
  test('lists and counts', () => {
    expect(list(['a', 'b', 'c'])).toBe('a, b and c');
    expect(count(1, 'SYN')).toBe('1 SYN');
    expect(count(4, 'SYN')).toBe('4 SYNs');
    expect(count(17, 'SYN')).toBe('17 SYNs');
  });

  test('many ports are cut, and say so', () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ address: '10.0.0.1', port: 1000 + i }));
    expect(ports(many, 3)).toBe('ports 1000, 1001, 1002 and 17 more');
    expect(endpoints(many.slice(0, 1))).toBe('10.0.0.1:1000');
  });
});

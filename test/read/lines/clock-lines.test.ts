/** Tables have no time of their own: that of `date`, `watch`, a script or the prompt beside them, where one was shown. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import type { ClockKind } from '../../../src/model/time.ts';
import { codes, type Outcome, only, read } from './harness.ts';

const HEADER = 'State      Recv-Q Send-Q Local Address:Port Peer Address:Port';
const ROW = 'CLOSE-WAIT 1      0      10.0.0.2:8080      10.0.0.9:4001';
const TABLE = `${HEADER}\n${ROW}`;
const NSTAT = '#kernel\nTcpExtListenOverflows           5                  0.0\nTcpActiveOpens    7    0.0';
const NOV30 = BigInt(Date.UTC(2026, 10, 30)) * 1_000_000n;

/** When each row was in its table: ns since 1970, or since a midnight nobody knows. */
function taken(
  { sources, events }: Outcome,
  kind: 'socket' | 'counters' | 'probe' | 'state-count' = 'socket',
) {
  return only({ sources, events } as Outcome, kind).map((e) =>
    e.time === null ? null : sources[e.source]!.clock.base + BigInt(e.time),
  );
}

const seconds = (hours: number, minutes: number, s: number) =>
  BigInt((hours * 60 + minutes) * 60 + s) * 1_000_000_000n;

describe('a clock line before a table', () => {
  test.each<[string, ClockKind, bigint]>([
    ['Mon Nov 30 15:18:52 UTC 2026', 'realtime', NOV30 + seconds(15, 18, 52)],
    ['Mon Nov 30 03:18:52 PM UTC 2026', 'realtime', NOV30 + seconds(15, 18, 52)],
    ['Mon 30 Nov 15:18:52 GMT 2026', 'realtime', NOV30 + seconds(15, 18, 52)],
    ['Mon 30 Nov 2026 12:18:52 AM UTC', 'realtime', NOV30 + seconds(0, 18, 52)],
    ['Mon, 30 Nov 2026 15:18:52 +0530', 'realtime', NOV30 + seconds(9, 48, 52)],
    ['2026-11-30T15:18:52+01:00', 'realtime', NOV30 + seconds(14, 18, 52)],
    ['2026-11-30T15:18:52,250000000-02:00', 'realtime', NOV30 + seconds(17, 18, 52) + 250_000_000n],
    ['2026-11-30 15:18:52Z', 'realtime', NOV30 + seconds(15, 18, 52)],
    ['1796051932.5', 'realtime', NOV30 + seconds(15, 18, 52) + 500_000_000n],
    ['===== Mon Nov 30 15:18:52 UTC 2026 =====', 'realtime', NOV30 + seconds(15, 18, 52)],
    ['# date: 2026-11-30 15:18:52', 'wall', NOV30 + seconds(15, 18, 52)],
    ['lundi 30 novembre 2026, 15:18:52 (UTC+0100)', 'realtime', NOV30 + seconds(14, 18, 52)],
    // how far that is from UTC the letters do not say
    ['Mo 30. Nov 16:18:52 CET 2026', 'wall', NOV30 + seconds(16, 18, 52)],
    ['Mo 30 Nov 2026 16:18:52 CET', 'wall', NOV30 + seconds(16, 18, 52)],
    ['lun. 30 nov. 2026 16:18:52 CET', 'wall', NOV30 + seconds(16, 18, 52)],
    ['lun 30 nov 2026, 16:18:52, CET', 'wall', NOV30 + seconds(16, 18, 52)],
    ['Do 3. Mär 16:18:52 CET 2026', 'wall', NOV30 - 272n * seconds(24, 0, 0) + seconds(16, 18, 52)],
    ['lun. 03 août 2026 17:18:52 CEST', 'wall', NOV30 - 119n * seconds(24, 0, 0) + seconds(17, 18, 52)],
    ['ven. 03 juil. 2026 17:18:52 CEST', 'wall', NOV30 - 150n * seconds(24, 0, 0) + seconds(17, 18, 52)],
    ['Mon Nov 30 16:18:52 CET 2026', 'wall', NOV30 + seconds(16, 18, 52)],
    ['Mon Nov  2 06:18:52 2026', 'wall', NOV30 - 28n * seconds(24, 0, 0) + seconds(6, 18, 52)],
    [' 15:18:52 up 3 days,  2:01,  1 user,  load average: 0.01, 0.02, 0.00', 'wall', seconds(15, 18, 52)],
    ['15:18:52', 'wall', seconds(15, 18, 52)],
  ])('%s', (line, kind, time) => {
    const out = read(`${line}\n${TABLE}\n`);
    expect(taken(out)).toEqual([time]);
    expect(out.sources[0]!.clock.kind).toBe(kind);
    expect(codes(out)).toEqual([]);
  });

  it.each(['+%a %b %e %T %Z %Y', '-Is', '-Ins', '--rfc-3339=seconds', '-R', '+%s', '+%s.%N', '+%c'])(
    'as this date prints it: %s',
    (format) => {
      const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
      const line = execFileSync('date', [format, '-d', '2026-11-30T15:18:52Z'], { env }).toString();
      expect(taken(read(`${line}${TABLE}\n`))).toEqual([NOV30 + seconds(15, 18, 52)]);
    },
  );

  it.each([
    [
      'conntrack',
      'tcp 6 117 SYN_SENT src=10.0.0.9 dst=10.0.0.2 sport=4 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 sport=80 dport=4',
      'probe',
    ],
    ['netstat', 'tcp        1      0 10.0.0.2:8080           10.0.0.9:4001           CLOSE_WAIT', 'socket'],
    ['nstat', NSTAT, 'counters'],
    ['counts', '    734 CLOSE-WAIT', 'state-count'],
  ] as const)('%s', (_, text, kind) => {
    expect(taken(read(`Mon Nov 30 15:18:52 UTC 2026\n${text}\n`), kind)).toEqual([
      NOV30 + seconds(15, 18, 52),
    ]);
    expect(taken(read(`${text}\n`), kind)).toEqual([null]);
  });

  it('is of the next table alone, as a script prints them again and again', () => {
    const at = (s: number) => `Mon Nov 30 15:18:0${s} UTC 2026\n${TABLE}\n`;
    const out = read(`${at(1)}${at(6)}${TABLE}\n`);
    expect(taken(out)).toEqual([NOV30 + seconds(15, 18, 1), NOV30 + seconds(15, 18, 6), null]);
    expect(out.sources).toHaveLength(1);
  });

  it('is not of the lines of a log that follow one another', () => {
    const log =
      'NEW] tcp 6 120 SYN_SENT src=10.0.0.9 dst=10.0.0.2 sport=4 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 sport=80 dport=4';
    const out = read(`Mon Nov 30 15:18:52 UTC 2026\n    [${log}\n`);
    expect(taken(out, 'probe')).toEqual([null]);
    expect(out.sources[0]!.clock.kind).toBe('order');
  });
});

test('the header of watch says command, host and time', () => {
  const header = 'Every 2.0s: ss -tan                                 web1: Mon Nov 30 15:18:52 2026';
  const out = read(`${header}\n\n${TABLE}\n`);
  expect(taken(out)).toEqual([NOV30 + seconds(15, 18, 52)]);
  expect(out.sources[0]).toMatchObject({ host: 'web1', command: 'ss -tan', root: null });
  expect(only(out, 'snapshot')[0]!.filter).toBeNull();
});

describe('typed at a prompt', () => {
  it('a table is of the time that was shown before it, which may be long ago', () => {
    const out = read(
      `[root@web1 ~]# date\nMon Nov 30 15:18:52 UTC 2026\n[root@web1 ~]# ss -tan\n${TABLE}\n[root@web1 ~]# ss -tan\n${TABLE}\n`,
    );
    expect(taken(out)).toEqual([NOV30 + seconds(15, 18, 52), null]);
    expect(out.sources[0]!.clock.uncertainty).toBeGreaterThan(60e9);
  });

  it('and counters of no time: a reading brackets what happened', () => {
    const out = read(
      `[root@web1 ~]# date\nMon Nov 30 15:18:52 UTC 2026\n[root@web1 ~]# nstat -az\n${NSTAT}\n`,
    );
    expect(taken(out, 'counters')).toEqual([null]);
  });

  it('the prompt itself shows a time', () => {
    const out = read(`[10:15:01] root@web1:~# ss -tan\n${TABLE}\n`);
    expect(taken(out)).toEqual([seconds(10, 15, 1)]);
  });
});

/** One text, many sections: prompts, fences, comments, noise, and everything that nobody can read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeText } from '../../../src/read/text.ts';
import { THOROUGH } from '../../thorough.ts';
import { codes, formats, only, read, readSample, sample } from './harness.ts';

const text = (path: string) => sample(`documents/${path}`).toString().trimEnd();
const STATES = text('exp1/client-tcpstates.txt').split('\n').slice(1).join('\n');
const RECORD = STATES.split('\n')[1]!;

describe('a text of something else', () => {
  it('is one error with its first line quoted', () => {
    const out = read('\n\u001b[1mDear all,\u0007\nthe server is down again.\n');
    expect(out.sources).toEqual([]);
    expect(out.diagnostics).toEqual([
      {
        code: 'unknown-format',
        severity: 'error',
        source: 'x.txt',
        locator: 'line 2',
        count: 1,
        message: 'unrecognised format, ignored (see `tcpautopsy formats`); it begins "Dear all,\u{FFFD}"',
      },
    ]);
  });

  it('is called a program where an article shows only that', () => {
    const code = '```c\nfprintf(stderr, "ts:%llu:%s:%s:%s\\n",\n```\n';
    expect(read(`A program:\n${code}and\n${code}`).diagnostics).toMatchObject([
      { code: 'unknown-format', message: expect.stringMatching(/^holds 2 blocks of code, but no line/) },
    ]);
  });

  it('is named when it is empty', () => {
    expect(read('').diagnostics).toMatchObject([{ code: 'unknown-format', message: 'is empty' }]);
  });

  it('is this file too', () => {
    expect(codes(readSample('documents/README.md'))).toEqual(['unknown-format']);
  });

  it('is told from bytes', () => {
    const head = (...bytes: number[]) => looksLikeText(Uint8Array.from(bytes));
    expect(looksLikeText(sample('documents/exp1/server-tcpdump.txt'))).toBe(true);
    expect(looksLikeText(sample('tools/tcpdump/server.pcap'))).toBe(false);
    expect(looksLikeText(Buffer.from('请求前：\n'))).toBe(true);
    expect(head(0xff, 0xfe, 0x41, 0)).toBe(true);
    expect(head(1, 2, 3, 4, 5)).toBe(false);
  });
});

describe('lines that cannot be read', () => {
  it('are counted, located and quoted, inside a log as lost data', () => {
    const garbled = `${STATES}\nffff90cdd53ca900 6099  cli\n${RECORD}\nffff90cdd53ca900 #\n`;
    const out = read(garbled);
    expect(out.events).toHaveLength(46);
    expect(out.diagnostics).toEqual([
      {
        code: 'unknown-line',
        severity: 'data-loss',
        source: 'x.txt',
        locator: 'line 47',
        count: 2,
        message:
          'lines in tcpstates (bcc, libbpf-tools) output that could not be read; the first is "ffff90cdd53ca900 6099  cli"',
      },
    ]);
  });

  it('are worth a note between the outputs of an article', () => {
    const out = read(`One.\nTwo.\nThree.\n\`\`\`\n${STATES}\n\`\`\`\nFour.\n`);
    expect(only(out, 'state')).toHaveLength(45);
    expect(out.diagnostics).toMatchObject([
      { code: 'text-outside', severity: 'info', count: 4, locator: 'line 1' },
    ]);
  });

  it('are cut when they are longer than any tool writes, and bounded in memory', () => {
    const long = `${RECORD}\n${'x'.repeat(3_000_000)}\n${RECORD}\n`;
    for (const block of [65_536, 10_000_000]) {
      const out = read(long, block);
      expect(only(out, 'state').map((e) => e.line)).toEqual([1, 3]);
      expect(out.diagnostics).toMatchObject([{ code: 'unknown-line', locator: 'line 2', count: 1 }]);
    }
  });

  it('take no more than linear time, whatever stands in them', () => {
    const lines = [
      `ffff888100000000 1 ${'a '.repeat(30_000)}`,
      `[a@b ${'x'.repeat(60_000)}`,
      `12:00:00.000000 IP (tos ${' length 1)'.repeat(6000)}`,
      `07:12:27.783229 IP a > ${'b: '.repeat(20_000)}`,
      `${'sudo '.repeat(12_000)}`,
      `root@a:~# ${'nsenter a '.repeat(6000)}ss`,
      `TcpExt:${' Aa'.repeat(20_000)}!`,
      `users:((${'"a",pid='.repeat(7000)}`,
      `${'1 '.repeat(30_000)}times`,
    ];
    // what this process computes: a machine may be busy with others
    const started = process.cpuUsage();
    read(
      `${RECORD}\n${lines
        .map((line) => `${line}\n`)
        .join('')
        .repeat(20)}`,
    );
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(3000);
  });
});

describe('what terminals add', () => {
  it('is taken off: colours, titles, carriage returns, ^C', () => {
    const prompt = '\u001b]0;root@web: ~\u0007\u001b[01;31mroot@web\u001b[00m:\u001b[01;34m~\u001b[00m# ';
    const row =
      'tcp        6      0 0.0.0.0:8080            0.0.0.0:*               LISTEN      5348/./server';
    const out = read(`${prompt}netstat -anp\r\n\u001b[32m${row}\u001b[0m\r\n^C${prompt}\r\n`);
    expect(out.sources[0]).toMatchObject({ host: 'web', root: true, command: 'netstat -anp' });
    expect(only(out, 'socket')).toHaveLength(1);
    expect(out.diagnostics).toEqual([]);
  });

  it.each([
    ['mail', () => '> '],
    ['mail answered', () => '> > '],
    ['ts', () => 'Nov  1 18:00:01 '],
    ['ts %FT%.T', (n: number) => `2026-11-21T18:00:01.${n} `],
    ['ts %F %T', () => '2026-11-21 18:00:01 '],
    ['journalctl', () => 'Nov 21 18:00:01 web1 sh[4242]: '],
    ['journalctl -o short-iso', () => '2026-11-21T18:00:01+0800 web1 sh[4242]: '],
    ['docker logs -t', (n: number) => `2026-11-21T18:00:01.${100_000_000 + n}Z `],
    ['a kubelet', () => '2026-11-21T18:00:01.123456789Z stdout F '],
    ['docker compose logs', () => 'web-1  | '],
    ['docker compose logs -t', () => 'web-1  | 2026-11-21T18:00:01.1Z '],
    ['a block of code in Markdown', () => '    '],
  ])('by %s is taken off every line, and said', (what, prefix) => {
    const log = ['server-netstat', 'server-tcpdump', 'server-netstat-s', 'client-tcpdrop', 'client-tcptracer']
      .map((name) => text(`exp1/${name}.txt`))
      .join('\n');
    const lines = log.split('\n');
    const out = read(lines.map((line, n) => prefix(n) + line).join('\n'));
    const plain = read(log);
    expect(out.events).toEqual(plain.events);
    expect(out.packets).toEqual(plain.packets);
    expect(out.sources).toEqual(plain.sources);
    expect(plain.diagnostics).toEqual([]);
    expect(out.diagnostics).toMatchObject(
      what.startsWith('a block') ? [] : [{ code: 'prefix-removed', severity: 'info', locator: 'line 1' }],
    );
  });

  it('is not taken off what a tool wrote itself', () => {
    const dated = `${sample('tools/tcpdump/tcpdump-nntttt.txt')}2026-11-20 22:50:31 IP 10.9.0.2.1 > 10.9.0.1.2: Flags [S]\n`;
    expect(codes(read(dated))).toEqual(['unknown-line']);
  });

  it('is read with the blanks of web pages between columns', () => {
    const out = read(STATES.replaceAll('  ', '\u00a0 '));
    expect(only(out, 'state')).toHaveLength(45);
    expect(out.diagnostics).toEqual([]);
  });

  it('is read in UTF-16 as PowerShell saves it', () => {
    const out = read(Buffer.from(`\uFEFF${STATES}\r\n`, 'utf16le'));
    expect(only(out, 'state')).toHaveLength(45);
  });

  it('is not told from a broken character', () => {
    const bytes = Buffer.concat([
      Buffer.from(`${RECORD}\n`),
      Buffer.from([0xff, 0xc3, 0x28]),
      Buffer.from(`\n${RECORD}\n`),
    ]);
    expect(codes(read(bytes))).toEqual(['unknown-line']);
  });
});

describe('prompts', () => {
  const rows = text('exp1/server-netstat.txt').split('\n').slice(1).join('\n');

  it.each([
    ['[root@web1 ~]# ', 'web1', true],
    ['[ops@web1 tools]$ ', 'web1', false],
    ['root@web1:~# ', 'web1', true],
    ['ops@web1:/var/log$ ', 'web1', false],
    ['(venv) ops@web1:~/x$ ', 'web1', false],
    ['12:34:56 root@web1:~# ', 'web1', true],
    ['[12:34:56] root@web1:~# ', 'web1', true],
    ['[ops@web1:~]$ ', 'web1', false],
    ['[root@web1]# ', 'web1', true],
    ['root@web1 ~ # ', 'web1', true],
    ['ops@web1 ~ % ', 'web1', false],
    ['ops@web1 ~/x> ', 'web1', false],
    ['web1:~ # ', 'web1', true],
    ['web1:/etc# ', 'web1', true],
    ['ops@web1$ ', 'web1', false],
    ['❯ ', null, false],
    ['[root@localhost ~]# ', null, true],
    ['bash-5.1# ', null, true],
    ['/ # ', null, true],
    ['$ ', null, false],
    ['# ', null, true],
  ])('%s names host %s, root %s', (prompt, host, root) => {
    const out = read(`${prompt}netstat -anp\n${rows}\n`);
    expect(out.sources).toMatchObject([{ host, root, command: 'netstat -anp', format: 'netstat' }]);
    expect(only(out, 'snapshot')).toMatchObject([{ line: 1, rows: 7, filter: null }]);
  });

  it('show an empty table, when its rows would have been seen', () => {
    const snapshots = (command: string, output = '') =>
      only(read(`[root@a ~]# ${command}\n${output}[root@a ~]# \n`), 'snapshot').map((s) => [
        s.filter,
        s.rows,
      ]);
    expect(snapshots('netstat -ant')).toEqual([[null, 0]]);
    expect(snapshots('netstat -ant | grep 8080 2>/dev/null')).toEqual([['grep 8080 2>/dev/null', 0]]);
    expect(snapshots('netstat -ant > table.txt')).toEqual([]);
    expect(snapshots('netstat -ant | wc -l', '7\n')).toEqual([]);
    expect(snapshots('netstat -tn')).toEqual([['without listening sockets', 0]]);
    expect(snapshots('netstat -ltn')).toEqual([['listening sockets only', 0]]);
    expect(snapshots('netstat -anplt')).toEqual([[null, 0]]);
    expect(snapshots('ss -atnlp')).toEqual([['listening sockets only', 0]]);
    expect(snapshots('while true; do ss -tan; sleep 1; done')).toEqual([[null, 0]]);
    expect(snapshots('netstat -anu')).toEqual([['without TCP', 0]]);
    expect(snapshots("ss -tan 'sport = :8080'")).toEqual([["'sport = :8080'", 0]]);
    expect(snapshots('man netstat')).toEqual([]);
  });

  it('leave a comment that names a tool a comment', () => {
    const out = read(`# netstat\n# tcpstates of the server\n[root@a ~]# netstat -anp\n${rows}\n`);
    expect(only(out, 'snapshot')).toHaveLength(1);
    expect(out.diagnostics).toEqual([]);
  });

  it('count again when they are commented out, and their output too', () => {
    const commented = text('exp1-physical/client-netstat.txt').replaceAll(/^/gm, '# ');
    const out = read(`\`\`\`sh\n${text('exp1/client-netstat.txt')}\n\n# before\n${commented}\n\`\`\`\n`);
    expect(formats(out)).toEqual(['netstat', 'netstat']);
    expect(out.sources.map((s) => s.host)).toEqual(['iZbp12vk49h9xtc8lx3o3tZ', null]);
    expect(only(out, 'socket').map((r) => r.state === 'SYN_SENT')).toEqual([
      ...Array(6).fill(false),
      ...Array(4).fill(true),
    ]);
    expect(out.diagnostics).toEqual([]);
  });

  it('make runs of a table on one host successive snapshots, whatever stands between', () => {
    const out = read(
      `${text('exp1/server-netstat.txt')}\n${text('004/ss.txt').replace(/@\S+/, '@other')}\n${text('exp1/server-netstat.txt')}\n`,
    );
    expect(out.sources.map((s) => [s.name, s.format])).toEqual([
      ['x.txt', 'netstat'],
      ['x.txt#2', 'ss'],
    ]);
    expect(
      only(out, 'snapshot')
        .filter((s) => s.source === 0)
        .map((s) => s.snapshot),
    ).toEqual([1, 2]);
  });

  it('keep the tables of two hosts apart', () => {
    const out = read(`${text('exp1/server-netstat-s.txt')}\n${text('exp1-physical/server-netstat-s.txt')}\n`);
    expect(out.sources.map((s) => [s.host, s.records])).toEqual([
      ['iZbp12vk49h9xtc8lx3o3uZ', 1],
      [null, 5],
    ]);
  });

  it('make every run of a tracer a source of its own', () => {
    const out = read(`${text('exp2/server-tcptracer.txt')}\n${text('exp3/server-tcptracer.txt')}\n`);
    expect(out.sources.map((s) => [s.name, s.records])).toEqual([
      ['x.txt', 2],
      ['x.txt#2', 2],
    ]);
  });
});

describe('logs without a prompt', () => {
  it('begin again at a second header', () => {
    const out = read(`${STATES}\n${STATES}\n`);
    expect(out.sources.map((s) => s.records)).toEqual([45, 45]);
  });

  it('may hold nothing but their header', () => {
    const out = read(`${STATES.split('\n')[0]}\n`);
    expect(out.sources).toMatchObject([{ format: 'tcpstates', records: 0 }]);
    expect(out.diagnostics).toEqual([]);
  });

  it('hold several snapshots, told by a header or by a row that comes again', () => {
    const table = sample('tools/netstat/netstat-ant.txt').toString();
    expect(only(read(table.repeat(3)), 'snapshot').map((s) => s.rows)).toEqual([6, 6, 6]);
    const grepped = table.split('\n').slice(2).join('\n');
    const out = read(grepped.repeat(3));
    expect(out.sources).toHaveLength(1);
    expect(only(out, 'snapshot').map((s) => s.filter)).toEqual(Array(3).fill('command line not known'));
    const counters = text('exp1-physical/server-netstat-s.txt')
      .split('\n')
      .filter((l) => l.startsWith(' '));
    expect(only(read(counters.join('\n')), 'counters').map((c) => c.values.get('ListenDrops'))).toEqual([
      85, 101, 105, 109, 113,
    ]);
    expect(only(read(sample('tools/proc-net/proc-net.txt').toString().repeat(2)), 'counters')).toHaveLength(
      2,
    );
  });

  it('say what the tool lost', () => {
    const losses =
      'lost 12 events on CPU #1\nPossibly lost 3 samples\n0 packets dropped by kernel\n5 packets dropped by kernel\n';
    const out = read(`${STATES}\n${losses}`);
    expect(out.diagnostics.map((d) => [d.code, d.severity, d.count])).toEqual([
      ['tool-lost-events', 'data-loss', 15],
      ['tool-lost-packets', 'data-loss', 5],
    ]);
  });
});

describe('a text of very many runs', () => {
  it('is read in linear time, and to its end where the runs are of one table', () => {
    const run = (i: number) =>
      `$ ss -tan\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\nLISTEN 0 ${i} *:80 *:*\n`;
    const out = read(Array.from({ length: 20_000 }, (_, i) => run(i)).join(''));
    expect([out.sources.length, only(out, 'socket').length, codes(out)]).toEqual([1, 20_000, []]);
  });

  it.runIf(THOROUGH)('of which each is a log of its own is read as far as 10,000 of them', () => {
    const out = read(`$ tcpstates\n${STATES}\n`.repeat(10_002));
    expect(out.sources.length).toBe(10_000);
    expect(out.diagnostics.filter((d) => d.code === 'too-many-sections').map((d) => d.severity)).toEqual([
      'data-loss',
    ]);
  });
});

describe('an article', () => {
  const fence = (body: string) => `\`\`\`sh\n${body}\n\`\`\`\n`;
  const server = text('exp1/server-tcpstates.txt').split('\n');
  const article = [
    'Four words of prose.\n\nAnd more.\n\nAnd more.\n',
    fence([...server.slice(0, 20), ...text('exp1/server-netstat.txt').split('\n')].join('\n')),
    'One socket of it:\n',
    fence(
      server
        .filter((l) => l.startsWith('ffff95940742a900'))
        .slice(0, 3)
        .join('\n'),
    ),
    'Sixteen minutes later:\n',
    fence(server.slice(20).join('\n')),
    'Another machine:\n',
    fence(text('exp2/server-tcpstates.txt')),
    fence(text('exp1/client-tcpdrop.txt')),
  ].join('\n');
  const out = read(article);

  it('is split into its outputs', () => {
    expect(formats(out)).toEqual(['tcpstates', 'netstat', 'tcpstates', 'tcpdrop']);
  });

  it('gives the same as the log in one piece: excerpts once, continuations in their place', () => {
    const whole = only(readSample('documents/exp1/server-tcpstates.txt'), 'state');
    const pieces = only(out, 'state').filter((e) => e.source === 0);
    expect(pieces.map((e) => ({ ...e, line: 0 }))).toEqual(whole.map((e) => ({ ...e, line: 0 })));
    expect(out.diagnostics.find((d) => d.code === 'excerpt-repeated')).toMatchObject({
      severity: 'info',
      count: 3,
    });
  });

  it('does not give a host to what stands behind another fence', () => {
    expect(out.sources.map((s) => s.host)).toEqual([
      'iZbp12vk49h9xtc8lx3o3uZ',
      'iZbp12vk49h9xtc8lx3o3uZ',
      null,
      null,
    ]);
  });

  it('loses nothing', () => expect(codes(out).sort()).toEqual(['excerpt-repeated', 'text-outside']));
});

describe('any input', () => {
  const pool = [
    ...text('exp1/client-tcpdrop.txt').split('\n').slice(0, 4),
    ...text('004/ss.txt').split('\n'),
    ...text('exp1/client-netstat.txt').split('\n'),
    ...text('003/fin-tcpdump.txt').split('\n'),
    ...STATES.split('\n').slice(0, 6),
    '```',
    '',
    '# comment',
  ];
  const line = fc.oneof(
    fc.constantFrom(...pool),
    fc.string({ maxLength: 60 }),
    fc
      .tuple(fc.constantFrom(...pool), fc.nat(150), fc.string({ maxLength: 6 }))
      .map(([l, at, s]) => l.slice(0, at) + s + l.slice(at)),
    fc.tuple(fc.constantFrom(...pool), fc.nat(150)).map(([l, at]) => l.slice(0, at)),
  );

  it('is read without an exception, the same in every block size, and every line is accounted for', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (lines, block) => {
        const input = lines.join('\n');
        const out = read(input);
        expect(read(input, block)).toEqual(out);
        for (const e of out.events) {
          expect(e.line).toBeGreaterThan(0);
          expect(e.line).toBeLessThanOrEqual(lines.join('\n').split('\n').length);
          expect(out.sources[e.source]).toBeDefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not lost when a line of a log is damaged: read, or reported', () => {
    const log = STATES.split('\n');
    fc.assert(
      fc.property(fc.integer({ min: 2, max: log.length - 1 }), fc.nat(105), (at, cut) => {
        const damaged = [...log];
        damaged[at] = damaged[at]!.slice(0, cut);
        const out = read(damaged.join('\n'));
        const blank = damaged[at]!.trim() === '';
        const reported = out.diagnostics.reduce((sum, d) => sum + d.count, 0);
        expect(out.events.length + reported).toBe(blank ? 44 : 45);
      }),
      { numRuns: 100 },
    );
  });
});

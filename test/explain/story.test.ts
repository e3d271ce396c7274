/** Stories across connections, and answers from files that name no connection at all. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { SYN } from '../../src/model/tcp.ts';
import type { Result } from '../../src/tables/result.ts';
import { some } from '../thorough.ts';
import { flagsOf, readCapture, shifted, translated, writeCapture, writeText } from './captures.ts';
import { analyzeSample, DOCUMENTS, liveSamples, sampleNamed } from './samples.ts';

const answers = (r: Result) => r.answers.map((a) => `${a.question} ${a.answer}`).join('\n');

describe('an accept-queue incident, all logs together', () => {
  test('is one story, each sentence with its files', async () => {
    const { story, counters } = await analyzeSample(sampleNamed('accept-queue-incident/6.18'), 'all');
    expect(story).toHaveLength(5);
    expect(story[0]).toMatch(
      /did not accept connections as fast as they came: 6 connections were in its accept queue, 1 more than its limit of 5/,
    );
    expect(story[1]).toMatch(
      /the full queue (?:most likely )?dropped 1\d\d SYNs \(\d\d connections\) and the final ACK of 2 handshakes; ListenOverflows of its host rose by \d+/,
    );
    expect(story[2]).toMatch(
      /closed the listening socket at .* 6 connections that nobody had accepted were reset; \d+ attempts were possibly refused/,
    );
    for (const sentence of story.slice(0, 3)) expect(sentence).toMatch(/\([\w.-]+\.(txt|pcap).*\)\.$/);
    const overflows = counters.find((c) => c.counter === 'ListenOverflows' && c.delta !== null);
    expect(overflows?.explained).toBe(overflows?.delta);
    expect(overflows?.text).toMatch(
      /\d+ SYNs of \d+ connections and \d+ ACKs, some with data, of 2 handshakes/,
    );
  });
});

test('of several logs of one thing the story takes the table that names the thread and the finest clock', async () => {
  const { story } = await analyzeSample(sampleNamed('accept-queue-incident/6.1'), 'all');
  expect(story[0]).toMatch(/^Process app \(2751\).*\(ss-3s\.txt,/);
  // libbpf-tools tcpstates tells of it too, in whole seconds: after the resets that came of it
  expect(story[2]).toContain('closed the listening socket at 2026-11-20 23:41:57.342 UTC');
});

test('a process that accepts too slowly is not said to have stopped', async () => {
  const folder = path.resolve(import.meta.dirname, '../../samples/field/slow-accept');
  const { story } = await analyze([folder]);
  expect(story[0]).toMatch(
    /^Process python3 \(12632\), which listens on 127\.0\.0\.1:18443, did not accept connections as fast as they came: /,
  );
  expect(story.join(' ')).not.toMatch(/stopped accepting|accepted no/);
});

describe('the first sentence', () => {
  test('names the cause that most connections share', async () => {
    const { story } = await analyzeSample(sampleNamed('abort-on-overflow/6.18'), 'all');
    expect(story.join(' ')).toMatch(/reset/);
    const closed = await analyzeSample(sampleNamed('closed-port/6.18'), 'packets');
    expect(closed.story[0]).toMatch(
      /^Both connections to .* were most likely refused, because nothing listens there/,
    );
    expect(closed.story[1]).toBe('Both connections were refused.');
  });

  test('every cause has a paragraph of its own, and none says only how many there are', async () => {
    for (const sample of some(liveSamples(), 12)) {
      const { causes, story } = await analyzeSample(sample, 'all');
      for (const cause of causes) {
        expect(cause.summary, cause.rule).toMatch(/^[A-Z0-9[].*\.$/s);
        expect(cause.summary, cause.rule).not.toMatch(/show this|For example: $|undefined/);
      }
      for (const sentence of story) expect(sentence).toMatch(/^[A-Z0-9].*\.$/s);
    }
  });
});

test('a SYN sent less than a second before the capture ends is no sign of anything', async () => {
  const { header, records } = readCapture(
    path.join(sampleNamed('accept-queue-syn/6.18').folder, 'packets.pcap'),
  );
  const isSyn = (r: Buffer) => (flagsOf(r) & 0x17) === SYN;
  const lost = records.findIndex(
    (r, i) => isSyn(r) && !records.slice(i + 1, i + 3).some((x) => (flagsOf(x) & 0x12) === 0x12),
  );
  const cut = await analyze([writeCapture('cut.pcap', { header, records: records.slice(0, lost + 1) })]);
  const row = cut.connections.at(-1)!;
  expect(row.clientSyns).toBe(1);
  expect(cut.findings.filter((f) => f.connection === row.id)).toEqual([]);
  const whole = await analyze([writeCapture('whole.pcap', { header, records })]);
  expect(whole.findings.some((f) => f.rule === 'unanswered-syn')).toBe(true);
});

describe('a SYN flood', () => {
  const { folder } = sampleNamed('syn-queue-full-drop/6.18');
  const { header, records } = readCapture(path.join(folder, 'packets.pcap'));
  /** Two forged SYNs, and the SYN-ACK of the first. */
  const [syn, synAck, other] = records as [Buffer, Buffer, Buffer];
  const from = (n: number, of: Buffer[]) =>
    translated({ header, records: of }, '10.77.0.99', `10.88.${n >> 8}.${n & 255}`, 0).records;
  const flood = (answered: number, silent: number) => ({
    header,
    records: [
      ...Array.from({ length: answered }, (_, n) => from(n, [syn, synAck])).flat(),
      ...Array.from({ length: silent }, (_, n) => from(answered + n, [other])).flat(),
      ...records,
    ],
  });

  test('is one paragraph, with what the counters say of it', async () => {
    const packets = writeCapture('flood.pcap', flood(120, 80));
    const [before, after] = ['before', 'after'].map((when) => path.join(folder, `counters-${when}.txt`)) as [
      string,
      string,
    ];
    const { story } = await analyze([packets, before, after]);
    expect(story[0]).toMatch(
      /^10\.77\.0\.2:8080 most likely received a SYN flood between .* and .*: 20\d connections from 20\d addresses, each with one SYN and nothing after it; 12\d got a SYN-ACK that nobody acknowledged and 80 got no SYN-ACK \(flood\.pcap\)\.$/,
    );
    expect(story[1]).toMatch(
      /^Counters of its host: no SYN-ACK was a SYN cookie; listeners dropped 4 SYNs, all because the SYN queue was full; 76 of those without a SYN-ACK are in no counter\.$/,
    );
  });

  test("the kernel's line of that port at that time joins it, and none of another port or day", async () => {
    const packets = writeCapture('flood.pcap', flood(120, 80));
    const at = (seconds: number) => {
      const time = new Date((records[0]!.readUInt32LE(0) + seconds) * 1000).toISOString().slice(0, 19);
      return `${time}+00:00 web kernel: `;
    };
    const log = async (prefix: string, port: number) => {
      const line = `${prefix}TCP: request_sock_TCP: Possible SYN flooding on port ${port}. Dropping request.  Check SNMP counters.\n`;
      return (await analyze([packets, writeText('log.txt', line)])).story[1];
    };
    const told = /The kernel's log reports a full SYN queue on port 8080 too: SYNs dropped \(log\.txt\)\.$/;
    expect(await log(at(1), 8080)).toMatch(told);
    expect(await log('[12345.678901] ', 8080)).toMatch(told);
    expect(await log(at(1), 8081)).not.toMatch(/kernel's log/);
    expect(await log(at(-86_400), 8080)).not.toMatch(/kernel's log/);
  });

  test('without counters it says which would tell; few attempts are none', async () => {
    const capture = writeCapture('flood.pcap', flood(120, 80));
    const { story } = await analyze([capture]);
    expect(story[1]).toMatch(/^No counters of its host are among the files/);
    // most of them counted, and not listed
    expect((await analyze([capture], { listed: 20 })).story).toEqual(story);
    const few = await analyze([writeCapture('few.pcap', flood(30, 30))]);
    expect(few.story.join(' ')).not.toMatch(/SYN flood/);
  });

  test('attempts over hours are none, nor are those of one client without an answer', async () => {
    const spread = Array.from({ length: 120 }, (_, n) =>
      from(n, shifted({ header, records: [syn, synAck] }, n * 60).records),
    );
    const slow = await analyze([writeCapture('slow.pcap', { header, records: spread.flat() })]);
    expect(slow.story.join(' ')).not.toMatch(/SYN flood/);
    const tries = Array.from(
      { length: 120 },
      (_, n) => translated({ header, records: [other] }, '10.77.0.99', '10.77.0.99', n).records,
    );
    const timeouts = await analyze([
      writeCapture('tries.pcap', { header, records: [...tries.flat(), ...records] }),
    ]);
    expect(timeouts.story.join(' ')).not.toMatch(/SYN flood/);
  });

  test('answers that had no time to be acknowledged are none, those of a second are', async () => {
    const attempts = flood(120, 0).records.slice(0, 240);
    const until = async (seconds: number) => {
      const last = shifted({ header, records: [other] }, seconds).records;
      const { story } = await analyze([
        writeCapture('short.pcap', { header, records: [...attempts, ...last] }),
      ]);
      return story.join(' ');
    };
    expect(await until(1)).toMatch(/SYN flood .*: 120 connections from 120 addresses/);
    expect(await until(0)).not.toMatch(/SYN flood/);
    // nothing but SYNs is in that file: a filter for SYNs leaves the same of clients that are served
    expect(await until(1)).toMatch(/possibly received a SYN flood.*these connections may have been served/);
    expect(await until(1)).not.toMatch(/forged|Handshake/);
  });

  test('an address that completed a handshake is a real client', async () => {
    const forged = await analyze([writeCapture('flood.pcap', flood(120, 0))]);
    expect(forged.story[2]).toMatch(/^None of these addresses completed a handshake/);
    const real = translated({ header, records }, '10.77.0.1', '10.88.0.7', 0).records;
    const mixed = { header, records: [...flood(120, 0).records.slice(0, 240), ...real] };
    const { story } = await analyze([writeCapture('mixed.pcap', mixed)]);
    expect(story[2]).toMatch(
      /^1 address also completed a handshake with it and is a real client; the other 1\d\d addresses did not/,
    );
  });
});

describe('document 000: a trace of functions', () => {
  test('tells sockets, pids, functions, order and the misnamed probe apart', async () => {
    const r = await analyze([path.join(DOCUMENTS, '000', 'bpftrace.txt')]);
    expect(r.story[0]).toMatch(
      /socket -1907214080 of process 2828708 closed first, socket -1907216512 of process 2855763 second/,
    );
    const text = answers(r);
    expect(text).toMatch(
      /-1907214080 and -1907216512 are the two ends of one connection, and both are on this host/,
    );
    expect(text).toMatch(/-2077492080, is the timewait socket that took the place of -1907214080/);
    expect(text).toMatch(
      /whoever was running on that CPU, not the owner.*Lines 4, 5, 6, 7, 8, 9, 13 and 14/s,
    );
    expect(text).toMatch(/Segment 1.*tcp_v4_do_rcv → tcp_rcv_established → tcp_fin \(lines 4, 5 and 6\)/);
    expect(text).toMatch(
      /Segment 2, the ACK of that FIN, is in no line.*filter \(`comm`\).*the filter hid it/,
    );
    expect(text).toMatch(
      /Segment 3.*the timewait socket -2077492080 took it through tcp_timewait_state_process \(line 13\)/,
    );
    expect(text).toMatch(
      /Segment 4.*in LAST_ACK through tcp_v4_do_rcv → tcp_rcv_state_process \(lines 15 and 16\), which set CLOSE \(line 17\)/,
    );
    expect(text).toMatch(/lines 8 and 9 stand too late/);
    expect(text).toMatch(/tcp_stream_wait_close is tcp_timewait_state_process a second time \(line 14\)/);
  });

  test('comes from the lines, not from this file: without the last seven there is no minisock and no misnamed probe', async () => {
    const lines = readFileSync(path.join(DOCUMENTS, '000', 'bpftrace.txt'), 'utf8').split('\n');
    const text = answers(await analyze([writeText('half.txt', lines.slice(0, 10).join('\n'))]));
    expect(text).toMatch(/two ends of one connection/);
    expect(text).not.toMatch(/timewait socket that took|Did tcp_stream_wait_close run|Segment 3/);
  });
});

describe('document 004: listeners', () => {
  test('queues, totals and settings are explained with their values', async () => {
    const result = await analyze([path.join(DOCUMENTS, '004')]);
    const text = answers(result);
    expect(text).toMatch(
      /sshd \(1154\) on port 22: 0 waiting of 128.*python \(1764\) on port 8000: 0 waiting of 5/,
    );
    expect(text).toMatch(/netstat reads \/proc\/net\/tcp.*always 0/);
    expect(text).toMatch(/min\(backlog, 128\): 5 is below it.*128 is somaxconn itself/);
    expect(text).toMatch(/ListenOverflows 9 and ListenDrops 9.*totals since boot.*none is of the SYN queue/);
    const settings = result.settings.map((s) => `${s.name} = ${s.value}: ${s.meaning}`).join('. ');
    expect(settings).toMatch(
      /net\.ipv4\.tcp_abort_on_overflow = 0: .*net\.ipv4\.tcp_synack_retries = 2: .* 7 s after the SYN/,
    );
  });

  test('a limit that changed is said with both values', async () => {
    const table = (limit: number) => `[root@a ~]# ss -tln\nLISTEN 0 ${limit} *:8000 *:*\n`;
    const text = answers(
      await analyze([writeText('changed.txt', `net.core.somaxconn = 128\n${table(5)}${table(2048)}`)]),
    );
    expect(text).toMatch(/port 8000: 0 waiting of 2048 \(.*\), in another table of 5\./);
    expect(text).toMatch(/5 is below it.*2048 is above it/);
  });

  test('netstat alone does not show the limit', async () => {
    const text = answers(await analyze([path.join(DOCUMENTS, '004', 'netstat.txt')]));
    expect(text).toMatch(/limit not shown/);
    expect(text).toMatch(/somaxconn is in none of the files/);
  });
});

describe('one file that holds many things', () => {
  const PARTS = ['exp1', 'exp1-physical', 'exp2', 'exp3'];
  const FILES: Record<string, string[]> = {
    exp1: [
      'client-netstat',
      'client-tcpdrop',
      'client-tcpstates',
      'client-tcptracer',
      'server-netstat',
      'server-netstat-s',
      'server-tcpdump',
      'server-tcpstates',
    ],
    'exp1-physical': ['client-netstat', 'server-netstat-s'],
    exp2: ['server-tcpstates', 'server-tcptracer'],
    exp3: ['server-tcpstates', 'server-tcptracer'],
  };

  test('an article with the transcripts of document 002 gives the verdicts of its files', async () => {
    const article = PARTS.flatMap((part) => [
      `## ${part}`,
      ...FILES[part]!.flatMap((name) => [
        '',
        'Some words in between.',
        '```',
        readFileSync(path.join(DOCUMENTS, part, `${name}.txt`), 'utf8').trimEnd(),
        '```',
      ]),
    ]).join('\n');
    const whole = await analyze([writeText('article.md', article)]);
    const apart = await Promise.all(PARTS.map((part) => analyze([path.join(DOCUMENTS, part)])));
    const verdicts = (r: Result) =>
      r.connections.map(
        (c) => `${c.client.port} ${c.closeRule} ${c.synRule} ${c.stuckRule} ${c.finWait2Rule}`,
      );
    expect(verdicts(whole).sort()).toEqual(apart.flatMap(verdicts).sort());
  });
});

test('what is only possible is not told as a fact', async () => {
  const { story, causes } = await analyzeSample(sampleNamed('pcap-and-tcpstates'), 'packets');
  const unread = causes.find((c) => c.rule === 'unread-data-reset')!;
  expect(unread.confidence).toBe('possible');
  expect(unread.summary).toMatch(/ possibly /);
  expect(story.join(' ')).toMatch(/ possibly /);
});

/** samples/field/stories: one paragraph on what happened to many connections, and what looks alike and is not told so. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import {
  type Capture,
  flagsOf,
  readCapture,
  shifted,
  translated,
  writeCapture,
  writeText,
} from './captures.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/stories');
const file = (name: string) => path.join(FOLDER, name);

async function storyOf(...files: string[]): Promise<string> {
  return (await analyze(files)).story.join(' ');
}

/** A capture of the folder, changed. */
async function changed(name: string, change: (records: Buffer[], capture: Capture) => Buffer[]) {
  const capture = readCapture(file(name));
  return storyOf(writeCapture(name, { header: capture.header, records: change(capture.records, capture) }));
}

const TCP = 16 + 14 + 20;
const portsOf = (r: Buffer) => [r.readUInt16BE(TCP), r.readUInt16BE(TCP + 2)];
const has = (port: number) => (r: Buffer) => portsOf(r).includes(port);
const hasAddress = (address: string) => {
  const words = Buffer.from(address.split('.').map(Number));
  return (r: Buffer) => [12, 16].some((at) => r.subarray(30 + at, 34 + at).equals(words));
};

test.each([
  ['scan_half', 'Scan', /^If 10\.80\.0\.1 is no scanner or monitor of your own, block it/],
  [
    'backscatter',
    'Answers to SYNs that no host here sent',
    /^The addressed hosts need no fix; at 10\.80\.0\.2/,
  ],
  ['listener_restarted', 'Port refused for a while', /^Look in its log at that time/],
])('%s: its incident has the title and the action of the story', async (name, title, action) => {
  const [incident] = (await analyze([file(`${name}.pcap`)])).incidents;
  expect(incident!.cause.title).toBe(title);
  expect(incident!.action).toMatch(action);
});

test('where a filter left nothing but SYNs, and no cause is found, an incident has who, when and how many all the same', async () => {
  const scanned = (await analyze([file('filtered-syns.pcap')])).incidents;
  expect(scanned).toMatchObject([
    { who: ['192.0.2.50'], connections: 60, of: 60, clients: 1, confidence: 'possible', severity: 'warning' },
  ]);
  expect(scanned[0]!.since).toMatch(/^2026-11-18T11:06:40\.001/);
  expect(scanned[0]!.picture!.causes[0]!.counts.reduce((a, b) => a + b, 0)).toBe(60);
});

describe('a scan', () => {
  test('is only possible where a filter left nothing but SYNs', async () => {
    expect(await storyOf(file('filtered-syns.pcap'))).toMatch(
      /possibly scanned port 443 of 60 addresses .* these connections may have been served/,
    );
  });

  test.each([
    [
      'scan_half',
      /38 answered with a RST and 2 are open \(port 8001 and port 8002\); it completed no handshake/,
    ],
    ['scan_connect', /38 answered with a RST and 2 are open \(port 8001 and port 8002\); it sent no data/],
    [
      'scan_xmas',
      /28 answered with a RST and 2 gave no answer \(open, or filtered\); it sent flags that no TCP/,
    ],
  ])('%s', async (name, became) => {
    const story = await storyOf(file(`${name}.pcap`));
    expect(story).toMatch(/^10\.80\.0\.1 most likely scanned (40|30) ports of 10\.80\.0\.2 between /);
    expect(story).toMatch(became);
    expect(story).not.toMatch(/were most likely refused, because nothing listens/);
  });

  test('its connections say so too', async () => {
    const summaries = async (name: string, rule: string) =>
      (await analyze([file(`${name}.pcap`)])).findings.filter((f) => f.rule === rule).map((f) => f.summary);
    for (const text of await summaries('scan_half', 'no-socket-reset'))
      expect(text).toMatch(/half-open scan/);
    const [odd] = await summaries('scan_xmas', 'unexplained-reset');
    expect(odd).toMatch(/segment had flags that no TCP sends \(FIN\|PSH\|URG\): a port scan, or damage/);
  });

  test('a few ports are none, nor is what comes again and again, as health checks do', async () => {
    const few = await changed('scan_half.pcap', (all) => all.slice(0, 24));
    expect(few).not.toContain('scanned');
    const again = await changed('scan_half.pcap', (all, { header }) =>
      Array.from({ length: 5 }, (_, n) => {
        const moved = shifted({ header, records: all }, 10 * n);
        return translated(moved, '10.80.0.1', '10.80.0.1', n).records;
      }).flat(),
    );
    expect(again).not.toContain('scanned');
  });
});

describe('LAND', () => {
  const stamp = (n: number) => `${(1_768_208_402 + n).toFixed(6)} IP `;
  const syn = '10.0.0.9.139 > 10.0.0.9.139: Flags [S], seq 3868, win 2048, length 0\n';
  test('is one sentence', async () => {
    const text = [0, 1].map((n) => stamp(n) + syn).join('');
    expect(await storyOf(writeText('land.txt', text))).toMatch(
      /^2 SYNs to 10\.0\.0\.9:139 have the destination as source too and are most likely forged \(LAND, an attack or a scan\) \(land\.txt\): drop/,
    );
  });

  test('a socket that connects to itself is none: it answers', async () => {
    const story = await storyOf(file('self_connect.txt'));
    expect(story).not.toMatch(/forged/);
  });
});

describe('backscatter', () => {
  test('answers to SYNs that nobody sent', async () => {
    expect(await storyOf(file('backscatter.pcap'))).toMatch(
      /^10\.80\.0\.2 answered 60 SYNs from 60 addresses that no host sent in these files .*: 40 with a SYN-ACK and 20 with a RST; hosts there reset 40 of them .* most likely forged/,
    );
  });

  test('is none where the capture holds one direction only, or the SYNs', async () => {
    const oneWay = await changed('backscatter.pcap', (all) =>
      all.filter((r) => portsOf(r)[0] === 8001 || portsOf(r)[0] === 8009),
    );
    expect(oneWay).not.toMatch(/forged/);
    expect(await storyOf(file('scan_half.pcap'))).not.toMatch(/forged/);
  });
});

describe('a listener that was gone for a while', () => {
  const isRefusal = (r: Buffer) => (flagsOf(r) & 0x14) === 0x14 && portsOf(r)[0] === 8001;

  test('is told with when, how many, and what it cut', async () => {
    expect(await storyOf(file('listener_restarted.pcap'))).toMatch(
      /^10\.80\.0\.2:8001 refused 8 attempts between .* after an answer at \S+ UTC and before one at \S+ UTC: its listener was most likely restarted .* 2 open connections were closed or reset/,
    );
  });

  test('not where nothing shows that it came back, or one of several answers meanwhile', async () => {
    const lost = await changed('listener_restarted.pcap', (all) => {
      const last = all.findLastIndex(isRefusal);
      return all.slice(0, last + 1);
    });
    expect(lost).not.toMatch(/restarted/);
    // answers in between, every second attempt
    const mixed = await changed('listener_restarted.pcap', (all, { header }) => {
      const refusals = all.filter(isRefusal);
      const refused = new Set(refusals.map((r) => portsOf(r)[1]));
      const answered = all.find((r) => (flagsOf(r) & 0x12) === 0x12 && !refused.has(portsOf(r)[1]))!;
      const made = all.filter(has(portsOf(answered)[1]!));
      const own = refusals.map((r, n) => {
        const at = r.readUInt32LE(0) * 1e6 + r.readUInt32LE(4) + 100_000;
        return shifted({ header, records: made }, 0).records.map((copy) => {
          copy.writeUInt32LE(Math.floor(at / 1e6), 0);
          copy.writeUInt32LE(at % 1e6, 4);
          const side = copy.readUInt16BE(TCP) === 8001 ? TCP + 2 : TCP;
          copy.writeUInt16BE(50_000 + n, side);
          return copy;
        });
      });
      const time = (r: Buffer) => r.readUInt32LE(0) * 1e6 + r.readUInt32LE(4);
      return [...all, ...own.flat()].sort((a, b) => time(a) - time(b));
    });
    expect(mixed).not.toMatch(/restarted/);
  });
});

describe('a host that vanished', () => {
  test('while another went on', async () => {
    expect(await storyOf(file('host_gone.pcap'))).toMatch(
      /^10\.80\.0\.2 was last heard at .* 3 open connections all got no more answers and 3 new attempts got no SYN-ACK, while 10\.80\.0\.3 was still heard/,
    );
  });

  test('not where nobody else is heard: then the capturing host may have lost its link', async () => {
    const alone = await changed('host_gone.pcap', (all) => all.filter((r) => !hasAddress('10.80.0.3')(r)));
    expect(alone).not.toMatch(/last heard/);
  });
});

describe('source ports that come around in TIME_WAIT', () => {
  test('are told with how soon', async () => {
    expect(await storyOf(file('port_reuse.pcap'))).toMatch(
      /^10\.80\.0\.1 reused source ports to 10\.80\.0\.2:8001 60 times .*: 20 ports, .* the soonest after 1 s/,
    );
  });

  const table = readFileSync(file('port_reuse.txt'), 'utf8');
  const piled = async (text: string) => {
    const { findings } = await analyze([writeText('table.txt', text)]);
    return findings.find((f) => f.rule === 'time-wait-pileup')?.summary ?? '';
  };
  test('a table is held against the range of ports that a sysctl gives', async () => {
    expect(await piled(table)).toMatch(
      /^20 connections .* of the 20 ports \(40000 to 40019\) that 10\.80\.0\.1 has for one server: none is left, but for tcp_tw_reuse, which takes one again 1 s after its last packet\.$/,
    );
    const off = table.replace('tcp_tw_reuse = 1', 'tcp_tw_reuse = 0');
    expect(await piled(off)).toMatch(/none is left, and connect\(\) fails with EADDRNOTAVAIL/);
    const delayed = table.replace('tcp_tw_reuse = 1', 'tcp_tw_reuse = 1\nnet.ipv4.tcp_tw_reuse_delay = 200');
    expect(await piled(delayed)).toMatch(/takes one again 200 ms after/);
  });

  test('twenty of a range of 28,232, or of an unknown one, are few', async () => {
    expect(await piled(table.replace('40000\t40019', '32768\t60999'))).toBe('');
    expect(await piled(table.replace(/net\.ipv4\.ip_local_port_range =.*\n/, ''))).toBe('');
  });

  test('a program that keeps to a few ports is none', async () => {
    const few = await changed('port_reuse.pcap', (all) =>
      all.filter((r) => portsOf(r).some((port) => port >= 40_000 && port < 40_005)),
    );
    expect(few).not.toMatch(/reused source ports/);
  });
});

describe('a process that leaves connections in CLOSE_WAIT', () => {
  const text = readFileSync(file('close_wait_leak.txt'), 'utf8');

  test('is told with how many in each table', async () => {
    expect(await storyOf(file('close_wait_leak.txt'))).toMatch(
      /^Process python3 \(\d+\) left 16 connections in CLOSE_WAIT, over 3 socket tables: 5, 10 and 16; none of them was closed in between .*\. Their peers \(10\.80\.0\.1\) have closed\./,
    );
  });

  test('one table shows no growth: the cause alone says so', async () => {
    const once = writeText('once.txt', text.slice(0, text.indexOf('[root', 1)));
    const story = await storyOf(once);
    expect(story).not.toMatch(/over \d socket tables/);
    expect(story).toMatch(/CLOSE_WAIT/);
  });
});

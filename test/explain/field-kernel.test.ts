/** samples/field/kernel: bundles whose programs are known, whole and reduced to what one host, one file or one kernel has. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/kernel');
const scratch = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-kernel-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Truth {
  client_port: number;
  group: string;
  rule: string | string[];
}

const NAMES = readdirSync(FOLDER).flatMap((f) => (f.endsWith('.json') ? [f.slice(0, -5)] : []));
const truthsOf = (name: string) =>
  JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), 'utf8')) as Truth[];

/** A copy of a bundle with other events, or without files. */
function reduced(
  name: string,
  change: (line: string) => string | null,
  without: readonly string[] = [],
): string {
  const target = mkdtempSync(path.join(scratch, 'x-'));
  for (const file of readdirSync(path.join(FOLDER, name))) {
    if (without.some((w) => file.startsWith(w))) continue;
    const from = path.join(FOLDER, name, file);
    if (!file.startsWith('events')) {
      cpSync(from, path.join(target, file));
      continue;
    }
    const content = readFileSync(from);
    const text = (file.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8');
    const lines = text.split('\n').map((l) => (l.includes('"printf"') ? change(l) : l));
    writeFileSync(path.join(target, 'events.jsonl'), lines.filter((l) => l !== null).join('\n'));
  }
  return target;
}

const CLIENT_NS = 'ns=4026532246';
const SERVER_NS = 'ns=4026532177';
const FIELDS =
  / (unread|shutdown|flags|lingertime|linger2|backlog|limit|err|soft|retransmits|probes|una|nxt|write|rcv|exiting|code)=[^ "]*/g;
/** 10.88.0.1 → fd00::a58:1, as the programs print words of an address. */
const toIPv6 = (line: string) =>
  line.replaceAll(/(?:::ffff:)?(10\.88\.0\.\d|0\.0\.0\.0)/g, (_, a: string) =>
    a === '0.0.0.0' ? '::' : `fd00::${a.slice(-1)}`,
  );

const REDUCTIONS: Record<string, (name: string) => string> = {
  'no packets': (name) => reduced(name, (l) => l, ['packets']),
  'packets only': (name) => path.join(FOLDER, name, 'packets.pcap'),
  'the client only': (name) =>
    reduced(name, (l) => (l.includes(SERVER_NS) ? null : l), ['packets', 'sockets', 'counters']),
  'the server only': (name) =>
    reduced(name, (l) => (l.includes(CLIENT_NS) ? null : l), ['packets', 'sockets', 'counters']),
  'states only': (name) =>
    reduced(name, (l) => (/"(state|begin|end|tick) /.test(l) ? l : null), ['packets', 'sockets', 'counters']),
  'states without fields': (name) =>
    reduced(
      name,
      (l) =>
        /"(state|begin|end|tick) /.test(l) ? (l.includes('"state ') ? l.replace(FIELDS, '') : l) : null,
      ['packets', 'sockets', 'counters'],
    ),
  'no fields': (name) => reduced(name, (l) => (l.includes('"state ') ? l.replace(FIELDS, '') : l)),
  'no reasons': (name) => reduced(name, (l) => l.replace(/ reason=\d+/, ' reason=0'), ['reasons']),
  'IPv6, no packets': (name) => reduced(name, toIPv6, ['packets', 'sockets']),
};

async function verdicts(input: string) {
  const { findings } = await analyze([input]);
  return findings.filter((f) => f.role === 'verdict');
}

describe.each(NAMES)('%s', (name) => {
  const truths = truthsOf(name);
  const rulesOf = (t: Truth) => [t.rule].flat();

  test('whole, every verdict is what its program did', async () => {
    const { findings, connections } = await analyze([path.join(FOLDER, name)]);
    for (const t of truths) {
      const own = findings.filter(
        (f) => f.role === 'verdict' && f.client.port === t.client_port && f.group === t.group,
      );
      // a connection that closed normally is no finding
      const row = [...connections].find((c) => c.client.port === t.client_port);
      const column = { close: row?.closeRule, syn: row?.synRule }[t.group];
      expect([...own.map((f) => f.rule), column]).toContainEqual(expect.toBeOneOf(rulesOf(t)));
    }
  });

  test.each(Object.keys(REDUCTIONS))('%s: nothing proved is wrong', async (reduction) => {
    if (reduction === 'packets only' && !readdirSync(path.join(FOLDER, name)).includes('packets.pcap'))
      return;
    const found = await verdicts(REDUCTIONS[reduction]!(name));
    const wrong = truths.flatMap((t) =>
      found.filter(
        (f) =>
          f.client.port === t.client_port &&
          f.group === t.group &&
          f.confidence === 'proved' &&
          !rulesOf(t).includes(f.rule),
      ),
    );
    expect(wrong.map((f) => `${f.client.port} ${f.rule}: ${f.summary}`)).toEqual([]);
  });
});

test('time orders events of several CPUs, and numbers tell a tuple used twice', async () => {
  const { connections } = await analyze([path.join(FOLDER, 'reorder')]);
  expect(connections).toHaveLength(81);
  const twice = connections.filter((c) => c.client.port === 51_278);
  expect(twice.map((c) => c.serverPid !== null)).toEqual([true, false]);
  expect(connections.every((c) => c.server.port === 8088)).toBe(true);
  const starts = connections.map((c) => c.startTime);
  expect(starts).toEqual([...starts].sort());
});

test('pods that use the same tuples of 127.0.0.1 are told apart by their namespaces', async () => {
  const pod = (line: string, ns: string, address: string) =>
    line
      .replaceAll(/(::ffff:)?10\.88\.0\.\d/g, '127.0.0.1')
      .replaceAll(/ns=\d+/g, `ns=${ns}`)
      .replaceAll(/sk=ffff/g, `sk=${address}`);
  const both = (line: string) =>
    /"(state|reset-\w+|destroy|accept-queue|error) /.test(line)
      ? `${pod(line, '4026532281', 'fffa')}\n${pod(line, '4026532282', 'fffb')}`
      : line;
  const folder = reduced('listener_then_disconnect', both, ['packets', 'sockets', 'counters']);
  const { connections } = await analyze([folder]);
  const known = [...connections].map((c) => `${c.netns} ${c.client.port}`);
  expect(known.sort()).toEqual(
    ['4026532281', '4026532282'].flatMap((ns) => [32_841, 40_655, 48_857].map((port) => `${ns} ${port}`)),
  );
});

test('a connection that only probes tell of has times and sources', async () => {
  const folder = reduced('tw_overflow', (l) => (/"(state|drop) /.test(l) ? null : l), [
    'sockets',
    'counters',
  ]);
  const { connections } = await analyze([folder]);
  const [only] = [...connections].filter((c) => c.client.port === 48_445);
  expect(only).toMatchObject({ clock: 'utc', sources: [path.join(folder, 'events.jsonl')] });
  expect(only!.startTime).not.toBe('');
});

/**
 * Names that attack terminals, spreadsheets and pages, from the files in which they come to what the command writes:
 * processes in events, a socket table and packet comments, a host in a prompt, interfaces, files and folders.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseString } from 'fast-csv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './command/run.ts';
import { block, describe as describeInterface, enhanced, option, packetsOf } from './read/capture/build.ts';

const ROOT = resolve(import.meta.dirname, '..');
const BUNDLE = join(ROOT, 'samples/bundle/ipv6/6.18');
const IMAGE = '<img src=x onerror=alert(1)>';
const NAMES = [
  `=HYPERLINK("http://evil.example")`,
  IMAGE,
  '\x1b[31mred\x1b]0;title\x07\x9b1m',
  '\u202egnp.exe\u2066\u200b',
  '| ` [x](http://evil.example) @octocat #1 ```',
  '+1+1\n</style></svg><script>alert(1)</script>',
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

let folder: string;
let input: string;
let report: string;
let said: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  input = join(folder, `=1+1 ${IMAGE}\x1b[31m\u202e`);
  report = join(folder, 'report');
  cpSync(BUNDLE, join(input, '@bundle\x1b[31m'), { recursive: true });
  const events = join(input, '@bundle\x1b[31m', 'events.jsonl');
  writeFileSync(events, renamed(readFileSync(events, 'utf8')));
  mkdirSync(join(input, 'more'));
  writeFileSync(join(input, 'more', 'cut\x1b[31m\n\u202e.pcap'), capturedIn('smtp.pcap').subarray(0, 1000));
  writeFileSync(join(input, 'more', `+${IMAGE}.txt`), transcript());
  writeFileSync(join(input, 'more', '-\u202egnp.pcapng'), capture());
  said = await printed('analyze', input, '-o', report);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** All that the command prints. */
async function printed(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(args);
  return stdout + stderr;
}

/** Each connection's processes get names by its ports. */
function renamed(events: string): string {
  return events.replace(/( [ls]port=(\d+) .* [rd]port=(\d+) .* comm=)\w+("\})$/gm, (_, head, a, b, tail) => {
    const name = NAMES[(Math.max(a, b) + (a < b ? 1 : 0)) % NAMES.length]!;
    return head + JSON.stringify(name).slice(1, -1) + tail;
  });
}

function transcript(): string {
  return [
    `[root@\u202e${IMAGE.replaceAll(' ', '/')} ~]# ss -tanp`,
    'State      Recv-Q Send-Q Local Address:Port Peer Address:Port',
    ...NAMES.map(
      (name, i) =>
        `CLOSE-WAIT 9      0      10.0.0.1:80        10.0.0.${i + 2}:4000 users:(("${name.replace(/["\n]/g, '')}",pid=7,fd=3))`,
    ),
  ].join('\n');
}

const capturedIn = (name: string) => readFileSync(join(ROOT, 'node_modules/pcap-parser/test', name));

/** A real capture as pcapng, whose section, interface and packets all carry texts. */
function capture(): Buffer {
  const packets = packetsOf(capturedIn('smtp.pcap'));
  const text = (code: number, value: string) => option(code, Buffer.from(value));
  const head = Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex');
  const section = block(0x0a0d0d0a, Buffer.concat([head, ...[1, 2, 3, 4].map((n) => text(n, NAMES[n]!))]));
  const comment = text(1, `PID: 7\nCmd: ${NAMES[1]}\nArgs: ${NAMES[2]}`);
  const outbound = option(2, Buffer.of(2, 0, 0, 0));
  return Buffer.concat([
    section,
    describeInterface({ name: NAMES[3]! + NAMES[1]! }),
    ...packets.map(({ second, fraction, data }) =>
      enhanced(0, BigInt(second) * 1_000_000n + BigInt(fraction), data, {
        options: Buffer.concat([comment, outbound]),
      }),
    ),
  ]);
}

const read = (name: string) => readFileSync(join(report, name), 'utf8');

test('nothing steers the terminal, which shows what was meant to', async () => {
  const explained = await printed('explain', '-v', input);
  for (const text of [said, explained]) expect(text).not.toMatch(UNSEEN);
  expect(explained).toContain('@bundle\\u001b[31m');
  expect(said).toContain('cut\\u001b[31m\\n\\u202e.pcap, ');
  expect(await printed('explain', join(folder, 'none\x1b[31m\u202e'))).toContain('none\\u001b[31m\\u202e');
  expect(await printed('explain', input, '--filter', 'port \x1b[31m')).not.toMatch(UNSEEN);
});

test.each(['connections.csv', 'findings.csv', 'timeline.csv', 'diagnostics.csv'])(
  'no cell of %s is a formula, no row breaks',
  async (name) => {
    const rows = await new Promise<string[][]>((done, failed) => {
      const all: string[][] = [];
      parseString<string[], string[]>(read(name))
        .on('data', (row) => all.push(row))
        .on('error', failed)
        .on('end', () => done(all));
    });
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    for (const cell of rows.flat()) {
      expect(cell).not.toMatch(/^[=+\-@\t\r](?!\d+(\.\d+)?$)/);
      expect(cell).not.toMatch(UNSEEN);
      expect(cell).not.toContain('\n');
    }
    const cells = rows.flat();
    if (name === 'connections.csv')
      for (const disarmed of [`'${NAMES[0]}`, IMAGE]) expect(cells).toContain(disarmed);
  },
);

test('no name is markup in report.html', () => {
  const html = read('report.html');
  expect(html).not.toMatch(/<img|<script>alert/);
  expect(html.match(/<\/style>/g)).toHaveLength(1);
  expect(html.match(/<\/?script/g)).toHaveLength(4);
  expect(html.replace(/<script>[\s\S]*/, '')).not.toMatch(UNSEEN);
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
});

test('no name is markup in report.md', () => {
  const text = read('report.md');
  const prose = text
    .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
    .replace(/(?<!\\)(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
  expect(prose.replace(/<\/?(?:details|summary)>/g, '')).not.toMatch(/<(?!br>)[a-z/]/i);
  expect(prose).not.toMatch(/(?<!\\)\]\(http/);
  expect(prose).not.toMatch(/@octocat|[^\\]:\/\//);
  expect(text).not.toMatch(UNSEEN);
  expect(text).toContain('&lt;img/src=x');
});

test('no name is markup in a chart, or unseen in a specification', () => {
  const charts = readdirSync(join(report, 'charts'));
  for (const suffix of ['.svg', '.vl.json']) expect(charts.some((name) => name.endsWith(suffix))).toBe(true);
  for (const name of charts) {
    const text = read(join('charts', name));
    expect(text).not.toMatch(UNSEEN);
    if (name.endsWith('.svg')) expect(text).not.toMatch(/<img|<script|<\/style|<foreignObject/);
    else JSON.parse(text);
  }
});

test('result.json holds the names, and shows nothing unseen', () => {
  const text = read('result.json');
  expect(text).not.toMatch(UNSEEN);
  const { connections } = JSON.parse(text) as { connections: { clientComm: string; serverComm: string }[] };
  const names = new Set(connections.flatMap((c) => [c.clientComm, c.serverComm]));
  expect(NAMES.filter((name) => names.has(name)).length).toBeGreaterThan(3);
});

test('an annotated capture says nothing unseen: comments, interfaces, events', async () => {
  const path = join(folder, 'annotated.pcapng');
  expect(await printed('annotate', input, '-o', path)).not.toMatch(UNSEEN);
  const texts = textsOf(readFileSync(path));
  for (const text of texts) expect(text).not.toMatch(UNSEEN);
  expect(texts.join('\n')).toContain(IMAGE);
});

/** All texts of a little-endian pcapng: comments and names of its sections, interfaces and packets. */
function textsOf(file: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    const type = file.readUInt32LE(at);
    const captured = type === 6 ? file.readUInt32LE(at + 20) : 0;
    const start = { 168627466: 24, 1: 16, 6: 28 + ((captured + 3) & ~3) }[type];
    const end = at + file.readUInt32LE(at + 4) - 4;
    if (start === undefined) continue;
    for (let o = at + start; o + 4 <= end; ) {
      const [code, length] = [file.readUInt16LE(o), file.readUInt16LE(o + 2)];
      if (code === 1 || (type !== 6 && code <= 4)) texts.push(file.toString('utf8', o + 4, o + 4 + length));
      o += 4 + ((length + 3) & ~3);
    }
  }
  return texts;
}

/** The annotated capture, read back by tshark: its comments, its order, and that no packet is lost or changed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { redactResult } from '../../src/redact/result.ts';
import { parseFilter } from '../../src/view/filter.ts';
import { annotate } from '../../src/wireshark/annotate.ts';
import {
  comment,
  IF_NAME,
  interfaceBlock,
  packetBlock,
  sectionHeader,
  text,
} from '../../src/wireshark/blocks.ts';
import { Spool } from '../../src/wireshark/spool.ts';
import { THOROUGH } from '../thorough.ts';

const SAMPLES = new URL('../../samples/', import.meta.url).pathname;
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'annotate-'));
});
afterAll(() => rm(root, { recursive: true }));

const FIELDS = [
  'frame.interface_name',
  'frame.time_epoch',
  'tcp.srcport',
  'tcp.flags',
  'tcp.len',
  'frame.protocols',
  'frame.comment',
];
type Frame = Record<string, string>;

function tshark(path: string): Frame[] {
  const fields = FIELDS.flatMap((f) => ['-e', f]);
  const args = ['-n', '-r', path, '-T', 'fields', '-E', 'separator=/t', ...fields];
  const lines = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trimEnd()
    .split('\n');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((v, i) => [FIELDS[i]!, v])));
}

async function annotated(sample: string): Promise<{ path: string; frames: Frame[] }> {
  const inputs = [join(SAMPLES, sample)];
  const path = join(root, `${sample.replaceAll('/', '-')}.pcapng`);
  await annotate(await analyze(inputs, { timeline: 'all' }), inputs, path);
  return { path, frames: tshark(path) };
}

describe.skipIf(!hasTshark)('read back by tshark', () => {
  test('findings stand on the packets that prove them, events next to theirs', async () => {
    const { frames } = await annotated('live/data-after-close/6.18');
    const resets = frames.filter((f) => (Number(f['tcp.flags']) & 4) !== 0);
    expect(resets.some((f) => f['frame.comment']!.includes('data-after-close-reset'))).toBe(true);
    const syn = frames.find((f) => f['tcp.flags'] === '0x0002')!;
    expect(syn['frame.comment']).toContain('CLOSE -> SYN_SENT');
  });

  test('every packet of every capture is there, in order of time', async () => {
    const { frames } = await annotated('live/data-after-close/6.18');
    const dir = join(SAMPLES, 'live/data-after-close/6.18');
    const captures = (await readdir(dir)).filter((f) => f.endsWith('.pcap'));
    expect(captures.length).toBeGreaterThan(1);
    for (const capture of captures) {
      const own = tshark(join(dir, capture));
      const here = frames.filter((f) => f['frame.interface_name']!.endsWith(capture));
      const essence = (f: Frame) => FIELDS.slice(1, 6).map((k) => f[k]);
      expect(here.map(essence)).toEqual(own.map(essence));
    }
    const times = frames.map((f) => Number(f['frame.time_epoch']));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('an event without a packet has an interface of its own, and shows its text and addresses', async () => {
    const { frames, path } = await annotated('live/data-after-close/6.18');
    const events = frames.filter((f) => f['frame.interface_name'] === 'events');
    expect(events.length).toBeGreaterThan(0);
    for (const f of events) {
      expect(f['frame.protocols']).toContain('data-text-lines');
      expect(f['frame.comment']).toMatch(/^tcpautopsy: /);
    }
    const filtered = execFileSync(
      'tshark',
      ['-n', '-r', path, '-Y', 'ip.addr == 10.77.0.2 && exported_pdu'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    expect(filtered.trim()).not.toBe('');
  });

  test('packets of a text (tcpdump) become packets', async () => {
    const { frames } = await annotated('documents/exp1');
    const packets = frames.filter((f) => f['frame.protocols'] === 'raw:ip:tcp');
    expect(packets).toHaveLength(6);
    expect(packets.every((f) => (Number(f['tcp.flags']) & 4) !== 0)).toBe(true);
    expect(packets.some((f) => f['frame.comment']!.includes('listener-closed-reset'))).toBe(true);
  });
});

describe.skipIf(!hasTshark)('what a file said before', () => {
  const inputs = [join(SAMPLES, 'live/pcap-and-tcpstates/packets.pcap')];
  const commentsOf = (path: string) =>
    execFileSync('tshark', ['-n', '-r', path, '-T', 'fields', '-e', 'frame.number', '-e', 'frame.comment'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  test('annotated again, it says the same, once', async () => {
    const [first, second] = [join(root, 'first.pcapng'), join(root, 'second.pcapng')];
    await annotate(await analyze(inputs), inputs, first);
    await annotate(await analyze([first]), [first], second);
    const [was, is] = [first, second].map(commentsOf) as [string, string];
    expect(was).toContain('tcpautopsy: warning');
    expect(is).toBe(was);
  });

  test('a bundle annotated again keeps what its events proved: no surer comment is lost or contradicted', async () => {
    const bundle = [
      join(SAMPLES, THOROUGH ? 'bundle/accept-queue-incident/6.18' : 'bundle/accept-queue-ack/6.18'),
    ];
    const paths = ['once', 'twice', 'thrice', 'with'].map((n) => join(root, `${n}.pcapng`));
    const [once, twice, thrice, beside] = paths as [string, string, string, string];
    const counts = await annotate(await analyze(bundle), bundle, once);
    const again = await analyze([once]);
    expect(again.diagnostics.filter((d) => d.severity !== 'info')).toEqual([]);
    await annotate(again, [once], twice);
    await annotate(await analyze([twice]), [twice], thrice);
    const lines = (path: string) => commentsOf(path).split('\n');
    const after = lines(twice);
    expect(lines(thrice)).toEqual(after);
    for (const [i, line] of lines(once).entries()) expect(after[i]).toContain(line);
    expect(after.join()).not.toContain('unanswered-syn');
    const sections = (path: string) =>
      execFileSync('capinfos', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).match(
        /Capture comment: .*/g,
      );
    expect(sections(once)!.length).toBeGreaterThan(1);
    expect(sections(twice)).toEqual(sections(once));
    // with the bundle beside it events are there already
    const both = [once, ...bundle];
    expect(counts.events).toBeGreaterThan(0);
    expect((await annotate(await analyze(both), both, beside)).events).toBe(0);
  });

  test("what a user's file says of packets, interfaces and names stays, and no path is written", async () => {
    const frame = Buffer.from(
      '0102030405060708090a0b0c0800450000280001000040060000c0000201c0000202303900500000000100000000500220000000ffff',
      'hex',
    );
    const own = join(root, 'own.pcapng');
    const long = 'x'.repeat(20_000);
    // name resolution block: 192.0.2.2 is db.lan, end of records
    const nameBlock = Buffer.from(
      '0400000020000000' + '01000b00c000020264622e6c616e0000' + '00000000' + '20000000',
      'hex',
    );
    const flags = [2, Uint8Array.of(1, 0, 0, 0)] as const;
    const comments = ['Ask Anna about this one', 'and Ben'].map(comment);
    const blocks = [
      sectionHeader('x', [comment('taken on Friday')]),
      interfaceBlock(1, 96, [text(IF_NAME, 'eth0')]),
      nameBlock,
      packetBlock(0, 1_700_000_000_000_000_000n, frame.length, frame, [
        flags,
        ...comments,
        [1, Buffer.from(long)],
      ]),
    ];
    await writeFile(own, Buffer.concat(blocks));
    const out = join(root, 'out.pcapng');
    await annotate(await analyze([own]), [own], out);
    expect(commentsOf(out)).toContain(`Ask Anna about this one,and Ben,${long}`);
    const fields = ['frame.interface_name', 'frame.interface_description', 'frame.packet_flags_direction'];
    const args = ['-r', out, '-T', 'fields', '-E', 'separator=/t', ...fields.flatMap((f) => ['-e', f])];
    expect(execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toBe(
      'eth0\town.pcapng\t0x00000001\n',
    );
    const written = await readFile(out);
    expect(written.includes(nameBlock)).toBe(true);
    expect(written.includes('taken on Friday')).toBe(true);
    expect(written.includes(root)).toBe(false);
  });

  test('with a filter only the packets of its connections are written', async () => {
    const keep = parseFilter('severity warning');
    const kept = await analyze(inputs, { keep });
    const all = await analyze(inputs);
    expect(kept.connections.length).toBeLessThan(all.connections.length);
    expect(kept.connections.length).toBeGreaterThan(0);
    const path = join(root, 'only.pcapng');
    const { packets } = await annotate(kept, inputs, path, { only: kept.connections });
    const whole = await annotate(all, inputs, join(root, 'all.pcapng'));
    expect(packets).toBeGreaterThan(0);
    expect(packets).toBeLessThan(whole.packets);
    const ports = new Set(kept.connections.flatMap((c) => [c.client.port, c.server.port]).map(String));
    for (const f of tshark(path).filter((f) => f['frame.interface_name'] !== 'events'))
      expect(ports.has(f['tcp.srcport']!)).toBe(true);
  });
});

test('with a filter and redaction the packets are those of the filter, with other addresses', async () => {
  const inputs = [join(SAMPLES, 'live/pcap-and-tcpstates/packets.pcap')];
  const kept = await analyze(inputs, {
    keep: parseFilter('severity warning'),
    listed: Number.POSITIVE_INFINITY,
  });
  const redactor = new Redactor(Buffer.alloc(32, 1));
  const result = redactResult(kept, redactor);
  const path = join(root, 'redacted.pcapng');
  const only = { only: kept.connections };
  const { packets } = await annotate(result, inputs, path, { ...only, redact: redactor });
  expect(packets).toBe((await annotate(kept, inputs, join(root, 'plain.pcapng'), only)).packets);
  expect(packets).toBeGreaterThan(0);
});

test('blocks come out in order of time, those of one time in the order they came, whatever their size', async () => {
  const spool = new Spool(join(root, 'spool'));
  const times = Array.from({ length: 3_000 }, (_, i) => BigInt((i * 7_919) % 1_000));
  const sizes = times.map((_, i) => (i % 500 === 0 ? 300_000 : 5_000));
  for (const [i, time] of times.entries()) {
    const block = Buffer.alloc(sizes[i]!);
    block.writeUInt32LE(i);
    spool.add(time, block);
  }
  const path = join(root, 'ordered');
  spool.writeTo(path, [Buffer.from('first')]);
  spool.close();
  const written = await readFile(path);
  expect(written.subarray(0, 5).toString()).toBe('first');
  const order = times.map((_, i) => i).sort((a, b) => Number(times[a]! - times[b]!) || a - b);
  let at = 5;
  for (const i of order) {
    expect(written.readUInt32LE(at)).toBe(i);
    at += sizes[i]!;
  }
  expect(at).toBe(written.length);
});

test('a comment that is too long is cut between characters', () => {
  const block = packetBlock(0, 0n, 0, new Uint8Array(0), [comment('µ'.repeat(100_000))]);
  const length = block.readUInt16LE(30);
  expect(length).toBeLessThanOrEqual(8_000);
  expect(block.toString('utf8', 32, 32 + length)).toMatch(/^µ+…$/);
  expect(block.length % 4).toBe(0);
  expect(block.readUInt32LE(4)).toBe(block.length);
});

test('nothing is left behind when the file cannot be written', async () => {
  const inputs = [join(SAMPLES, 'documents/exp1')];
  const result = await analyze(inputs);
  await expect(annotate(result, inputs, join(root, 'none', 'x.pcapng'))).rejects.toThrow(/ENOENT/);
  expect((await readdir(root)).filter((f) => f.startsWith('.annotate'))).toEqual([]);
});

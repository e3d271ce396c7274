/** Connections that are written straight from their records: every byte as the long way over cases writes it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Result } from '../../src/model/result.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/model/tcp.ts';
import { finWait2 } from '../../src/report/charts/fin-wait2.ts';
import { Redactor } from '../../src/report/redact/redactor.ts';
import { redactResult } from '../../src/report/redact/result.ts';
import { rulesOf } from '../../src/report/told.ts';
import { allOf, sharing, unlistedWarnings } from '../../src/report/words.ts';
import { liveSamples } from '../explain/samples.ts';
import { type Sent, writeCapture } from '../fuzz/loads.ts';
import { random } from '../read/capture/generate.ts';
import { causesOf, filesOf } from './big-runs.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'plain-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tables = (result: Result) => filesOf(result, ['connections.csv', 'findings.csv']);

describe('captures of the samples', () => {
  const captures = liveSamples().map((s) => path.join(s.folder, 'packets.pcap'));
  test.each(captures)('%s', async (capture) => {
    const [long, short] = [await analyze([capture]), await analyze([capture], { listed: 0 })];
    expect(allOf(short)).toBe(long.connections.length);
    expect(await tables(short)).toEqual(await tables(long));
  });
});

describe('two captures of one sample', () => {
  const pairs = liveSamples()
    .map((s) => ['client.pcap', 'packets.pcap'].map((name) => path.join(s.folder, name)))
    .filter((files) => files.every((file) => existsSync(file)))
    .filter((_, i) => i % 3 === 0);
  test.each(pairs)('%s', async (...files) => {
    const [long, short] = [await analyze(files), await analyze(files, { listed: 0 })];
    expect(allOf(short)).toBe(long.connections.length);
    expect(await tables(short)).toEqual(await tables(long));
    expect([short.story, short.clocks]).toEqual([long.story, long.clocks]);
  });
});

/** How one connection of the load goes: who sends, flags, payload, µs since the packet before. */
type Step = readonly ['client' | 'server', number, number?, number?];
const open: Step[] = [
  ['client', SYN],
  ['server', SYN | ACK],
  ['client', ACK],
];
const request: Step[] = [
  ['client', PSH | ACK, 60],
  ['server', ACK],
];
const response: Step[] = [
  ['server', PSH | ACK, 120],
  ['client', ACK],
];
const clientCloses: Step[] = [
  ['client', FIN | ACK],
  ['server', FIN | ACK],
  ['client', ACK],
];
const serverCloses: Step[] = [
  ['server', FIN | ACK],
  ['client', ACK],
  ['client', FIN | ACK, 0, 3000],
  ['server', ACK],
];
const WAYS: Step[][] = [
  [...open, ...request, ...response, ...clientCloses],
  [...open, ...request, ...response, ...serverCloses],
  [...open, ...clientCloses],
  [...open, ...request, ...response, ...clientCloses, ['server', RST]],
  [...open, ...request, ...serverCloses.slice(0, 3)],
  [...open, ['client', FIN | ACK], ['server', ACK], ['server', FIN | ACK, 0, 900_000], ['client', ACK]],
  [...open, ['client', FIN | ACK], ['server', FIN | ACK], ['server', ACK], ['client', ACK]],
  open.slice(0, 2),
  [...open.slice(0, 2), ['server', SYN | ACK, 0, 1_000_000], ['server', SYN | ACK, 0, 2_000_000]],
  [...open, ['server', SYN | ACK, 0, 1_000_000]],
  [['client', SYN]],
  [
    ['client', SYN],
    ['client', SYN, 0, 1_000_000],
    ['server', SYN | ACK],
    ['client', ACK],
  ],
  [
    ['client', SYN],
    ['client', SYN, 0, 1_000_000],
    ['client', SYN, 0, 2_000_000],
  ],
  [
    ['client', SYN],
    ['server', RST | ACK],
  ],
  [...open, ...request, ['server', RST | ACK]],
  [...open, ...request, ...response, ['client', RST | ACK]],
  [...open, ...request],
];

/** Connections under way at once; some use the ports of an earlier one again. */
function load(connections: number): Sent[] {
  const next = random(11);
  const pick = (n: number) => Math.floor(next() * n);
  const sent: Sent[] = [];
  for (let i = 0; i < connections; i++) {
    const way = WAYS[pick(WAYS.length)]!;
    const again = i > 300 && pick(20) === 0;
    const fromPort = 20_000 + (again ? i - 300 : i);
    const ends = { client: [0x0a000001 + (i % 5), fromPort], server: [0x0a090909, 80 + (i % 3)] } as const;
    const numbers = { client: pick(2 ** 32), server: pick(2 ** 32) };
    let at = i * 700;
    for (const [by, flags, payload = 0, wait = 40 + pick(400)] of way) {
      const to = by === 'client' ? 'server' : 'client';
      at += wait;
      const isRepeated = flags & SYN && wait >= 1_000_000;
      const length = payload + (flags & (SYN | FIN) ? 1 : 0);
      const seq = numbers[by] - (isRepeated ? length : 0);
      const answersSyn = (flags & RST) !== 0 && way.length === 2;
      sent.push({
        ...{
          at,
          from: ends[by][0],
          fromPort: ends[by][1],
          to: ends[to][0],
          toPort: ends[to][1],
          flags,
          payload,
        },
        seq: answersSyn ? 0 : seq,
        ack: flags & ACK ? numbers[to] : 0,
      });
      if (!isRepeated) numbers[by] += length;
    }
  }
  return sent.sort((a, b) => a.at - b.at);
}

test('captures of one hour after the other, and one of another place beside them', async () => {
  const sent = load(600);
  const parts = [0, 1, 2].map((hour) => sent.filter((p) => Math.floor(p.at / 200_000) === hour));
  const beside = load(60).map((p) => ({ ...p, from: p.from + 0x10000, to: p.to + 0x10000 }));
  const files = [...parts, sent.slice(500, 900), beside].map((packets, i) => {
    const file = path.join(folder, `part-${i}.pcap`);
    writeCapture(file, packets);
    return file;
  });
  const [long, short] = [await analyze(files), await analyze(files, { listed: 10 })];
  expect(short.plain!.connections).toBeGreaterThan(100);
  expect(allOf(short)).toBe(long.connections.length);
  expect(await tables(short)).toEqual(await tables(long));
  expect([short.story, short.answers, short.clocks]).toEqual([long.story, long.answers, long.clocks]);
});

describe('2000 connections, under way at once, of many endings', () => {
  const capture = path.join(folder, 'mixed.pcap');
  let long: Result;
  let longTables: string[];
  let short: Result;
  beforeAll(async () => {
    writeCapture(capture, load(2000));
    long = await analyze([capture]);
    longTables = await tables(long);
    short = await analyze([capture], { listed: 1000 });
  });

  test('some are not listed', () => {
    expect(long.plain).toBeUndefined();
    expect(short.plain!.connections).toBeGreaterThan(300);
    expect(allOf(short)).toBe(long.connections.length);
  });

  test('the tables are the same, byte for byte', async () => {
    expect(await tables(short)).toEqual(longTables);
  });

  test('story, answers and causes are the same, but for the list of connections', () => {
    expect(short.story).toEqual(long.story);
    expect(short.answers).toEqual(long.answers);
    expect(causesOf(short)).toEqual(causesOf(long));
    expect(short.timeline).toEqual(long.timeline);
  });

  test('SYNs without an answer and refusals are counted beyond those listed, and every output says so', async () => {
    const counting = await analyze([capture], { listed: 20 });
    expect(await tables(counting)).toEqual(longTables);
    const silent = (r: Result) => r.causes.find((c) => c.rule === 'unanswered-syn')!;
    expect(silent(counting).unlisted!.connections).toBeGreaterThan(30);
    expect(sharing(silent(counting))).toBe(sharing(silent(long)));
    expect(silent(counting).summary).toBe(silent(long).summary);
    expect(counting.story).toEqual(long.story);
    const [timeline] = counting.aggregated!;
    const graver = new Set(long.findings.filter((f) => f.severity !== 'info').map((f) => f.connection));
    expect(timeline!.of).toBe(graver.size);
    expect(timeline!.of - timeline!.listed).toBe(unlistedWarnings(counting));
    const silentRows = long.connections.filter((c) => c.synRule === 'unanswered-syn' && c.connState === 'S0');
    const inGroups = counting.plain!.groups.filter((g) => g.rules.includes('unanswered-syn'));
    expect(inGroups.reduce((sum, g) => sum + g.connections, 0)).toBeLessThan(silentRows.length);
    expect(inGroups.reduce((sum, g) => sum + g.connections, 0)).toBe(silent(counting).unlisted!.connections);
  });

  test('groups count what is not listed', () => {
    const { groups, connections } = short.plain!;
    expect(groups.reduce((sum, g) => sum + g.connections, 0)).toBe(connections);
    const listed = new Set(short.connections.map((c) => c.id));
    const rest = long.connections.filter((c) => !listed.has(c.id));
    for (const g of groups) {
      const same = rest.filter(
        (c) =>
          c.server.port === g.server.port &&
          c.closeKind === g.closeKind &&
          c.closedBy === g.closedBy &&
          c.resetBy === g.resetBy &&
          rulesOf(c).join() === g.rules.join(),
      );
      expect([same.length, new Set(same.map((c) => c.client.address)).size]).toEqual([
        g.connections,
        g.clients,
      ]);
    }
  });

  test('the chart of FIN_WAIT2 counts all of them', () => {
    const values = (r: Result) => {
      const layers = (finWait2.build(r)!.spec as unknown as { layer: { data: { values: unknown[] } }[] })
        .layer;
      const bins = layers.at(-1)!.data.values as { seconds: number }[];
      return [...bins].sort((a, b) => a.seconds - b.seconds);
    };
    expect(values(short)).toEqual(values(long));
    expect(finWait2.build(short)!.description).toBe(finWait2.build(long)!.description);
  });

  test('what is not listed cannot be redacted, and is not written from a copy', async () => {
    expect(() => redactResult(short, new Redactor(Buffer.alloc(32, 1)))).toThrow('listed: Infinity');
    await expect(tables({ ...short, plain: { ...short.plain! } })).rejects.toThrow('not in this copy');
  });

  test('asking for everything gives everything', async () => {
    expect((await analyze([capture], { listed: 1000, timeline: 'all' })).plain).toBeUndefined();
    expect((await analyze([capture], { listed: 1000, keep: () => true })).plain).toBeUndefined();
  });
});

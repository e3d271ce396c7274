/** Connections in packets and in states of sockets, written straight from numbers: every byte as the long way has it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnalyzeOptions, analyze } from '../../src/analyze.ts';
import type { Result } from '../../src/model/result.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/model/tcp.ts';
import { finWait2 } from '../../src/report/charts/fin-wait2.ts';
import { allOf } from '../../src/report/words.ts';
import { liveSamples } from '../explain/samples.ts';
import { type Sent, writeCapture } from '../fuzz/loads.ts';
import { random } from '../read/capture/generate.ts';
import { causesOf, filesOf } from './big-runs.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'joined-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tables = (result: Result) => filesOf(result, ['connections.csv', 'findings.csv', 'diagnostics.csv']);

describe('captures and states of the samples', () => {
  const samples = liveSamples()
    .map((s) => ['packets.pcap', 'tcpstates.txt'].map((name) => path.join(s.folder, name)))
    .filter((files) => files.every((file) => existsSync(file)));
  test('are there, and some of their connections are plain', async () => {
    let plain = 0;
    for (const files of samples) {
      const [long, short] = [await analyze(files), await analyze(files, { listed: 0 })];
      expect(allOf(short)).toBe(long.connections.length);
      expect(await tables(short), files[0]).toEqual(await tables(long));
      plain += short.plain?.groups.reduce((n, g) => (g.rules.length > 1 ? n + g.connections : n), 0) ?? 0;
    }
    expect(plain).toBeGreaterThan(20);
  });
});

/** After so many µs its sender sends the last once more. */
const AGAIN = 300_000;

/** Who sends, flags, payload, µs since the packet before; changes of state, of `C`lient or `S`erver, and µs after it. */
type Step = readonly ['C' | 'S', number, number, number, ...string[]];
const open: Step[] = [
  ['C', SYN, 0, 0, 'C CLOSE SYN_SENT'],
  ['S', SYN | ACK, 0, 60, 'C SYN_SENT ESTABLISHED'],
  ['C', ACK, 0, 5, 'S LISTEN SYN_RECV', 'S SYN_RECV ESTABLISHED'],
];
const deferred: Step[] = [
  open[0]!,
  open[1]!,
  ['C', ACK, 0, 5],
  ['C', PSH | ACK, 60, 30_000, 'S LISTEN SYN_RECV', 'S SYN_RECV ESTABLISHED'],
];
const talk: Step[] = [
  ['C', PSH | ACK, 60, 100],
  ['S', PSH | ACK, 120, 300],
  ['C', ACK, 0, 20],
];
const finWithAck: Step[] = [
  ['C', FIN | ACK, 0, 90, 'C ESTABLISHED FIN_WAIT1', 'S ESTABLISHED CLOSE_WAIT'],
  ['S', FIN | ACK, 0, 40, 'S CLOSE_WAIT LAST_ACK', 'C FIN_WAIT1 FIN_WAIT2', 'C FIN_WAIT2 CLOSE'],
  ['C', ACK, 0, 10, 'S LAST_ACK CLOSE'],
];
/** The other side closes so many µs after its ACK, which comes so many after the FIN; the full socket stays so long. */
const serverFirst = (wait: number, acked: number, stay = 3): Step[] => [
  ['S', FIN | ACK, 0, 90, 'S ESTABLISHED FIN_WAIT1', 'C ESTABLISHED CLOSE_WAIT'],
  ['C', ACK, 0, acked, 'S FIN_WAIT1 FIN_WAIT2', `S FIN_WAIT2 CLOSE ${stay}`],
  ['C', FIN | ACK, 0, wait, 'C CLOSE_WAIT LAST_ACK'],
  ['S', ACK, 0, 10, 'C LAST_ACK CLOSE'],
];
const crossing: Step[] = [
  ['C', FIN | ACK, 0, 90, 'C ESTABLISHED FIN_WAIT1'],
  ['S', FIN | ACK, 0, 1, 'S ESTABLISHED FIN_WAIT1', 'C FIN_WAIT1 CLOSING', 'S FIN_WAIT1 CLOSING'],
  ['S', ACK, 0, 40, 'C CLOSING CLOSE'],
  ['C', ACK, 0, 1, 'S CLOSING CLOSE'],
];
const WAYS: Step[][] = [
  [...open, ...talk, ...finWithAck],
  [...open, ...talk, ...finWithAck],
  [...open, ...finWithAck],
  [...open, ...talk, ...serverFirst(5000, 30)],
  [...open, ...talk, ...serverFirst(900, 30)],
  [...open, ...talk, ...serverFirst(1003, 30)],
  [...open, ...talk, ...serverFirst(9000, 40_000)],
  [...open, ...talk, ...serverFirst(90_000, 30, 60_000)],
  [...open, ...talk, ...serverFirst(400_000, 30)],
  [...deferred, ...talk, ...finWithAck],
  [...open, ...talk, ...crossing],
  [...open, ...talk, ['S', RST | ACK, 0, 50, 'S ESTABLISHED CLOSE', 'C ESTABLISHED CLOSE']],
  [...open, ...talk, ['S', PSH | ACK, 120, AGAIN], ...finWithAck],
  [...open, ...talk, ...finWithAck.slice(0, 2), ['S', FIN | ACK, 0, AGAIN], finWithAck[2]!],
  [...open, ...talk],
  [
    ['C', SYN, 0, 0, 'C CLOSE SYN_SENT'],
    ['S', RST | ACK, 0, 40, 'C SYN_SENT CLOSE'],
  ],
  [['C', SYN, 0, 0, 'C CLOSE SYN_SENT']],
];

interface Line {
  at: number;
  end: 'C' | 'S';
  text: string;
}

/** Connections under way at once, some of which use the ports of an earlier one again. */
function load(connections: number): { sent: Sent[]; lines: Line[] } {
  const next = random(7);
  const pick = (n: number) => Math.floor(next() * n);
  const sent: Sent[] = [];
  const lines: Line[] = [];
  for (let i = 0; i < connections; i++) {
    const way = WAYS[pick(WAYS.length)]!;
    const again = i > 150 && pick(25) === 0;
    const ends = {
      C: [0x0a000001 + (i % 5), 20_000 + (again ? i - 150 : i)],
      S: [0x0a090909, 80 + (i % 3)],
    } as const;
    const numbers = { C: pick(2 ** 32), S: pick(2 ** 32) };
    const changed = { C: 0, S: 0 };
    const silent = pick(12) === 0 ? 'S' : pick(40) === 0 ? 'C' : '';
    let at = i * 700;
    for (const [by, flags, payload, wait, ...states] of way) {
      const to = by === 'C' ? 'S' : 'C';
      at += wait;
      const isAgain = wait === AGAIN;
      const length = payload + (flags & (SYN | FIN) ? 1 : 0);
      const isRefusal = way.length === 2 && (flags & RST) !== 0;
      sent.push({
        ...{ at, from: ends[by][0], fromPort: ends[by][1], to: ends[to][0], toPort: ends[to][1] },
        ...{ flags, payload, seq: isRefusal ? 0 : numbers[by] - (isAgain ? length : 0) },
        ack: flags & ACK ? numbers[to] : 0,
      });
      if (!isAgain) numbers[by] += length;
      for (const change of states) {
        const [end, from, state, more = '1'] = change.split(' ') as ['C' | 'S', string, string, string?];
        const time = at + Number(more);
        // a line is lost here and there
        if (end === silent || pick(200) === 0) continue;
        const duration = changed[end] === 0 ? 0 : time - changed[end];
        changed[end] = time;
        const own = ends[end];
        const peer = ends[end === 'C' ? 'S' : 'C'];
        const socket = `ffff8880${((i % 250) * 2 + (end === 'C' ? 0 : 1)).toString(16).padStart(8, '0')}`;
        const process = end === 'C' ? `${4000 + (i % 7)}    curl` : '808     nginx: work';
        const text = `${(time / 1e6).toFixed(6)} ${socket} ${process} ${dotted(own[0])} ${own[1]} ${dotted(peer[0])} ${peer[1]} ${from} -> ${state} ${(duration / 1000).toFixed(3)}`;
        lines.push({ at: time, end, text });
      }
    }
  }
  return { sent: sent.sort((a, b) => a.at - b.at), lines: lines.sort((a, b) => a.at - b.at) };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

const HEAD = 'TIME(s) SKADDR C-PID C-COMM LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS';

describe('600 connections in packets and states, of many endings', () => {
  const { sent, lines } = load(600);
  const capture = path.join(folder, 'mixed.pcap');
  writeCapture(capture, sent);
  const log = (name: string, own: readonly Line[]) => {
    const file = path.join(folder, name);
    writeFileSync(file, [HEAD, ...own.map((l) => l.text), ''].join('\n'));
    return file;
  };
  const next = random(3);
  // per-CPU buffers
  const shuffled = [...lines].map((line, i) => ({ line, i: i + next() * 40 })).sort((a, b) => a.i - b.i);
  const both = log('both.txt', lines);
  const logs: [string, string[]][] = [
    ['one log', [both]],
    [
      'its lines out of order',
      [
        log(
          'shuffled.txt',
          shuffled.map((s) => s.line),
        ),
      ],
    ],
    [
      'a log of the server',
      [
        log(
          'server.txt',
          lines.filter((l) => l.end === 'S'),
        ),
      ],
    ],
    [
      'a log of each end',
      ['C', 'S'].map((end) =>
        log(
          `${end}.txt`,
          lines.filter((l) => l.end === end),
        ),
      ),
    ],
    ['a log twice', [both, log('twice.txt', lines)]],
  ];
  const both2 = (files: readonly string[], options: AnalyzeOptions) => analyze([capture, ...files], options);

  test.each(logs)('%s: the tables are the same, byte for byte', async (_, files) => {
    const [long, short] = [await both2(files, {}), await both2(files, { listed: 0 })];
    expect(long.plain).toBeUndefined();
    if (files.length < 2 || !files[0]!.endsWith('both.txt')) {
      expect(short.plain!.connections).toBeGreaterThan(40);
      expect(new Set(short.plain!.groups.map((g) => g.rules[1])).size).toBeGreaterThan(1);
    }
    expect(allOf(short)).toBe(long.connections.length);
    expect(await tables(short)).toEqual(await tables(long));
  });

  describe('some of each kind are listed', () => {
    let long: Result;
    let short: Result;
    beforeAll(async () => {
      long = await both2([both], {});
      short = await both2([both], { listed: 300 });
    });

    test('story, answers, clocks and causes are the same, but for the list of connections', () => {
      expect(short.story).toEqual(long.story);
      expect(short.answers).toEqual(long.answers);
      expect(short.clocks).toEqual(long.clocks);
      expect(short.hosts).toEqual(long.hosts);
      expect(causesOf(short)).toEqual(causesOf(long));
      expect(short.timeline).toEqual(long.timeline);
      expect(
        short.causes.find((c) => c.rule === 'fin-wait2-in-minisock')!.unlisted!.connections,
      ).toBeGreaterThan(20);
    });

    test('the chart of FIN_WAIT2 counts all of them', () => {
      const values = (r: Result) => {
        const layers = (finWait2.build(r)!.spec as unknown as { layer: { data: { values: unknown[] } }[] })
          .layer;
        const bins = layers.at(-1)!.data.values as { seconds: number; measure: string }[];
        return [...bins].sort((a, b) => a.seconds - b.seconds || (a.measure < b.measure ? -1 : 1));
      };
      expect(values(short)).toEqual(values(long));
      expect(finWait2.build(short)!.description).toBe(finWait2.build(long)!.description);
    });
  });
});

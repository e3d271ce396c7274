/** Packets, TCP packets, streams, and what is counted of each stream, against tshark where it is installed. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Pair, WireConnection } from '../../src/model/connection.ts';
import { capturesBelow, capturesIn, corpus, fields, hasTshark } from '../read/capture/tshark.ts';
import { trackCapture } from './capture.ts';

const COUNTS = ['packets', 'retransmits', 'outOfOrder', 'keepalives', 'windowProbes', 'zeroWindows'] as const;
type Count = (typeof COUNTS)[number];
type Stream = Record<Count | 'completeness', number>;

/** tshark's field for each, in the order of COUNTS after `packets`. */
const FIELDS = ['retransmission', 'out_of_order', 'keep_alive', 'zero_window_probe', 'zero_window'];

const OPTIONS = [
  // Completeness is known at the end of a stream only.
  '-2',
  ...['-o', 'ip.defragment:TRUE'],
  // Known by its content here too, whatever its ports.
  ...['--enable-heuristic', 'teredo_udp'],
  // FTP announces its data connections and so spoils their bits.
  ...['--disable-protocol', 'ftp'],
];

interface Table {
  frames: number;
  segments: number;
  /** By number of the first frame. */
  streams: Map<number, Stream>;
}

function theirs(path: string): Table {
  const quoted = ['icmp.type', 'icmpv6.type'];
  const names = ['frame.number', 'frame.interface_id', ...quoted, 'tcp.stream', 'tcp.completeness'];
  const rows = fields(path, [...names, ...FIELDS.map((f) => `tcp.analysis.${f}`)], '', OPTIONS);
  // Custom blocks of pcapng are rows of their own there, without an interface.
  const isNg = path.endsWith('.pcapng');
  const table: Table = { frames: 0, segments: 0, streams: new Map() };
  const first = new Map<string, number>();
  for (const [frame, itf, icmp, icmp6, number, completeness, ...found] of rows) {
    if (isNg && itf === '') continue;
    table.frames++;
    // a segment that an ICMP error quotes is no segment of its stream
    if (number === '' || icmp !== '' || icmp6 !== '') continue;
    table.segments++;
    if (!first.has(number!)) first.set(number!, Number(frame));
    const stream = table.streams.get(first.get(number!)!) ?? empty(Number(completeness));
    table.streams.set(first.get(number!)!, stream);
    stream.packets++;
    for (const [i, value] of found.entries()) if (value !== '') stream[COUNTS[i + 1]!]++;
  }
  return table;
}

const empty = (completeness: number): Stream => ({
  completeness,
  ...(Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<Count, number>),
});

const sum = ([a, b]: Pair<number>) => a + b;

function ours(path: string): Table & { wires: Map<number, WireConnection> } {
  const { tracker, source } = trackCapture(path);
  const wires = new Map([...tracker.connections()].map((w) => [w.startFrame, w]));
  const streams = new Map<number, Stream>();
  for (const [frame, w] of wires) {
    const stream = empty(w.completeness);
    for (const name of COUNTS) stream[name] = sum(w[name]);
    stream.packets += w.duplicateSightings;
    streams.set(frame, stream);
  }
  const segments = [...streams.values()].reduce((n, { packets }) => n + packets, 0);
  return { frames: source?.records ?? 0, segments, streams, wires };
}

type Counts = Partial<Record<Count, [ours: number, theirs: number]>>;
interface Difference {
  why: string;
  /** By first frame of the stream. */
  streams: Record<number, Counts>;
  /** How many there are, where they are cut elsewhere: counts of each cannot be compared then. */
  cut?: [ours: number, theirs: number];
}

/** All that differs, by capture. */
const DIFFERENCES: readonly [RegExp, Difference][] = [
  [
    /\/pppoe-over-qinq.pcap$/,
    {
      why: 'a gateway pads ACKs to 6 bytes of payload: tshark takes them for ACKs, Zeek and we for what IP says they are',
      streams: { 1: { retransmits: [26, 23], outOfOrder: [5, 2] } },
    },
  ],
  [
    /\/bad-syn-ack\//,
    {
      why: 'tshark goes on counting from a forged SYN-ACK, and takes the real one and the FIN, with lower numbers, for old',
      streams: { 1: { retransmits: [3, 5] } },
    },
  ],
  [
    /\/forged-fin\.pcap$/,
    {
      why: 'tshark goes on counting from a forged FIN 900 MB ahead, and takes the data and the FIN that follow in order, sent once each, for old',
      streams: { 1: { retransmits: [0, 2] } },
    },
  ],
  [
    /\/reset-overtook-data\.pcap$/,
    {
      why: 'the RST that overtook data has the number behind them: tshark takes the data, sent once and late, for old',
      streams: { 10: { retransmits: [0, 1] } },
    },
  ],
  [
    /\/reply_around-client\.pcap$/,
    {
      why: 'each SYN-ACK of another number after a RST is of a socket of its own for us; without a SYN of their own tshark takes all for one',
      streams: {},
      cut: [4, 2],
    },
  ],
  [
    /\/calls-crossing\.pcap$/,
    {
      why: 'a SYN of the other side 9 ms after one of these ports was refused is of the same attempt for us, as two that cross are',
      streams: {},
      cut: [7, 8],
    },
  ],
];

/** The SYN-ACK of a simultaneous open has the number of the SYN before: tshark takes it for that one again. */
function differenceOf(wire: WireConnection, frame: number, listed: Difference | undefined) {
  const counts = listed?.streams[frame];
  if (counts) return { why: listed!.why, counts };
  if (wire.syns.some((n) => n !== 1) || wire.synAcks.some((n) => n !== 1)) return { why: '', counts: {} };
  return { why: 'a simultaneous open', counts: { retransmits: [0, 2] } satisfies Counts };
}

/** The same behaviours were captured several times: one capture of each will do, all are taken with LONG=1. */
function isTelling(path: string): boolean {
  return Boolean(process.env.LONG) || !/^samples\/(live\/|bundle\/(?!.*\/6\.18\/))/.test(path);
}

const OWN = ['samples', 'test'];
const files = [
  ...['zeek', 'pcapng/le', 'pcapng/be'].flatMap((folder) =>
    capturesIn(folder).map((name) => join(folder, name)),
  ),
  ...OWN.flatMap((folder) => capturesBelow(folder).map((name) => join(folder, name))).filter(isTelling),
];

describe.skipIf(!hasTshark)('tshark counts the same', () => {
  test.each(files)('in %s', (name) => {
    const path = OWN.includes(name.split('/')[0]!) ? name : join(corpus!, name);
    const expected = theirs(path);
    const found = ours(path);
    const listed = DIFFERENCES.find(([pattern]) => pattern.test(name))?.[1];
    const sizes = [found.streams.size, expected.streams.size];
    expect([found.frames, found.segments]).toEqual([expected.frames, expected.segments]);
    if (listed?.cut) return expect(sizes, listed.why).toEqual(listed.cut);
    expect(sizes[0]).toBe(sizes[1]);
    for (const [frame, stream] of expected.streams) {
      const own = found.streams.get(frame)!;
      // a copy by the tap (same identification within 1 ms) is sent again for tshark, and one segment for us
      if (found.wires.get(frame)!.duplicateSightings > 0) {
        expect([frame, own.packets]).toEqual([frame, stream.packets]);
        continue;
      }
      // tshark 4.0 leaves out the bits of a stream's first segment when that is no SYN.
      if (sum(found.wires.get(frame)!.syns) === 0) own.completeness &= stream.completeness;
      const { why, counts } = differenceOf(found.wires.get(frame)!, frame, listed);
      for (const [count, [mine, its]] of Object.entries(counts) as [Count, [number, number]][]) {
        expect([count, own[count], stream[count]], why).toEqual([count, mine, its]);
        own[count] = its;
      }
      expect({ frame, ...own }).toEqual({ frame, ...stream });
    }
  });
});

/** Fragments of IP packets with TCP. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decoder } from '../../src/decode/decode.ts';
import { OUTCOMES } from '../../src/decode/outcomes.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { OPT_DAMAGED, Packet } from '../../src/model/packet.ts';
import type { Source } from '../../src/model/source.ts';
import { formatOf } from '../read/capture/collect.ts';
import { hasTshark } from '../read/capture/tshark.ts';
import { decode, frameOf, hex, ipPackets, ipv4, ipv6, u16 } from './frames.ts';

const raw = { linkType: 101 };
const SEGMENTS = ipPackets.map((ip) => ip.subarray(20));
/** A segment with payload, and one with a header of 28 bytes and no payload. */
const LONG = SEGMENTS.find((tcp) => tcp.length > 200)!;
const SYN = SEGMENTS[0]!;
const SECOND = 1e9;

interface Part {
  offset: number;
  bytes: Uint8Array;
  more: boolean;
}

/** Cuts at multiples of 8. */
function split(bytes: Uint8Array, cuts: readonly number[]): Part[] {
  const at = [...new Set(cuts.map((cut) => cut * 8))].filter((cut) => cut > 0 && cut < bytes.length);
  const bounds = [0, ...at.sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((to, i) => {
    const offset = bounds[i]!;
    return { offset, bytes: bytes.subarray(offset, to), more: to < bytes.length };
  });
}

const fourth = ({ offset, bytes, more }: Part) => ipv4(6, bytes, (offset >> 3) | (more ? 0x2000 : 0));
const sixth = ({ offset, bytes, more }: Part, id = '00000001') =>
  ipv6(44, Buffer.concat([hex('0600'), u16(offset | (more ? 1 : 0)), hex(id), bytes]));

/** What a decoder gives for frames, one after the other, at the given times. */
class Run {
  readonly decoder = new Decoder({ checksums: true });
  readonly packet = new Packet();
  #number = 0;

  see(bytes: Uint8Array, time = 0, kind: Parameters<typeof frameOf>[1] = raw): string {
    const frame = Object.assign(frameOf(bytes, kind), { number: ++this.#number, time });
    return OUTCOMES[this.decoder.decode(frame, this.packet)]!.id;
  }

  get report(): Record<string, [number, string]> {
    const diagnostics = new Diagnostics();
    this.decoder.report({ name: 'it' } as Source, diagnostics);
    const said = diagnostics.list().filter((d) => d.code !== 'fragment');
    return Object.fromEntries(said.map((d) => [d.code, [d.count, d.locator]]));
  }
}

/** What is in a packet, without where it was seen. */
function content(packet: Packet): object {
  const { frame, time, checksum, ...rest } = packet;
  return rest;
}

describe('a fragmented segment', () => {
  test.each(['IPv4', 'IPv6'])('comes whole with its last fragment, in whatever order (%s)', (version) => {
    const wrap = version === 'IPv4' ? fourth : sixth;
    fc.assert(
      fc.property(
        fc.constantFrom(...SEGMENTS),
        fc.array(fc.nat({ max: 200 }), { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (segment, cuts, random) => {
          const parts = split(segment, cuts);
          for (let i = parts.length - 1; i > 0; i--) {
            const j = random.next().value % (i + 1);
            [parts[i], parts[j]] = [parts[j]!, parts[i]!];
          }
          const run = new Run();
          const outcomes = parts.map((part) => run.see(wrap(part)));
          expect(outcomes).toEqual([...Array(parts.length - 1).fill('fragment'), 'tcp']);
          const whole = decode(wrap({ offset: 0, bytes: segment, more: false }), raw).packet;
          expect(content(run.packet)).toEqual(content(whole));
          expect(run.packet.frame).toBe(parts.length);
          expect(run.report).toEqual({});
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is found among others, by addresses, identification, and interface', () => {
    const run = new Run();
    const [first, last] = split(LONG, [6]).map((part) => fourth(part));
    const other = Buffer.from(last!).fill(9, 19, 20);
    const another = Buffer.from(last!).fill(9, 5, 6);
    expect(run.see(first!)).toBe('fragment');
    expect(run.see(other)).toBe('fragment');
    expect(run.see(another)).toBe('fragment');
    expect(run.see(last!, 0, { ...raw, interfaceId: 1 })).toBe('fragment');
    expect(run.see(last!)).toBe('tcp');
    expect(run.packet.payload).toBe(LONG.length - 20);
  });

  test('seen twice is two segments, and overlaps with none', () => {
    const run = new Run();
    const frames = split(LONG, [4, 9]).map((part) => fourth(part));
    const outcomes = [...frames, ...frames].map((frame) => run.see(frame));
    expect(outcomes).toEqual(['fragment', 'fragment', 'tcp', 'fragment', 'fragment', 'tcp']);
    const repeated = [frames[0]!, frames[0]!, frames[1]!, frames[2]!].map((frame) => run.see(frame));
    expect(repeated).toEqual(['fragment', 'fragment', 'fragment', 'tcp']);
    expect(run.report).toEqual({});
  });

  test('whose fragments overlap is what came first of it, and is counted', () => {
    const run = new Run();
    const evil = Buffer.from(LONG).fill(0xff);
    run.see(fourth({ offset: 0, bytes: LONG.subarray(0, 24), more: true }));
    run.see(fourth({ offset: 8, bytes: evil.subarray(8, 48), more: true }));
    expect(run.see(fourth({ offset: 48, bytes: LONG.subarray(48), more: false }))).toBe('tcp');
    expect(run.packet.seq).toBe(LONG.readInt32BE(4));
    expect(run.report).toEqual({ 'fragment-overlap': [1, 'frame 2'] });
  });

  test('that was snapped counts whole, and says that its payload is not there', () => {
    const run = new Run();
    const [first, last] = split(LONG, [6]).map((part) => fourth(part));
    run.see(first!);
    expect(run.see(last!, 0, { ...raw, captured: 20 })).toBe('tcp');
    expect([run.packet.payload, run.packet.snapped]).toEqual([LONG.length - 20, 1]);
  });
});

describe('a segment of which fragments are missing', () => {
  const [head, tail] = split(LONG, [6]).map((part) => fourth(part));

  test('does not come, and is counted at the end', () => {
    const run = new Run();
    run.see(tail!);
    run.see(fourth({ offset: 0, bytes: SYN.subarray(0, 16), more: true }).fill(9, 5, 6));
    expect(run.report).toEqual({ 'fragment-missing': [2, 'frame 1'] });
  });

  test('is given up after 30 seconds, by the clock of the packets', () => {
    const run = new Run();
    run.see(head!, 5);
    run.see(Buffer.from(head!).fill(8, 5, 6), 30 * SECOND + 5);
    run.see(Buffer.from(head!).fill(9, 5, 6), 30 * SECOND + 6);
    // The rest of it comes too late.
    expect(run.see(tail!, 30 * SECOND + 7)).toBe('fragment');
    expect(run.report).toEqual({ 'fragment-missing': [4, 'frame 1'] });
  });

  test('is not completed by a later packet of the same identification', () => {
    const run = new Run();
    run.see(head!, 0);
    expect(run.see(tail!, 31 * SECOND)).toBe('fragment');
    expect(run.see(head!, 31 * SECOND)).toBe('tcp');
    expect(run.report).toEqual({ 'fragment-missing': [1, 'frame 1'] });
  });

  test('gives way to others when many wait', () => {
    const run = new Run();
    const identified = (bytes: Uint8Array, id: number) => {
      const frame = Buffer.from(bytes);
      frame.writeUInt16BE(id, 4);
      return run.see(frame);
    };
    for (let id = 0; id < 300; id++) expect(identified(head!, id)).toBe('fragment');
    expect([43, 44, 299].map((id) => identified(tail!, id))).toEqual(['fragment', 'fragment', 'tcp']);
    expect(run.report).toEqual({ 'fragment-missing': [301, 'frame 1'] });
  });

  test('in more pieces than are kept track of is one', () => {
    const run = new Run();
    const bytes = Buffer.concat([LONG, Buffer.alloc(600)]);
    const cuts = Array.from({ length: 90 }, (_, i) => i);
    const odd = split(bytes, cuts).filter((_, i) => i % 2 === 0);
    for (const part of odd) run.see(fourth(part));
    expect(run.report).toEqual({ 'fragment-missing': [1, 'frame 1'] });
  });
});

test.each([
  ['without bytes', ipv4(6, Buffer.alloc(0), 0x2001)],
  ['of 9 bytes before others', ipv4(6, Buffer.alloc(9), 0x2000)],
  ['that ends beyond 65,535 bytes', ipv4(6, Buffer.alloc(64), 0x1fff)],
])('a fragment %s is no fragment', (_, bytes) => {
  expect(decode(bytes, raw).outcome).toBe('bad-ip-header');
});

/** record.sh beside the capture says how it was taken. */
describe('a capture behind a link of 68 bytes', () => {
  const path = 'test/decode/captures/split-header/split-header.pcap';

  function ours(): string[] {
    const decoder = new Decoder({ checksums: true });
    const packet = new Packet();
    const rows: string[] = [];
    const reader = formatOf(readFileSync(path)).open('it', {
      sink: {
        frame(_source, frame) {
          if (decoder.decode(frame, packet) !== 0) return;
          const { seq, ack, flags, window, payload, tsVal, options } = packet;
          rows.push([packet.frame, seq >>> 0, ack >>> 0, flags, window, payload, tsVal >>> 0].join(' '));
          expect(options & OPT_DAMAGED).toBe(0);
        },
        packet: () => undefined,
        event: () => undefined,
      },
      diagnostics: new Diagnostics(),
      source: (init) => ({ ...init, id: 0, records: 0 }),
      progress: () => undefined,
    });
    reader.push(readFileSync(path));
    reader.end();
    return rows;
  }

  test('has a segment for each header, one of them in two fragments', () => {
    expect(ours().length).toBe(98);
  });

  test.skipIf(!hasTshark)('has the segments that tshark puts together', () => {
    const names = [
      'frame.number',
      'seq_raw',
      'ack_raw',
      'flags',
      'window_size_value',
      'len',
      'options.timestamp.tsval',
    ];
    const wanted = names.flatMap((name) => ['-e', name.startsWith('frame') ? name : `tcp.${name}`]);
    const text = execFileSync('tshark', ['-n', '-r', path, '-Y', 'tcp', '-T', 'fields', ...wanted], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const theirs = text.trimEnd().split('\n');
    expect(ours()).toEqual(theirs.map((line) => line.split('\t').map(Number).join(' ')));
  });
});

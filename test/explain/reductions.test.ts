/**
 * Captures as taps and filters spoil them: begun late, one direction only, every segment twice, neighbours out of order, one
 * after itself. Nothing is proved of them that the whole capture does not show, or that the program did not do.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Truth } from './samples.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples/live');
const NAMES = [
  ...['graceful-client-first', 'half-close', 'simultaneous-close', 'fin-with-ack', 'unread-data'],
  ...['data-into-minisock', 'data-after-close', 'retransmission-timeout', 'accept-queue-ack', 'closed-port'],
  ...['listener-closed', 'syn-on-time-wait', 'fin-wait2-expired', 'keepalive-timeout'],
];

/** Nanoseconds, and the bytes of the frame: Ethernet and IPv4, as the samples have them. */
interface Frame {
  time: bigint;
  bytes: Buffer;
}

function framesOf(file: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 24; at < file.length; ) {
    const captured = file.readUInt32LE(at + 8);
    const time = BigInt(file.readUInt32LE(at)) * 10n ** 9n + BigInt(file.readUInt32LE(at + 4));
    frames.push({ time, bytes: file.subarray(at + 12, at + 16 + captured) });
    at += 16 + captured;
  }
  return frames;
}

/** `bytes` of a frame begin with the length that its record gives for the wire. */
function fileOf(head: Buffer, frames: readonly Frame[]): Uint8Array {
  const parts = [head];
  for (const { time, bytes } of frames) {
    const record = Buffer.alloc(12);
    record.writeUInt32LE(Number(time / 10n ** 9n), 0);
    record.writeUInt32LE(Number(time % 10n ** 9n), 4);
    record.writeUInt32LE(bytes.length - 4, 8);
    parts.push(record, bytes);
  }
  return Buffer.concat(parts);
}

const NEAR = 10_000n;
const isOf = (address: string) => (f: Frame) => [...f.bytes.subarray(30, 34)].join('.') === address;

/** Neighbours within 10 µs change places; times go up as before. */
function swapped(frames: readonly Frame[]): Frame[] {
  const out = frames.map((f) => ({ ...f }));
  for (let i = 0; i + 1 < out.length; i++) {
    const [a, b] = [out[i]!, out[i + 1]!];
    if (b.time - a.time > NEAR) continue;
    [a.bytes, b.bytes] = [b.bytes, a.bytes];
    i++;
  }
  return out;
}

const twice = (frames: readonly Frame[]) => frames.flatMap((f) => [f, { ...f, time: f.time + 2000n }]);

/** Both ports and a rule: which side is called the client nothing shows of a connection that began before. */
const claim = (a: number, b: number, rule: string) => `${Math.min(a, b)} ${Math.max(a, b)} ${rule}`;

/** What is claimed. */
async function claimsOf(bytes: Uint8Array, confidence?: Finding['confidence']): Promise<string[]> {
  const { findings } = await analyze([{ name: 'packets.pcap', bytes }]);
  const some = findings.filter((f) => confidence === undefined || f.confidence === confidence);
  return [...new Set(some.map((f) => claim(f.client.port, f.server.port, f.rule)))].sort();
}

const claimed = (truths: readonly Truth[]) =>
  truths.flatMap((t) => {
    const port = (end: string) => Number(end.slice(end.lastIndexOf(':') + 1));
    const rules = [t.close_rule, t.syn_rule, t.fin_wait2_rule, t.stuck_rule];
    return rules.filter(Boolean).map((rule) => claim(port(t.client), port(t.server), rule));
  });

describe.each(NAMES)('%s', (name) => {
  const folder = path.join(SAMPLES, name, '6.18');
  const file = readFileSync(path.join(folder, 'packets.pcap'));
  const head = file.subarray(0, 24);
  const frames = framesOf(file);
  const { connections } = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as {
    connections: Truth[];
  };
  const server = connections[0]!.server.replace(/:\d+$/, '');
  const reduced: [string, Frame[]][] = [
    ...[1, 2, 3, 4, 5].map((n): [string, Frame[]] => [`without its first ${n} packets`, frames.slice(n)]),
    ['of its first half', frames.slice(0, frames.length >> 1)],
    ['of its last half', frames.slice(frames.length >> 1)],
    ['of what the server sent', frames.filter(isOf(server))],
    ['of what the client sent', frames.filter((f) => !isOf(server)(f))],
    ['with neighbours out of order', swapped(frames)],
  ];

  test.each(reduced)('%s: nothing is proved that is not true', async (_, some) => {
    const proved = await claimsOf(fileOf(head, some), 'proved');
    const allowed = new Set([...claimed(connections), ...(await claimsOf(file))]);
    expect(proved.filter((c) => !allowed.has(c))).toEqual([]);
  });

  test.each([
    ['with every segment twice', twice(frames)],
    ['after itself', [...frames, ...frames]],
    ['with itself, in the order of time', frames.flatMap((f) => [f, f])],
  ])('%s: nothing is claimed that it does not show once', async (_, more) => {
    const once = new Set(await claimsOf(file));
    const claims = await claimsOf(fileOf(head, more));
    expect(claims.filter((c) => !once.has(c))).toEqual([]);
  });
});

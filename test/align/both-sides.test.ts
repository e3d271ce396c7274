/** A router's capture of many connections: both sides of its NAT are in it, or one. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeCapture } from '../explain/captures.ts';

const HEADER = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');
const MANY = 10_400;

/** One segment of an Ethernet frame, behind its record header; µs. */
function record(time: number, [src, srcPort]: End, [dst, dstPort]: End, isn: number, id: number): Buffer {
  const bytes = Buffer.alloc(16 + 14 + 40);
  bytes.writeUInt32LE(1_700_000_000 + Math.floor(time / 1e6), 0);
  bytes.writeUInt32LE(time % 1e6, 4);
  bytes.writeUInt32LE(54, 8);
  bytes.writeUInt32LE(54, 12);
  bytes.writeUInt16BE(0x0800, 28);
  Buffer.from([0x45, 0, 0, 40, id >> 8, id & 255, 0x40, 0, 64, 6, 0, 0]).copy(bytes, 30);
  bytes.writeUInt32BE(src, 42);
  bytes.writeUInt32BE(dst, 46);
  bytes.writeUInt16BE(srcPort, 50);
  bytes.writeUInt16BE(dstPort, 52);
  bytes.writeUInt32BE(isn, 54);
  bytes[62] = 0x50;
  return bytes;
}

type End = [address: number, port: number];
const SYN = 2;
const SYN_ACK = 18;

/** SYN and SYN-ACK of each connection, inside and, translated, outside. */
function routed(both: boolean): Buffer[] {
  const server: End = [0xc6336409, 443];
  return Array.from({ length: both ? MANY / 2 : MANY }, (_, n) => {
    const ends: End[] = [[0x0a000000 + n, 40_000]];
    if (both) ends.push([0xcb007101, 1024 + n]);
    const [isn, answer] = [n * 7919 + 1, n * 104_729 + 3];
    return ends.flatMap((client, i) => {
      const syn = record(n * 1000 + i * 10, client, server, isn, 1 + (n % 60_000));
      const synAck = record(n * 1000 + 100 + i * 10, server, client, answer, 0);
      syn[63] = SYN;
      synAck[63] = SYN_ACK;
      synAck.writeUInt32BE(isn + 1, 58);
      return [syn, synAck];
    });
  }).flat();
}

test.each([
  [true, MANY / 2],
  [false, MANY],
])('both sides: %s', async (both, connections) => {
  const file = writeCapture('router.pcap', { header: HEADER, records: routed(both) });
  const { connections: listed, unlisted } = await analyze([file]);
  expect(listed.length + (unlisted?.connections ?? 0)).toBe(connections);
});

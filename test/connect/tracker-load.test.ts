/** Inputs made to hurt. Each is linear in packets: these tests end in seconds or not at all. */
import { expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import { MAPPED_WORD } from '../../src/model/address.ts';
import { Packet } from '../../src/model/packet.ts';
import { ACK, PSH, SYN } from '../../src/model/tcp.ts';
import type { SourceTime } from '../../src/model/time.ts';

function toServer(): Packet {
  const p = new Packet();
  [p.src2, p.src3, p.dst2, p.dst3] = [MAPPED_WORD, 0x0a000001, MAPPED_WORD, 0x0a000002];
  [p.srcPort, p.dstPort, p.flags, p.window] = [40000, 80, SYN, 500];
  return p;
}

function next(p: Packet): void {
  p.frame++;
  p.time = (p.frame * 1000) as SourceTime;
}

test('a million SYNs from different addresses and ports', () => {
  const tracker = new Tracker();
  const p = toServer();
  for (let i = 0; i < 1_000_000; i++) {
    // Only the highest byte of each half changes: what a weak hash would fold together.
    p.src3 = 0x0a000001 | ((i >> 10) << 24);
    p.src1 = (i >> 18) << 24;
    p.srcPort = (i & 1023) << 6;
    p.seq = i;
    next(p);
    tracker.packet(p);
  }
  expect(tracker.count).toBe(1_000_000);
  expect(tracker.connection(999_999).connState).toBe('S0');
});

test('65,535 reuses of one tuple', () => {
  const tracker = new Tracker();
  const p = toServer();
  for (let i = 0; i < 65_535; i++) {
    p.seq = Math.imul(i, 100_003);
    next(p);
    tracker.packet(p);
  }
  expect(tracker.count).toBe(65_535);
  expect(tracker.connection(65_534).syns).toEqual([1, 0]);
});

test('half a million retransmissions of one SYN and of one segment', () => {
  const tracker = new Tracker();
  const p = toServer();
  // what is sent again has another identification than what a tap copies
  const again = (i: number) => {
    next(p);
    p.ipId = (i % 0xffff) + 1;
    tracker.packet(p);
  };
  for (let i = 0; i < 500_000; i++) again(i);
  [p.seq, p.flags, p.payload] = [1, ACK | PSH, 1000];
  for (let i = 0; i < 500_001; i++) again(i);
  const w = tracker.connection(0);
  expect([tracker.count, w.syns[0], w.retransmits[0], w.bytes[0]]).toEqual([1, 500_000, 999_999, 1000]);
  expect(w.keyPackets.length).toBeLessThanOrEqual(48);
  expect(w.history).toBe('SDTTTTTT');
});

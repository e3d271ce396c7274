import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import {
  type KeyPacket,
  WHY_ACK_OF_FIN,
  WHY_BEFORE_RST,
  WHY_DATA_AFTER_FIN,
  WHY_FIN,
  WHY_FIRST_DATA,
  WHY_KEEPALIVE,
  WHY_LAST,
  WHY_RETRANSMIT,
  WHY_RST,
  WHY_SYN,
  WHY_SYN_ACK,
  WHY_THIRD_ACK,
  WHY_ZERO_WINDOW,
} from '../../src/model/connection.ts';
import { OPT_TIMESTAMP, OPT_WSCALE } from '../../src/model/packet.ts';
import { Talk } from './talk.ts';

function keys(tracker: Tracker): KeyPacket[] {
  return tracker.connection(0).keyPackets;
}

function frames(tracker: Tracker, why: number): number[] {
  return keys(tracker)
    .filter((k) => k.why & why)
    .map((k) => k.frame);
}

describe('what is kept', () => {
  test('of a connection that goes well', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 10 }).server('.');
    for (let i = 0; i < 50; i++) talk.server('P.', { length: 1000 }).client('.');
    talk.close();
    expect(keys(tracker).map((k) => [k.frame, k.why])).toEqual([
      [1, WHY_SYN],
      [2, WHY_SYN_ACK],
      [3, WHY_THIRD_ACK],
      [4, WHY_FIRST_DATA],
      [6, WHY_FIRST_DATA],
      [106, WHY_FIN],
      [107, WHY_ACK_OF_FIN],
      [108, WHY_FIN | WHY_LAST],
      [109, WHY_ACK_OF_FIN | WHY_LAST],
    ]);
    expect(tracker.connection(0).keyPacketsDropped).toBe(0);
  });

  test('a packet comes back as it was', () => {
    const tracker = new Tracker({ source: 3 });
    const talk = new Talk(tracker, { isn: [-7, 2 ** 31 - 3] });
    const p = talk.packet;
    Object.assign(p, { tsVal: -5, tsEcr: 2 ** 31 - 1 });
    talk.client('S', { scale: 7, ttl: 255, window: 65_535, vantage: 2 ** 30 + 5, ipId: 0xfffe });
    p.options = OPT_WSCALE | OPT_TIMESTAMP;
    talk.server('SFRP.', { length: 9_000_000, ttl: 1 });
    const [syn, odd] = keys(tracker);
    expect(syn).toEqual({
      source: 3,
      frame: 1,
      time: 0,
      side: 0,
      vantage: 2 ** 30 + 5,
      why: WHY_SYN | WHY_LAST | WHY_BEFORE_RST,
      flags: 2,
      seq: -7,
      ack: 0,
      payload: 0,
      window: 65_535,
      options: OPT_WSCALE,
      tsVal: -5,
      tsEcr: 2 ** 31 - 1,
      ttl: 255,
      ipId: 0xfffe,
    });
    expect([odd!.side, odd!.flags, odd!.ttl, odd!.payload]).toEqual([1, 0x1f, 1, 2 ** 23 - 1]);
  });

  test('the last packet of each side stands before a RST', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    for (let i = 0; i < 5; i++) talk.server('P.', { length: 100 }).client('.');
    talk.client('R.');
    // and the one that acknowledged less than the last one
    expect(frames(tracker, WHY_BEFORE_RST)).toEqual([11, 12, 13]);
    expect(frames(tracker, WHY_RST)).toEqual([14]);
    expect(keys(tracker).find((k) => k.frame === 12)).toMatchObject({ side: 1, payload: 100, seq: 5401 });
  });

  test('data towards a side that has sent its FIN, and the RST that answers it', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('F.').server('.');
    for (let i = 0; i < 6; i++) talk.server('P.', { length: 10 });
    talk.client('R', { seq: 1002 });
    expect(frames(tracker, WHY_DATA_AFTER_FIN)).toEqual([6, 7, 8, 9]);
    expect(frames(tracker, WHY_RST | WHY_BEFORE_RST)).toEqual([4, 11, 12]);
  });

  test('the third ACK is the first ACK of the SYN sender, and only if it carries nothing', () => {
    const tracker = new Tracker();
    new Talk(tracker).client('S').server('S.').client('P.', { length: 5 }).client('.');
    expect(frames(tracker, WHY_THIRD_ACK)).toEqual([]);
  });

  test('keepalives, zero windows and retransmissions, the first few', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 10 });
    for (let i = 0; i < 6; i++) talk.client('.', { seq: 1010 });
    for (let i = 0; i < 6; i++) talk.server('.', { window: 0 });
    for (let i = 0; i < 12; i++) talk.client('P.', { seq: 1001, length: 10 });
    expect(frames(tracker, WHY_KEEPALIVE)).toEqual([5, 6, 7, 8]);
    expect(frames(tracker, WHY_ZERO_WINDOW)).toEqual([11, 12, 13, 14]);
    expect(frames(tracker, WHY_RETRANSMIT).length).toBeGreaterThanOrEqual(7);
    expect(frames(tracker, WHY_LAST)).toEqual([16, 28]);
    expect(tracker.connection(0).keyPacketsDropped).toBeGreaterThan(0);
  });
});

describe('bounds', () => {
  test('of SYNs the first twelve and the latest are kept', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S');
    for (let i = 0; i < 99; i++) talk.client('S', { seq: 1000 });
    expect(frames(tracker, WHY_SYN)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100]);
    expect(tracker.connection(0).keyPacketsDropped).toBe(87);
  });

  test('a SYN that a RST answers stays, however many follow', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S');
    for (let i = 0; i < 20; i++) talk.client('S', { seq: 1000 });
    talk.server('R.', { seq: 0 });
    for (let i = 0; i < 20; i++) talk.client('S', { seq: 1000 });
    expect(frames(tracker, WHY_BEFORE_RST)).toEqual([21]);
    expect(frames(tracker, WHY_LAST)).toEqual([22, 42]);
  });

  test('retransmissions and SYNs never crowd out FINs and RSTs', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker);
    for (let i = 0; i < 40; i++) talk.client('S', { seq: 1000 }).server('S.', { seq: 5000 });
    talk.client('.');
    for (let i = 0; i < 40; i++) {
      talk.client('P.', { seq: 1001, length: 10 }).server('P.', { seq: 5001, length: 10, window: 0 });
    }
    for (let i = 0; i < 9; i++) talk.client('R', { seq: 1011 });
    talk.server('F.').client('.').client('F.').server('.').server('R');
    const w = tracker.connection(0);
    expect(w.finTime.includes(null)).toBe(false);
    expect(w.finAckedTime.includes(null)).toBe(false);
    expect(w.rstTime.includes(null)).toBe(false);
    expect(w.keyPackets.length).toBeLessThanOrEqual(48 + 6 + 2);
    expect(w.keyPackets.filter((k) => k.why & WHY_RST && k.side === 0).length).toBe(8);
  });
});

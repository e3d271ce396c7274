import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import { Talk } from './talk.ts';

function lives(tracker: Tracker): string[] {
  return [...tracker.connections()].map((w) => `${w.history} ${w.connState}`);
}

describe('lives of a tuple', () => {
  test('a repeated SYN is the same life, also after a RST', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S').client('S', { seq: 1000, at: 1000 });
    talk.server('R.', { seq: 0 }).client('S', { seq: 1000, at: 1500 }).server('R.', { seq: 0 });
    expect(lives(tracker)).toEqual(['SrS REJ']);
    expect(tracker.connection(0).retransmits).toEqual([2, 0]);
  });

  test('a SYN with another number begins a new life after a close', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().close();
    new Talk(tracker, { isn: [77, 88] }).open();
    expect(lives(tracker)).toEqual(['ShAFaf SF', 'ShA S1']);
    expect(tracker.connection(0).packets).toEqual([4, 3]);
    expect(tracker.connection(1).isn).toEqual([77, 88]);
  });

  test('what comes after a close without a SYN belongs to the life that ended', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().close().server('R', { at: 960_000 });
    expect(lives(tracker)).toEqual(['ShAFafr SF']);
    expect(tracker.connection(0).rstTime).toEqual([null, 960_000e6]);
  });

  test('a SYN into an established connection begins a new life that keeps its challenge, RST and second SYN', () => {
    const tracker = new Tracker();
    const old = new Talk(tracker).open().client('P.', { length: 10 }).server('.');
    const talk = new Talk(tracker, { isn: [900_000, 7000] });
    talk.now = 60_000;
    talk.client('S').server('.', { seq: old.next[1], ack: old.next[0] }).client('R', { seq: old.next[0] });
    talk.client('S', { seq: 900_000 }).server('S.', { seq: 7000 }).client('.');
    expect(lives(tracker)).toEqual(['ShADa S1', 'SaRShA S1']);
    const w = tracker.connection(1);
    expect([w.isn, w.syns, w.rsts, w.nextSeq]).toEqual([
      [900_000, 7000],
      [2, 0],
      [1, 0],
      [900_001, 7001],
    ]);
    expect(w.acked).toEqual([7001, 900_001]);
  });

  test('simultaneous open is one life', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S').server('S');
    talk.client('S.', { seq: 1000 }).server('S.', { seq: 5000 });
    const w = tracker.connection(0);
    expect([tracker.count, w.syns, w.synAcks, w.client.port]).toEqual([1, [1, 1], [1, 1], 40000]);
  });

  test('a SYN behind its SYN-ACK, and a SYN behind its data, belong to their connection', () => {
    const tracker = new Tracker();
    new Talk(tracker).server('S.', { ack: 1001 }).client('S').client('.');
    const late = new Talk(tracker, { client: { address: '10.0.0.1', port: 41000 } });
    late.client('P.', { seq: 1001, length: 5 }).client('S', { seq: 1000 });
    expect(lives(tracker)).toEqual(['^hSA OTH', 'DS S0']);
    expect(tracker.count).toBe(2);
    expect(tracker.connection(1).isn).toEqual([1000, null]);
    expect(tracker.connection(1).bytes).toEqual([5, 0]);
  });

  test('a second SYN-ACK with another number answers the same SYN', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S').server('S.').server('S.', { seq: 9000 });
    talk.client('.', { ack: 9001 });
    const w = tracker.connection(0);
    expect([tracker.count, w.isn, w.acked]).toEqual([1, [1000, 9000], [9001, 1001]]);
  });

  test('a SYN-ACK that answers another SYN than the one of a closed life begins a new one', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().close();
    new Talk(tracker, { isn: [50_000, 60_000] }).server('S.', { ack: 50_001 });
    expect(tracker.count).toBe(2);
    expect(tracker.connection(1).orientation).toBe('syn-ack');
  });

  test('every reuse is a life, however many there are', () => {
    const tracker = new Tracker();
    for (let i = 0; i < 100; i++) new Talk(tracker, { isn: [i * 100_000, i] }).open().close();
    expect(new Set(lives(tracker))).toEqual(new Set(['ShAFaf SF']));
    expect(tracker.count).toBe(100);
  });
});

describe('lives as Zeek divides them', () => {
  const zeek = () => new Tracker({ zeekTimers: true });

  test('an unanswered attempt is forgotten after five seconds', () => {
    const tracker = zeek();
    const talk = new Talk(tracker).client('S').client('S', { seq: 1000, at: 3000 });
    talk.client('S', { seq: 1000, at: 7000 });
    expect(lives(tracker)).toEqual(['S S0', 'S S0']);
  });

  test('a refused attempt that is retried with the same number is a new connection', () => {
    const tracker = zeek();
    const talk = new Talk(tracker).client('S').server('R.', { seq: 0 });
    talk.client('S', { seq: 1000 }).server('R.', { seq: 0 });
    expect(lives(tracker)).toEqual(['Sr REJ', 'Sr REJ']);
  });

  test('stragglers count for five seconds after a close, then for a connection of their own', () => {
    const tracker = zeek();
    const talk = new Talk(tracker).open().close();
    talk.server('R', { at: talk.now + 4000 }).server('R', { at: talk.now + 9000 });
    expect(lives(tracker)).toEqual(['ShAFafr SF', '^r RSTRH']);
  });

  test('silence ends an established connection after five minutes, a midstream SYN-ACK after one', () => {
    const tracker = zeek();
    const talk = new Talk(tracker).open();
    talk.client('P.', { length: 1, at: 299_000 }).client('P.', { length: 1, at: 299_000 + 300_001 });
    expect(lives(tracker)).toEqual(['ShAD S1', 'D OTH']);
  });

  test('sides are named as Zeek names them', () => {
    const tracker = zeek();
    new Talk(tracker).server('P.', { length: 4 });
    expect(tracker.connection(0).client.port).toBe(40000);
    expect(tracker.connection(0).history).toBe('^d');
  });

  test('a close waits for content that is missing', () => {
    const tracker = zeek();
    const talk = new Talk(tracker).open();
    talk.client('F.', { seq: 1101 }).server('.', { ack: 1001 }).server('F.', { ack: 1001 });
    talk.client('P.', { seq: 1001, length: 100, ack: 5002, at: 20_000 });
    expect(lives(tracker)).toEqual(['ShAFafDT SF']);
  });
});

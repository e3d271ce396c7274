/** Segments that a capture shows more than once count once. */
import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { Source } from '../../src/model/source.ts';
import { Talk } from './talk.ts';

/** What is counted of the one connection that was talked. */
function counted(say: (talk: Talk) => void) {
  const tracker = new Tracker();
  say(new Talk(tracker));
  const [wire, ...others] = [...tracker.connections()];
  expect(others).toEqual([]);
  const diagnostics = new Diagnostics();
  tracker.report({ name: 'a.pcap' } as Source, diagnostics);
  const { packets, retransmits, synAcks, rsts } = wire!;
  const copies = diagnostics.list().find((d) => d.code === 'copied-segments')?.count ?? 0;
  return { packets, retransmits, synAcks, rsts, copies };
}

const NONE = [0, 0];

describe('with an IP identification', () => {
  test('a segment that comes again within a millisecond is one, other segments between them or not', () => {
    const seen = counted((talk) => {
      talk.open().client('P.', { length: 9, ipId: 7, at: 10 }).client('P.', { length: 9, ipId: 8, at: 10.1 });
      talk.client('P.', { length: 9, ipId: 7, at: 10.2, seq: 1001 }).again({ at: 10.3 });
    });
    expect(seen).toMatchObject({ packets: [4, 1], retransmits: NONE, copies: 2 });
  });

  test('a retransmission has another one, and comes later than a copy', () => {
    const seen = counted((talk) => {
      talk.open().client('P.', { length: 9, ipId: 7, at: 10 });
      talk.client('P.', { length: 9, ipId: 8, at: 10.5, seq: 1001 });
      talk.client('P.', { length: 9, ipId: 7, at: 210, seq: 1001 });
    });
    expect(seen).toMatchObject({ packets: [5, 1], copies: 0 });
  });
});

describe('without one', () => {
  test('a SYN-ACK was sent as often as the SYN was seen', () => {
    const once = counted((talk) => talk.client('S').server('S.', { at: 1 }).again({ at: 1.5 }));
    expect(once).toMatchObject({ synAcks: [0, 2], copies: 0 });
    const twice = counted((talk) =>
      talk.client('S', { at: 0 }).again({ at: 0.1 }).server('S.', { at: 1 }).again({ at: 1.5 }),
    );
    expect(twice).toMatchObject({ synAcks: [0, 1], copies: 2 });
  });

  test('three segments without a socket get three RSTs alike', () => {
    const seen = counted((talk) => {
      talk.open();
      for (let i = 0; i < 3; i++) talk.client('P.', { length: 9, ipId: 5 + i });
      for (let i = 0; i < 3; i++) talk.server('R', { seq: 5001, at: 7 + i / 100 });
    });
    expect(seen).toMatchObject({ rsts: [0, 3], copies: 0 });
  });

  test('another TTL shows another place', () => {
    const seen = counted((talk) => talk.open().server('R', { at: 9 }).server('R', { at: 9.1, ttl: 63 }));
    expect(seen).toMatchObject({ rsts: [0, 1], copies: 1 });
  });
});

test('a capture that holds itself twice, one after the other, is one', () => {
  const say = (talk: Talk, from: number) => {
    talk.now = from - 1;
    talk.next = [1000, 5000];
    talk.open();
    for (let i = 0; i < 4; i++) talk.client('P.', { length: 10 }).server('P.', { length: 20 });
    talk.close();
  };
  const once = counted((talk) => say(talk, 0));
  const twice = counted((talk) => {
    say(talk, 0);
    say(talk, 0);
  });
  expect(twice).toEqual({ ...once, copies: once.packets[0] + once.packets[1] });
});

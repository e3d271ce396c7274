import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import type { WireConnection } from '../../src/model/connection.ts';
import { Talk } from './talk.ts';

function view(tracker: Tracker): WireConnection {
  return tracker.connection(0);
}

describe('sequence space', () => {
  test('wraps', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker, { isn: [-5, 0x7ffffff0] }).open();
    talk.client('P.', { length: 100 }).client('P.', { length: 100 }).server('P.', { length: 100 }).close();
    const w = view(tracker);
    expect([w.bytes, w.retransmits, w.connState]).toEqual([[200, 100], [0, 0], 'SF']);
    expect(w.nextSeq[0]).toBe(197);
    expect(w.nextSeq[1]).toBe((0x7ffffff0 + 102) | 0);
  });

  test('a retransmission repeats what was seen', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 100 });
    talk.client('P.', { seq: 1001, length: 100, at: 300 }).client('P.', { seq: 1001, length: 150, at: 600 });
    expect([view(tracker).retransmits, view(tracker).bytes]).toEqual([
      [2, 0],
      [150, 0],
    ]);
  });

  test('a segment that was overtaken is no retransmission, one that comes later is', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    talk.client('P.', { seq: 1101, length: 100 }).client('P.', { seq: 1001, length: 100 });
    talk.client('P.', { seq: 1301, length: 100 }).client('P.', { seq: 1201, length: 100, at: 500 });
    expect([view(tracker).retransmits, view(tracker).bytes]).toEqual([
      [1, 0],
      [400, 0],
    ]);
  });

  test('a FIN sent again is a retransmission', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('F.').client('F.', { seq: 1001, at: 400 });
    talk.server('.');
    expect([view(tracker).fins, view(tracker).retransmits]).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(view(tracker).finAckedTime).toEqual([401e6, null]);
  });

  test('keepalives are no retransmissions', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 10 }).server('.');
    talk.client('.', { seq: 1010 }).server('.').client('.', { seq: 1010, length: 1 });
    expect([view(tracker).keepalives, view(tracker).retransmits, view(tracker).bytes]).toEqual([
      [2, 0],
      [0, 0],
      [10, 0],
    ]);
  });

  test('zero windows are counted where a window is offered', () => {
    const tracker = new Tracker();
    const none = { window: 0 };
    const talk = new Talk(tracker).client('S', none).server('S.').client('.', none);
    talk.server('.', none).server('F.', none).server('R', none);
    expect(view(tracker).zeroWindows).toEqual([1, 1]);
  });

  test('the number of a RST moves nothing', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().client('R', { seq: 900_000_000 });
    expect(view(tracker).nextSeq).toEqual([1001, 5001]);
    const refused = new Tracker();
    new Talk(refused).client('S').server('R.', { seq: 0 });
    expect([view(refused).nextSeq, view(refused).acked]).toEqual([
      [1001, null],
      [null, null],
    ]);
  });

  test('an acknowledgment that stands before its data in the file makes the data no less new', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().server('.', { ack: 1101 }).client('P.', { length: 100 });
    talk.client('P.', { length: 50 });
    expect([view(tracker).bytes, view(tracker).retransmits]).toEqual([
      [150, 0],
      [0, 0],
    ]);
  });

  test('more holes than are kept neither grow memory nor lose the highest number', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    for (let i = 1; i <= 5000; i++) talk.client('P.', { seq: 1001 + 20 * i, length: 10 });
    expect(view(tracker).nextSeq[0]).toBe(1001 + 100_010);
    expect(view(tracker).bytes[0]).toBe(50_000);
  });

  const pieces = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 2, max: 12 })), { maxLength: 40 });

  test('property: bytes are those of the union, and no segment that goes back is taken for new', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), pieces, (isn, segments) => {
        const tracker = new Tracker();
        const talk = new Talk(tracker, { isn: [isn, 1] }).open();
        const seen = new Set<number>();
        let back = 0;
        let next = 0;
        for (const [from, length] of segments) {
          talk.client('P.', { seq: isn + 1 + from, length });
          // One byte back it goes on from what may have been a probe.
          if (from < next - 1) back++;
          next = Math.max(next, from + length);
          for (let i = 0; i < length; i++) seen.add(from + i);
        }
        const top = Math.max(-1, ...seen) + 1;
        expect(view(tracker).bytes[0]).toBe(seen.size);
        expect(view(tracker).retransmits[0] + view(tracker).outOfOrder[0]).toBe(back);
        expect(view(tracker).nextSeq[0]).toBe((isn + 1 + top) | 0);
      }),
    );
  });

  test('property: the order of segments does not change the bytes, nor does the initial number', () => {
    const shuffled = pieces.chain((p) =>
      fc.tuple(fc.constant(p), fc.shuffledSubarray(p, { minLength: p.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.integer({ min: -100, max: 0 }), ([one, other], isn) => {
        const [a, b] = [new Tracker(), new Tracker()];
        const first = new Talk(a).open();
        const second = new Talk(b, { isn: [isn, 0] }).open();
        for (const [from, length] of one) first.client('P.', { seq: 1001 + from, length });
        for (const [from, length] of other) second.client('P.', { seq: isn + 1 + from, length });
        expect(view(b).bytes).toEqual(view(a).bytes);
        expect(view(b).packets).toEqual(view(a).packets);
      }),
    );
  });
});

describe('out of order', () => {
  test('is what fills a hole within a round trip of what came before it', () => {
    const counts = (say: (talk: Talk) => void) => {
      const tracker = new Tracker();
      say(new Talk(tracker));
      const { outOfOrder, retransmits } = tracker.connection(0);
      return [outOfOrder[0], retransmits[0]];
    };
    // SYN at 0 ms, the third segment at 100 ms.
    const slow = (t: Talk) => t.client('S', { at: 0 }).server('S.', { at: 50 }).client('.', { at: 100 });
    const hole = (t: Talk, at: number) =>
      t.client('P.', { seq: 1101, length: 100, at: 200 }).client('P.', { seq: 1001, length: 100, at });
    expect(counts((t) => hole(slow(t), 299))).toEqual([1, 0]);
    expect(counts((t) => hole(slow(t), 300))).toEqual([0, 1]);
    // Without a handshake: 3 ms.
    expect(counts((t) => hole(t.client('.', { seq: 1000 }), 202))).toEqual([1, 0]);
    expect(counts((t) => hole(t.client('.', { seq: 1000 }), 203))).toEqual([0, 1]);
    // Counted from the last new byte, not from the hole filled before.
    const two = (t: Talk) =>
      t
        .client('P.', { seq: 1301, length: 100, at: 200 })
        .client('P.', { seq: 1001, length: 100, at: 299 })
        .client('P.', { seq: 1101, length: 100, at: 301 });
    expect(counts((t) => two(slow(t)))).toEqual([1, 1]);
  });
});

describe('a probe of a closed window', () => {
  test('is one new byte; behind what was sent it is a keepalive, as Linux sends it', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 1 }).server('.', { window: 0 });
    talk.client('P.', { length: 1 }).client('.', { seq: 1001 });
    talk.server('.', { window: 5 }).client('P.', { length: 1 });
    const { windowProbes, keepalives, zeroWindows } = tracker.connection(0);
    expect([windowProbes, keepalives, zeroWindows]).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
  });

  test('may come again and again, and the data follow from its number: nothing was sent twice', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().server('.', { window: 0 });
    for (let i = 0; i < 3; i++) talk.client('P.', { seq: 1001, length: 1 }).server('.', { window: 0 });
    talk.server('.', { window: 5 }).client('P.', { seq: 1001, length: 100 });
    const { windowProbes, keepalives, retransmits, bytes } = tracker.connection(0);
    expect([windowProbes[0], keepalives[0], retransmits[0], bytes[0]]).toEqual([3, 0, 0, 100]);
  });
});

describe('a fast retransmission', () => {
  test('follows two duplicate ACKs within 20 ms, however short the way', () => {
    const again = (duplicates: number, after: number) => {
      const tracker = new Tracker();
      const talk = new Talk(tracker).client('S', { at: 0 }).server('S.', { at: 50 }).client('.', { at: 100 });
      talk.client('P.', { length: 100, at: 200 }).client('P.', { seq: 1201, length: 100, at: 201 });
      for (let i = 0; i <= duplicates; i++) talk.server('.', { ack: 1101, at: 202 });
      talk.client('P.', { seq: 1101, length: 100, at: 202 + after });
      const { outOfOrder, retransmits } = tracker.connection(0);
      return [outOfOrder[0], retransmits[0]];
    };
    expect(again(2, 19)).toEqual([0, 1]);
    expect(again(1, 19)).toEqual([1, 0]);
    expect(again(2, 20)).toEqual([1, 0]);
  });
});

/** What the packets of one connection say by themselves. */
import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import { WireFacts } from '../../src/explain/facts/wire.ts';
import type { Case } from '../../src/model/case.ts';
import { Talk } from '../connect/talk.ts';

/** The facts of the one connection that was talked. */
function factsOf(say: (talk: Talk) => void): WireFacts {
  const tracker = new Tracker();
  say(new Talk(tracker));
  const [wire] = [...tracker.connections()];
  return new WireFacts(wire!, { client: wire!.client, server: wire!.server } as Case);
}

/** Some requests and answers, so that those that follow are no key packets. */
function chat(talk: Talk): Talk {
  talk.open();
  for (let i = 0; i < 5; i++) talk.client('P.', { length: 10 }).server('P.', { length: 20 });
  return talk;
}

describe('what a RST answers', () => {
  test('is the packet whose acknowledgment it carries, not the last one', () => {
    const { resets } = factsOf((talk) => {
      chat(talk).client('P.', { length: 7 });
      const asked = talk.next[1];
      talk.server('F.').client('.').server('R', { seq: asked });
    });
    expect(resets).toMatchObject([{ answered: 'seen', answers: { payload: 7 } }]);
  });

  test('is known to have passed when its number was acknowledged in a packet that was not kept', () => {
    const { resets } = factsOf((talk) => {
      chat(talk);
      const early = talk.next[1];
      for (let i = 0; i < 5; i++) talk.server('P.', { length: 20 }).client('.');
      talk.server('R', { seq: early });
    });
    expect(resets).toMatchObject([{ answered: 'passed', answers: null }]);
  });

  test('is nothing that it would answer more than 3 s later', () => {
    const answeredIn = (ms: number) => {
      const { resets } = factsOf((talk) =>
        chat(talk)
          .client('.')
          .server('R', { at: talk.now + ms }),
      );
      return resets.map((r) => r.answered);
    };
    expect([answeredIn(2900), answeredIn(3100)]).toEqual([['seen'], ['late']]);
  });

  test('is unknown when nothing has its number', () => {
    const { resets } = factsOf((talk) => chat(talk).server('R', { seq: 77 }));
    expect(resets).toMatchObject([{ answered: 'none', answers: null }]);
  });

  test('is nothing when a socket that had answered the SYN sends it', () => {
    const { resets } = factsOf((talk) => talk.open().server('R.'));
    expect(resets).toMatchObject([{ answered: 'none', refuses: null }]);
  });
});

describe('a FIN', () => {
  test('outside the window is none', () => {
    const { firstFin, wire } = factsOf((talk) => {
      const next = chat(talk).next[0];
      talk.client('F.', { seq: next + 900e6, ttl: 33 });
      talk.next[0] = next;
      talk.client('P.', { length: 10 }).server('F.').client('.').client('F.').server('.');
    });
    expect({ firstFin, fins: wire.fins, bytes: wire.bytes }).toEqual({
      firstFin: 1,
      fins: [1, 1],
      bytes: [60, 100],
    });
  });

  test('counts when the receiver acknowledged its very number: the capture lacks what came before it', () => {
    const { wire } = factsOf((talk) => {
      talk
        .open()
        .server('F.', { seq: talk.next[1] + 10e6 })
        .client('.');
    });
    expect(wire).toMatchObject({ fins: [0, 1], firstFin: 1 });
    expect(wire.finAckedTime[1]).not.toBeNull();
  });

  test('is second when it acknowledges the other, in whatever order they stand', () => {
    const say = (clientFirst: boolean) => (talk: Talk) => {
      chat(talk);
      const [a, b] = talk.next;
      const own = () => talk.client('F.', { seq: a, ack: b });
      const theirs = () => talk.server('F.', { seq: b, ack: a + 1 });
      if (clientFirst) own();
      theirs();
      if (!clientFirst) own();
      talk.client('.', { seq: a + 1, ack: b + 1 });
    };
    for (const order of [true, false]) {
      const { wire } = factsOf(say(order));
      expect(wire.firstFin).toBe(0);
      expect(wire.finAckedTime).not.toContain(null);
    }
  });

  test('of each side that acknowledges the other not: both are first', () => {
    const { firstFin } = factsOf((talk) => {
      const [a, b] = chat(talk).next;
      talk.client('F.', { seq: a, ack: b }).server('F.', { seq: b, ack: a });
    });
    expect(firstFin).toBe('both');
  });

  test('is none in a segment whose flags make no sense, and neither is a SYN', () => {
    for (const flags of ['SF', 'F', '', 'SR', 'SFRP.']) {
      const { wire } = factsOf((talk) => chat(talk).client(flags));
      expect({ flags, fins: wire.fins, syns: wire.syns, firstFin: wire.firstFin }).toEqual({
        flags,
        fins: [0, 0],
        syns: [1, 0],
        firstFin: null,
      });
    }
  });
});

describe('data after a FIN', () => {
  test('lie beyond what its side had acknowledged', () => {
    const facts = factsOf((talk) => chat(talk).client('F.').server('.').server('P.', { length: 30 }));
    expect(facts.dataAfterFin(0)).toMatchObject({ payload: 30 });
  });

  test('are none when they were acknowledged before and are sent again', () => {
    const facts = factsOf((talk) => {
      chat(talk).client('F.').server('.');
      talk.server('P.', { length: 20, seq: talk.next[1] - 20 }).client('.');
    });
    expect(facts.dataAfterFin(0)).toBeNull();
  });
});

describe('what was sent again without an answer', () => {
  test('is counted whole, from when it was sent first', () => {
    const facts = factsOf((talk) => {
      const seq = chat(talk).client('P.', { length: 200, at: 1000 }).next[0] - 200;
      for (let i = 0; i < 15; i++) talk.client('P.', { length: 200, seq, at: 1200 + 1000 * i });
    });
    const repeats = facts.unansweredRepeats(0)!;
    expect([repeats.count, repeats.since, repeats.last]).toEqual([15, 1e9, 15.2e9]);
    expect(repeats.packets.at(-1)!.time).toBe(repeats.last);
  });

  test('ends when the other side is heard', () => {
    const facts = factsOf((talk) => {
      const seq = chat(talk).client('P.', { length: 200, at: 1000 }).next[0] - 200;
      talk
        .client('P.', { length: 200, seq, at: 1200 })
        .client('P.', { length: 200, seq, at: 1600 })
        .server('.');
    });
    expect(facts.unansweredRepeats(0)).toBeNull();
  });

  test('took no timeout in less than the smallest RTO', () => {
    const facts = factsOf((talk) => {
      const seq = chat(talk).client('P.', { length: 200, at: 1000 }).next[0] - 200;
      for (let i = 0; i < 3; i++) talk.client('P.', { length: 200, seq, at: 1050 + 40 * i });
    });
    expect(facts.unansweredRepeats(0)).toBeNull();
  });
});

describe('what the file lacks', () => {
  test('of a side is what the other acknowledged and no packet holds', () => {
    const whole = factsOf((talk) => chat(talk).close());
    expect([whole.unseen(0), whole.unseen(1), whole.startsMidStream]).toEqual([0, 0, false]);
    const lacking = factsOf((talk) =>
      talk
        .open()
        .client('P.', { length: 10 })
        .client('.', { ack: 5001 + 83 }),
    );
    expect([lacking.unseen(0), lacking.unseen(1)]).toEqual([0, 83]);
    expect(lacking.sentNothing(1)).toBe(false);
    expect(lacking.sentOnlySynAcks(1)).toBe(false);
  });

  test('may be a whole direction', () => {
    const facts = factsOf((talk) => talk.client('S').client('.').client('P.', { length: 10 }));
    expect(facts.oneDirection).toBe(true);
    expect(factsOf((talk) => talk.client('S').client('S')).oneDirection).toBe(false);
  });

  test('may be the beginning', () => {
    const facts = factsOf((talk) => talk.client('P.', { length: 10 }).server('.'));
    expect([facts.startsMidStream, facts.unseen(0)]).toEqual([true, null]);
  });
});

test('a scan with senseless flags that is answered with a RST was no SYN that was refused', () => {
  const { resets } = factsOf((talk) => talk.client('SF').server('R.', { seq: 0, ack: 1002 }));
  expect(resets).toMatchObject([{ refuses: null }]);
});

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

  test('is unknown when nothing has its number', () => {
    const { resets } = factsOf((talk) => chat(talk).server('R', { seq: 77 }));
    expect(resets).toMatchObject([{ answered: 'none', answers: null, gap: null }]);
  });

  test('is nothing when a socket that had answered the SYN sends it', () => {
    const { resets } = factsOf((talk) => talk.open().server('R.'));
    expect(resets).toMatchObject([{ answered: 'none', refuses: null }]);
  });
});

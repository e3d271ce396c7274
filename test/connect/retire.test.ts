/** Connections that give up their slots while packets still come: nothing of them may change for it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { trackerOf, trackFile } from '../../src/connect/capture.ts';
import { Tracker, type TrackerOptions } from '../../src/connect/tracker.ts';
import { buffersOf } from '../../src/connect/tracker-state.ts';
import type { WireConnection } from '../../src/model/connection.ts';
import { HALF_OPEN, OPEN, ORDERLY, REFUSED, UNANSWERED } from '../../src/model/plain.ts';
import { trackCapture } from './capture.ts';
import { Talk } from './talk.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples');
const CAPTURES = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.pcap'))
  .sort();
const ONE = { ended: 1, begun: 1 };

/** Numbers from 0 to 1, the same every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 31;
  };
}

/** Everything that a view says. */
function all(tracker: Tracker): Record<string, unknown>[] {
  return [...tracker.connections()].map(fields);
}

function fields(w: WireConnection): Record<string, unknown> {
  const prototype = Object.getPrototypeOf(w) as object;
  const names = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(([, d]) => d.get);
  return Object.fromEntries(names.map(([name]) => [name, w[name as keyof WireConnection]]));
}

describe('connections packed away and brought back are the same as ever', () => {
  test.each(CAPTURES)('%s', (name) => {
    const file = path.join(SAMPLES, name);
    expect(all(trackCapture(file, { retire: ONE }).tracker)).toEqual(all(trackCapture(file).tracker));
  });

  test.each(CAPTURES)('%s, read by one thread and handed to another', async (name) => {
    const file = path.join(SAMPLES, name);
    const { source, tracker, encapsulations } = (await trackFile(file, false))!;
    const handed = structuredClone(tracker!, { transfer: buffersOf(tracker!) });
    expect(all(trackerOf(source!, false, encapsulations).adopt(handed))).toEqual(
      all(trackCapture(file).tracker),
    );
  });

  test('many at a time, with segments out of order, repeated and late, and tuples used again', () => {
    const plain = new Tracker();
    const packed = new Tracker({ retire: { ended: 3, begun: 3 } });
    for (const tracker of [plain, packed]) disorder(tracker);
    expect(plain.count).toBeGreaterThan(400);
    const handed = new Tracker({ retire: true }).adopt(structuredClone(packed.state()));
    expect(all(packed)).toEqual(all(plain));
    expect(all(handed)).toEqual(all(plain));
  });
});

/** Some hundred conversations whose steps are mixed; some packets come again long after. */
function disorder(tracker: Tracker): void {
  const next = random(7);
  const pick = (n: number) => Math.floor(next() * n);
  const talks = Array.from({ length: 400 }, (_, i) => {
    const address = i % 3 === 0 ? `2001:db8::${(i % 50).toString(16)}` : `10.0.${i % 7}.${i % 50}`;
    const peer = i % 3 === 0 ? '2001:db8::ffff' : '10.9.9.9';
    const talk = new Talk(tracker, {
      client: { address, port: 1000 + (i % 150) },
      server: { address: peer, port: 80 },
      isn: [pick(2 ** 31), -pick(2 ** 31)],
    });
    return { talk, step: 0, ending: pick(6) };
  });
  let now = 0;
  let frame = 0;
  for (let n = 0; n < 12_000; n++) {
    const t = talks[pick(talks.length)]!;
    t.talk.frame = frame++;
    t.talk.now = now++;
    if (t.step > 0 && pick(12) === 0) t.talk.again();
    else advance(t, pick);
  }
}

const STEPS: ((t: Talk, ending: number, pick: (n: number) => number) => unknown)[] = [
  (t, _, pick) => t.client('S', { scale: pick(9) }),
  (t, ending, pick) => {
    if (ending === 0) t.server('R.', { seq: 0, window: 0 });
    else if (ending > 1) t.server('S.', { scale: pick(9) });
  },
  (t, ending) => ending > 2 && t.client('.'),
  (t, ending, pick) => ending > 2 && t.client('P.', { length: 1 + pick(1000), snapped: pick(2) }),
  (t, ending, pick) => ending > 2 && t.server('P.', { length: 1 + pick(1400), window: pick(3) }),
  (t, ending) => ending > 2 && t.client(ending === 3 ? 'R.' : 'F.'),
  (t, ending) => ending > 3 && t.server('F.'),
  (t, ending) => ending > 3 && t.client('.'),
];
/** Steps after which the tuple may be used again. */
const LIFE = 30;

function advance(t: { talk: Talk; step: number; ending: number }, pick: (n: number) => number): void {
  STEPS[t.step]?.(t.talk, t.ending, pick);
  t.step++;
  if (t.step === LIFE && pick(3) === 0) {
    t.talk.next = [pick(2 ** 31), pick(2 ** 31)];
    t.step = 0;
  }
}

describe('plain connections are told from the record', () => {
  const kinds = (talk: (t: Talk) => void, options: TrackerOptions = {}) => {
    const tracker = new Tracker(options);
    talk(new Talk(tracker));
    return Array.from(tracker.divided(() => 0).plain.each(), (c) => c.kind);
  };

  test.each<[string, (t: Talk) => void, number[]]>([
    ['closed in good order', (t) => t.open().close(), [ORDERLY]],
    ['with data', (t) => t.open().client('P.', { length: 5 }).server('.').close(), [ORDERLY]],
    ['a SYN, answered', (t) => t.client('S').server('S.'), [HALF_OPEN]],
    ['a SYN, without an answer', (t) => t.client('S'), [UNANSWERED]],
    ['a SYN, sent again', (t) => t.client('S').client('S', { seq: t.next[0] - 1, at: 900 }), []],
    ['a SYN, refused', (t) => t.client('S').server('R.', { seq: 0, window: 0 }), [REFUSED]],
    ['a RST after the close', (t) => t.open().close().client('R'), []],
    ['a RST of another shape', (t) => t.client('S').server('R.', { seq: 0, window: 7 }), []],
    ['still open', (t) => t.open(), [OPEN]],
    ['one FIN', (t) => t.open().client('F.').server('.'), []],
    ['a half-close', (t) => t.open().client('F.').server('.').server('F.', { at: 900 }).client('.'), []],
    ['data in the SYN', (t) => t.client('S', { length: 9 }), []],
    ['without its SYN', (t) => t.server('S.'), []],
    [
      'used again',
      (t) => {
        t.open().close();
        t.next = [900_000, 800_000];
        t.open().close();
      },
      [],
    ],
  ])('%s', (_, talk, expected) => {
    expect(kinds(talk)).toEqual(expected);
    expect(kinds(talk, { retire: ONE })).toEqual(expected);
  });

  test('those shown and those left, in the order of first sight', () => {
    const tracker = new Tracker({ retire: ONE });
    for (let i = 0; i < 40; i++) {
      const talk = new Talk(tracker, { client: { address: '10.0.0.1', port: i === 7 ? 0 : 1000 + i } });
      talk.frame = i * 10;
      if (i % 4 === 0) talk.open().client('R.');
      else if (i % 4 === 1) talk.open().close();
      else talk.client('S');
    }
    const { views, plain } = tracker.divided(() => 3);
    const left = Array.from(plain.each(), (c) => c.number);
    expect(left).toHaveLength(plain.count);
    expect([...views.map((v) => v.number), ...left].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 39 }, (_, i) => i + 1),
    );
    expect(views.map((v) => v.wire.client.port)).toEqual([
      1000, 1001, 1002, 1004, 1008, 1012, 1016, 1017, 1018, 1020, 1024, 1028, 1031, 1032, 1033, 1036,
    ]);
    // again, as often as it is asked
    expect(Array.from(plain.each(), (c) => c.number)).toEqual(left);
  });

  test('a record is read as a view reads it', () => {
    for (const name of CAPTURES) {
      const { tracker } = trackCapture(path.join(SAMPLES, name), { retire: ONE });
      for (const c of tracker.divided(() => 0).plain.each()) {
        const w = c.view();
        expect([c.clientAddress, c.clientPort]).toEqual([w.client.address, w.client.port]);
        expect([c.serverAddress, c.serverPort]).toEqual([w.server.address, w.server.port]);
        expect([c.start, c.end, c.startFrame]).toEqual([w.start, w.end, w.startFrame]);
        expect([c.packets, c.bytes, c.syns]).toEqual([w.packets, w.bytes, w.syns]);
        expect([c.synAcks, c.retransmits]).toEqual([w.synAcks, w.retransmits]);
        expect([c.connState, c.history, c.completeness]).toEqual([w.connState, w.history, w.completeness]);
        if (c.kind === ORDERLY) expect([c.finTime, c.finAckedTime]).toEqual([w.finTime, w.finAckedTime]);
      }
    }
  });
});

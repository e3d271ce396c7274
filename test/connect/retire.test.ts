/** Connections that give up their slots while packets still come: nothing of them may change for it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { trackerOf, trackFile } from '../../src/connect/capture.ts';
import { Tracker } from '../../src/connect/tracker.ts';
import { buffersOf } from '../../src/connect/tracker-state.ts';
import type { WireConnection } from '../../src/model/connection.ts';
import { some } from '../thorough.ts';
import { trackCapture } from './capture.ts';
import { Talk } from './talk.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples');
const CAPTURES = some(
  readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pcap'))
    .sort(),
  60,
);
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

  test('a segment that is kept for no reason of its own ends no list', () => {
    const [plain, packed] = [new Tracker(), new Tracker({ retire: ONE })];
    for (const tracker of [plain, packed]) {
      const talk = new Talk(tracker).client('S').server('S.').client('.');
      talk.client('SF', { seq: 1001 }).client('F.').server('F.').client('.');
      for (const port of [1, 2]) {
        const next = new Talk(tracker, { client: { address: '10.0.0.3', port } });
        next.frame = 100 * port;
        next.client('S').server('S.').client('.').client('F.').server('F.').client('.');
      }
    }
    expect(all(packed)).toEqual(all(plain));
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

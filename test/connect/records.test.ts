/** Connections of a capture that was read to its end: what their records alone say, and views that stay valid. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Tracker, type TrackerOptions } from '../../src/connect/tracker.ts';
import { addressKey, parseWords } from '../../src/model/address.ts';
import { finWait2Wire } from '../../src/model/connection.ts';
import { type Brief, HALF_OPEN, OPEN, ORDERLY, REFUSED, UNANSWERED } from '../../src/model/outcome.ts';
import { STACKS } from '../../src/model/stack.ts';
import { trackCapture } from './capture.ts';
import { Talk } from './talk.ts';

const SAMPLES = path.resolve(import.meta.dirname, '../../samples');
const CAPTURES = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.pcap'))
  .sort();
const ONE = { ended: 1, begun: 1 };

describe('what became of a connection is told from its record', () => {
  const outcomes = (talk: (t: Talk) => void, options: TrackerOptions = {}) => {
    const tracker = new Tracker(options);
    talk(new Talk(tracker));
    const records = tracker.records();
    return Array.from({ length: records.count }, (_, n) => records.outcome(n)).filter((o) => o !== 0);
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
    expect(outcomes(talk)).toEqual(expected);
    expect(outcomes(talk, { retire: ONE })).toEqual(expected);
  });
});

describe('records', () => {
  test('are read as views read them, packed away or not', () => {
    for (const name of CAPTURES) {
      const { tracker } = trackCapture(path.join(SAMPLES, name), { retire: ONE });
      const records = tracker.records();
      for (let n = 0; n < records.count; n++) {
        const w = records.view(n);
        const brief = { keys: [0, 0], stacks: [0, 0], payload: [false, false] } as unknown as Brief;
        records.brief(n, brief);
        const keys = [w.client, w.server].map((e) => addressKey(...parseWords(e.address)!));
        expect(brief.keys).toEqual(keys);
        expect([records.ports(n), records.server(n)]).toEqual([
          [w.client.port, w.server.port],
          [keys[1], w.server.port],
        ]);
        expect([brief.start, brief.stacks.map((s) => STACKS[s])]).toEqual([w.start, w.stack]);
        expect(brief.finWait2).toBe(finWait2Wire(w) ?? Number.NaN);
        expect(w.start >= records.span[0] && w.end <= records.span[1]).toBe(true);
        if (records.outcome(n) !== ORDERLY) continue;
        expect(brief.firstFin).toBe(w.firstFin);
        // of these all that was acknowledged is in the files
        expect(brief.payload).toEqual(w.bytes.map((sent) => sent > 0));
      }
    }
  });

  test('a view stays valid however many others are looked at', () => {
    const tracker = new Tracker({ retire: ONE });
    for (let i = 0; i < 500; i++) {
      const talk = new Talk(tracker, { client: { address: '10.0.0.1', port: 1000 + i } });
      talk.frame = i * 10;
      talk
        .open()
        .client('P.', { length: 1 + i })
        .server('.')
        .close();
    }
    const records = tracker.records();
    const views = Array.from({ length: records.count }, (_, n) => records.view(n));
    expect(views.map((w) => w.client.port)).toEqual(Array.from({ length: 500 }, (_, i) => 1000 + i));
    expect(views.map((w) => w.bytes[0])).toEqual(Array.from({ length: 500 }, (_, i) => 1 + i));
    expect(views[7]!.keyPackets.length).toBe(views[499]!.keyPackets.length);
  });
});

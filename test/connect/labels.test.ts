/** Labels of conversations written down here: the cases of the tables of Zeek's and Wireshark's documentation. */
import { describe, expect, test } from 'vitest';
import { completenessBits } from '../../src/connect/labels/completeness.ts';
import { Tracker } from '../../src/connect/tracker.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/model/tcp.ts';
import { Talk } from './talk.ts';

const CASES: [string, (talk: Talk) => void, string, string][] = [
  ['attempt without reply', (t) => t.client('S'), 'S0', 'S'],
  ['replies were not captured', (t) => t.client('S').client('.').client('P.', { length: 4 }), 'S0', 'SAD'],
  ['established', (t) => t.open(), 'S1', 'ShA'],
  ['normal end', (t) => t.open().close(), 'SF', 'ShAFaf'],
  ['rejected', (t) => t.client('S').server('R.', { seq: 0 }), 'REJ', 'Sr'],
  ['both reset, nothing sent', (t) => t.open().client('R').server('R'), 'REJ', 'ShARr'],
  ['originator closed', (t) => t.open().client('F.').server('.'), 'S2', 'ShAFa'],
  ['responder closed', (t) => t.open().server('F.').client('.'), 'S3', 'ShAf'],
  ['originator reset', (t) => t.open().client('P.', { length: 1 }).client('R.'), 'RSTO', 'ShADR'],
  ['responder reset', (t) => t.open().client('P.', { length: 1 }).server('R'), 'RSTR', 'ShADr'],
  ['SYN then RST', (t) => t.client('S').client('R'), 'RSTOS0', 'SR'],
  ['SYN, data, RST', (t) => t.client('S').client('P.', { length: 1 }).client('R'), 'RSTOS0', 'SDR'],
  ['SYN, ACK, RST', (t) => t.client('S').client('.').client('R'), 'OTH', 'SAR'],
  ['SYN-ACK then RST of the responder', (t) => t.server('S.', { ack: 1 }).server('R'), 'RSTRH', '^hr'],
  ['SYN then FIN', (t) => t.client('S').client('F.'), 'SH', 'SF'],
  ['SYN-ACK then FIN of the responder', (t) => t.server('S.', { ack: 1 }).server('F.'), 'SHR', '^hf'],
  ['midstream', (t) => t.client('P.', { length: 9 }).server('.'), 'OTH', 'Da'],
  ['FIN, RST, then the peer’s FIN', (t) => t.open().client('F.').client('R').server('F.'), 'SF', 'ShAFRf'],
  ['RST after both FINs', (t) => t.open().close().server('R'), 'SF', 'ShAFafr'],
  ['FIN with RST', (t) => t.open().client('FR.'), 'RSTO', 'ShAI'],
  ['SYN with FIN', (t) => t.client('SF'), 'SH', 'Q'],
  ['zero window', (t) => t.open().server('.', { window: 0 }), 'S1', 'ShAaw'],
  ['content gap', (t) => t.open().server('.', { ack: 1101 }), 'S1', 'ShAaG'],
  [
    'repeated FIN, and one with another number',
    (t) => t.open().client('F.').client('F.', { seq: 1001 }).client('F.', { seq: 1005 }),
    'S2',
    'ShAFF',
  ],
];

describe('Zeek', () => {
  for (const [name, say, state, history] of CASES) {
    test(name, () => {
      const tracker = new Tracker();
      say(new Talk(tracker));
      const w = tracker.connection(0);
      expect([w.connState, w.history]).toEqual([state, history]);
    });
  }

  test('the tenth and hundredth retransmission give a letter, and so does the first', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 10 });
    for (let i = 0; i < 99; i++) talk.client('P.', { seq: 1001, length: 10 });
    expect(tracker.connection(0).history).toBe('ShADTT');
    talk.client('P.', { seq: 1001, length: 10 });
    expect(tracker.connection(0).history).toBe('ShADTTT');
  });

  test('a history has 24 letters, and says when it had more', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    for (let i = 0; i < 21; i++) talk.client('R', { seq: i * 100 });
    expect(tracker.connection(0).history).toBe(`ShA${'R'.repeat(21)}`);
    talk.client('R', { seq: 77 });
    expect(tracker.connection(0).history).toBe(`ShA${'R'.repeat(21)}+`);
  });

  test('bad checksums are left out only when that is asked for', () => {
    const bad = { checksum: 2, length: 10 };
    const plain = new Tracker();
    new Talk(plain).open().client('P.', bad);
    expect(plain.connection(0).history).toBe('ShAD');
    const strict = new Tracker({ ignoreBadChecksums: true });
    new Talk(strict).open().client('P.', bad).client('P.', { seq: 1001, length: 10, checksum: 1 });
    const w = strict.connection(0);
    expect([w.history, w.bytes, w.packets]).toEqual(['ShACD', [10, 0], [3, 1]]);
  });

  test('payload that the capture does not hold is a gap once it is acknowledged', () => {
    const history = (say: (talk: Talk) => void) => {
      const tracker = new Tracker();
      say(new Talk(tracker).open());
      return tracker.connection(0);
    };
    const cut = { length: 10, snapped: 1 };
    expect(history((t) => t.client('P.', cut).server('.')).history).toBe('ShADaG');
    expect(history((t) => t.client('P.', { length: 10 }).server('.')).history).toBe('ShADa');
    // One acknowledgment of two segments shows one gap, two show two; the letter comes with the first and the tenth.
    const once = history((t) => t.client('P.', cut).client('P.', cut).server('.'));
    expect(once.history).toBe('ShADaG');
    const often = history((t) => {
      for (let i = 0; i < 10; i++) t.client('P.', cut).server('.');
    });
    expect(often.history).toBe('ShADaGG');
    // Sent again after it was acknowledged, it is missing no more; what is counted of it does not change.
    const again = history((t) =>
      t
        .client('P.', cut)
        .server('.')
        .client('P.', { ...cut, seq: 1001 })
        .server('.'),
    );
    expect([again.history, again.bytes, again.retransmits]).toEqual(['ShADaGT', [10, 0], [1, 0]]);
    const late = history((t) => t.client('P.', cut).client('P.', cut).server('.', { ack: 1011 }).server('.'));
    expect(late.history).toBe('ShADaG');
  });

  test('the likely server port is the responder’s; of two, the lower', () => {
    const history = (client: number, server: number) => {
      const tracker = new Tracker({ zeekTimers: true });
      const end = (port: number) => ({ address: '10.0.0.1', port });
      new Talk(tracker, { client: end(client), server: end(server) }).client('P.', { length: 1 });
      return tracker.connection(0).history;
    };
    expect([history(50000, 60000), history(50000, 80), history(80, 50000)]).toEqual(['D', 'D', '^d']);
    expect([history(80, 443), history(443, 80)]).toEqual(['^d', 'D']);
  });

  test('of a connection whose client is known to be the other side, and of one named the other way round', () => {
    const tracker = new Tracker();
    const ends = { client: { address: '10.0.0.1', port: 80 }, server: { address: '10.0.0.2', port: 50_000 } };
    new Talk(tracker, ends).server('.').client('P.', { length: 1 }).client('F.');
    const wire = tracker.connection(0);
    expect([wire.client.port, wire.history, wire.connState]).toEqual([50_000, 'Adf', 'SHR']);
    expect([wire.flipped().client.port, wire.flipped().history]).toEqual([80, 'aDF']);
    expect(wire.flipped().connState).toBe('SH');
  });
});

describe('Wireshark', () => {
  test('completeness of a segment', () => {
    expect(completenessBits(SYN, 0)).toBe(1);
    expect(completenessBits(SYN | ACK, 0)).toBe(2);
    expect(completenessBits(ACK, 0)).toBe(4);
    expect(completenessBits(ACK | PSH, 10)).toBe(8);
    expect(completenessBits(FIN | ACK, 0)).toBe(20);
    expect(completenessBits(FIN, 0)).toBe(0);
    expect(completenessBits(RST, 0)).toBe(32);
    expect(completenessBits(RST | ACK, 0)).toBe(36);
  });
});

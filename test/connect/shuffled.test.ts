/** Logs whose lines per-CPU buffers shuffled: the same lives come out of them as of the log in order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { socketLives } from '../../src/connect/lives.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import { only, read, sample } from '../read/lines/harness.ts';

const WINDOW = 100;
const LOGS = ['tcpstates.csv', 'tcpstates.txt', 'tcpstates-T.txt', 'tcpstates-w.txt'];

/** Every life as text, without the places of its lines. */
function livesOf(lines: readonly string[]): string[] {
  const out = read(lines.join('\n'));
  const lives = socketLives(out.sources[0]!, only(out, 'state'), new Diagnostics());
  return lives
    .map((l) => {
      const steps = l.transitions.map((t) => `${t.from} -> ${t.to} ${t.duration} ${t.sinceBirth}`).join(', ');
      const ends = `${l.local.address}:${l.local.port} ${l.remote.address}:${l.remote.port}`;
      return `${l.socket} ${l.role} ${ends} ${l.owner?.pid}: ${steps}, missing ${JSON.stringify(l.missing)}`;
    })
    .sort();
}

/** The lines of each window in the order of random keys; the header stays where it is. */
function shuffled([header, ...lines]: readonly string[], window: number, keys: readonly number[]): string[] {
  const rows = lines.map((line, i) => ({
    line,
    window: Math.floor(i / window),
    key: keys[i % keys.length]! + i / 1e6,
  }));
  rows.sort((a, b) => a.window - b.window || a.key - b.key);
  return [header!, ...rows.map((r) => r.line)];
}

describe.each(LOGS)('a real log, %s', (name) => {
  const log = sample(`live/pcap-and-tcpstates/${name}`).toString().trimEnd().split('\n');
  const expected = livesOf(log);

  it('has lives of which none lacks a line', () => {
    expect(expected.length).toBeGreaterThan(50);
    expect(expected.filter((l) => !l.endsWith('missing []'))).toEqual([]);
  });

  it(`shuffled within windows of up to ${WINDOW} lines gives the same lives`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: WINDOW }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: WINDOW, maxLength: 2 * WINDOW }),
        (window, keys) => {
          expect(livesOf(shuffled(log, window, keys))).toEqual(expected);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('with a line missing names one gap or none, and loses nothing else, shuffled or not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: log.length - 1 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: WINDOW, maxLength: WINDOW }),
        (lost, keys) => {
          const rest = log.filter((_, i) => i !== lost);
          const lives = livesOf(shuffled(rest, 10, keys));
          const same = lives.filter((l) => expected.includes(l));
          // the life that lost a line, and the next one at its address
          expect(same.length).toBeGreaterThanOrEqual(expected.length - 2);
        },
      ),
      { numRuns: 15 },
    );
  });
});

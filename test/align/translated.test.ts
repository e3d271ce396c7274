/** One connection under two pairs of addresses in one capture: both sides of a NAT. */
import { describe, expect, test } from 'vitest';
import { keyOf, translated } from '../../src/align/translated.ts';
import { Tracker } from '../../src/connect/tracker.ts';
import { Talk } from '../connect/talk.ts';

const ISN: [number, number] = [77_000_001, -5_000_017];

/** Two conversations of one capture, the second so many milliseconds after the first. */
function joined(apart: number, isn: [number, number], ipId = 7, address = '192.0.2.7') {
  const tracker = new Tracker();
  const inside = new Talk(tracker, { isn: ISN });
  const outside = new Talk(tracker, { isn, client: { address, port: 61_000 } });
  inside.client('S', { at: 0, ipId: 7 });
  outside.client('S', { at: apart, ipId });
  outside.server('S.');
  inside.server('S.').client('.');
  const wires = [...tracker.connections()];
  const found = translated(wires);
  return wires.map((w) => found.get(w) === keyOf(wires[0]!));
}

describe('with the numbers of both sides', () => {
  test('alike it is one connection, that of the addresses seen first', () => {
    expect(joined(0.05, ISN)).toEqual([false, true]);
  });

  test('alike by chance, or by a program, it is two that do not begin together', () => {
    expect(joined(10_000, ISN)).toEqual([false, false]);
  });

  test('of packets that a program made it is two: another identification, or the same addresses', () => {
    expect(joined(0.05, ISN, 8)).toEqual([false, false]);
    expect(joined(0.05, ISN, 7, '10.0.0.1')).toEqual([false, false]);
  });

  test('of which one differs it is two', () => {
    expect(joined(0.05, [ISN[0], 4])).toEqual([false, false]);
  });
});

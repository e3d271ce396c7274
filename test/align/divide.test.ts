/** One 4-tuple divided into its connections: a table has one time, though it is listed for a while. */
import { expect, test } from 'vitest';
import { connectionsOf } from '../../src/align/divide.ts';
import type { Piece, Pieces } from '../../src/align/pieces.ts';

const S = 1e9;
const pieces = { timeline: { comparable: () => true } } as unknown as Pieces;
const piece = (kind: Piece['kind'], value: object, from: number, to: number): Piece =>
  ({ kind, value, from, to, track: kind, order: [0, 1], opening: null, netns: null }) as unknown as Piece;
const row = (state: string) => piece('point', { kind: 'socket', state }, 0, 0);
const captured = (from: number) => piece('wire', { orientation: 'syn' }, from, from + S);

test.each([
  ['SYN_RECV', 3 * S, 1],
  ['SYN_SENT', 3 * S, 1],
  ['SYN_RECV', 6 * S, 2],
  ['TIME_WAIT', 3 * S, 2],
])('a row in %s, and a SYN %d ns later: %d', (state, later, connections) => {
  expect(connectionsOf([row(state), captured(later)], pieces)).toHaveLength(connections);
});

import { describe, expect, it } from 'vitest';
import { matchByTuple } from '../../src/align/match.ts';
import type { SocketLife } from '../../src/model/connection.ts';
import type { Source } from '../../src/model/source.ts';
import type { ClockKind } from '../../src/model/time.ts';

const COUNT = 50_000;

/** Both ends of a connection in logs of two hosts. */
function ends(port: number, address: string, count = 1): SocketLife[] {
  const [client, server] = [
    { address, port },
    { address: '10.0.0.9', port: 80 },
  ];
  const life = (source: number, local: typeof client, remote: typeof client) =>
    ({ source, local, remote, role: 'client', transitions: [], missing: [] }) as unknown as SocketLife;
  return Array.from({ length: count }, () => [life(0, client, server), life(1, server, client)]).flat();
}

const sources = (kind: ClockKind) =>
  [0, 1].map((id) => ({ id, clock: { kind, base: 0n, resolution: 1 } }) as unknown as Source);

const evenly = Array.from({ length: COUNT }, (_, i) => ends(1024 + (i % 60_000), '10.0.0.1')).flat();

describe('matchByTuple', () => {
  it('takes a share of very many connections, both ends of each', () => {
    const matches = matchByTuple({ sources: sources('relative'), wires: [], lives: evenly });
    expect(matches.length).toBeGreaterThan(5_000);
    expect(matches.length).toBeLessThan(COUNT / 2);
    expect(matches.every((m) => m.lives.length === 2)).toBe(true);
    const ports = matches.map((m) => m.lives.find((l) => l.local.port !== 80)!.local.port);
    expect([Math.min(...ports), Math.max(...ports)].map((p) => Math.round(p / 1000))).toEqual([1, 51]);
  });

  it('takes all of them where a log prints no times', () => {
    expect(matchByTuple({ sources: sources('order'), wires: [], lives: evenly })).toHaveLength(COUNT);
  });

  it('takes all of them where port numbers make no fair share', () => {
    const lives = Array.from({ length: COUNT }, (_, i) => ends(40_001, `10.1.${i >> 8}.${i & 255}`)).flat();
    expect(matchByTuple({ sources: sources('relative'), wires: [], lives })).toHaveLength(COUNT);
  });

  it('a tuple used more often by one end than by the other is no match', () => {
    const lives = [...ends(1, '10.0.0.1', 2), ends(1, '10.0.0.1')[0]!, ...ends(2, '10.0.0.1', 3)];
    expect(matchByTuple({ sources: sources('relative'), wires: [], lives })).toHaveLength(3);
  });
});

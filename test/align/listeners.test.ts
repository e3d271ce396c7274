/** Which listening socket an endpoint belongs to. */
import { describe, expect, it } from 'vitest';
import { findListener, listenersAt } from '../../src/align/orient.ts';
import type { Host, Listener } from '../../src/model/case.ts';

const host = (address: string) => ({ name: address, addresses: new Set([address]) }) as unknown as Host;
const [one, two] = [host('10.0.0.1'), host('10.0.0.2')];
const listener = (address: string, port: number, of: Host | null): Listener => ({
  host: of,
  local: { address, port },
  lives: [],
  rows: [],
  probes: [],
});

describe('the listener of an endpoint', () => {
  const any = listener('0.0.0.0', 80, one);
  const v6 = listener('::', 443, two);
  const own = listener('10.0.0.1', 80, one);
  const unknown = listener('0.0.0.0', 22, null);
  const all = [any, v6, own, unknown];

  it('is the one on its address before that on the wildcard, as in the kernel', () => {
    expect(findListener({ address: '10.0.0.1', port: 80 }, all, undefined)).toBe(own);
    expect(listenersAt({ address: '10.0.0.1', port: 80 }, all)).toEqual([own, any]);
  });

  it('listens on the wildcard only where its host has the address, or is unknown', () => {
    expect(findListener({ address: '10.0.0.2', port: 443 }, all, undefined)).toBe(v6);
    expect(findListener({ address: '10.0.0.2', port: 80 }, all, undefined)).toBeNull();
    expect(findListener({ address: '10.0.0.9', port: 80 }, all, one)).toBe(any);
    expect(findListener({ address: '10.0.0.9', port: 22 }, all, undefined)).toBe(unknown);
  });

  it('has the port', () => {
    expect(findListener({ address: '10.0.0.1', port: 8080 }, all, one)).toBeNull();
  });
});

/**
 * Segments that came from an address which their receiver does not talk to, and its connections from the same port to
 * other addresses: what a NAT that translates one way only makes of a connection.
 */
import { addressKey, type Endpoint, formatEndpoint, parseWords } from '../../model/address.ts';
import type { KeyPacket, SideIndex } from '../../model/connection.ts';
import { RST } from '../../model/tcp.ts';
import { memoised } from '../memo.ts';
import type { Facts } from './facts.ts';
import type { WireFacts } from './wire.ts';
import type { World } from './world.ts';

/** A segment of nobody the receiver has called, as it seems: no SYN before it, and nothing but RSTs against it. */
export interface Stray {
  wire: WireFacts;
  /** Who received it. */
  side: SideIndex;
  end: Endpoint;
  packet: KeyPacket;
}

/** null for any connection that is more than that. */
export function strayOf(f: Facts): Stray | null {
  const { wire } = f;
  if (!wire || f.wires.length > 1 || wire.wire.syns[0] + wire.wire.syns[1] > 0) return null;
  for (const side of [0, 1] as const) {
    const [own, resets] = [wire.of(wire.wire.packets, side), wire.of(wire.wire.rsts, side)];
    const isSynAck = wire.of(wire.wire.synAcks, (1 - side) as SideIndex) > 0;
    if (own !== resets || (own === 0 && !isSynAck)) continue;
    const packet = wire.packets.find((p) => wire.sideOf(p) !== side && !(p.flags & RST));
    if (packet) return { wire, side, end: f.endpoint(side), packet };
  }
  return null;
}

interface Index {
  strays: Map<string, number[]>;
  /** Connections of clients that strays reached. */
  others: Map<string, number[]>;
}

const indexOf = memoised((world: World): Index => {
  const { cases } = world.context;
  const index: Index = { strays: new Map(), others: new Map() };
  const keys = new Set<number>();
  for (let n = 0; n < cases.count; n++) {
    const stray = cases.outcome(n) === 0 ? strayOf(world.facts(n)) : null;
    if (!stray) continue;
    add(index.strays, stray.end, n);
    keys.add(addressKey(...parseWords(stray.end.address)!));
  }
  for (let n = 0; n < cases.count && keys.size > 0; n++) {
    if (cases.outcome(n) !== 0 && !keys.has(cases.brief(n).keys[0])) continue;
    const { client } = cases.at(n);
    if (index.strays.has(formatEndpoint(client))) add(index.others, client, n);
  }
  return index;
});

function add(map: Map<string, number[]>, end: Endpoint, n: number): void {
  const known = map.get(formatEndpoint(end));
  if (known) known.push(n);
  else map.set(formatEndpoint(end), [n]);
}

/** Strays that reached the client of a connection at its port, but for itself. */
export function straysTo(f: Facts): Facts[] {
  return found(f, indexOf(f.world).strays, f.case.client);
}

/** Connections of the client at whose port a stray arrived. */
export function connectionsAt(f: Facts, end: Endpoint): Facts[] {
  return found(f, indexOf(f.world).others, end);
}

function found(f: Facts, map: ReadonlyMap<string, number[]>, end: Endpoint): Facts[] {
  return (map.get(formatEndpoint(end)) ?? []).filter((n) => n !== f.n).map((n) => f.world.facts(n));
}

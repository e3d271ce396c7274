/** Whether a packet came from the host whose address it bears, by its TTL. */
import type { KeyPacket, SideIndex } from '../../model/connection.ts';
import { RST } from '../../model/tcp.ts';
import type { WireFacts } from '../facts/wire.ts';

/** TTL with which systems send (Linux and BSD, Windows, network devices). */
export const INITIAL_TTLS = [64, 128, 255];

/** Another way, of a hop or two more or fewer, is nothing strange. */
const REROUTED = 2;
/** Packets that show what is usual. */
const ENOUGH = 2;

/** TTL of all packets of a side but one, and RSTs that are like it; null when they differ, are too few or have none. */
export function usualTtl(wire: WireFacts, side: SideIndex, but: KeyPacket): number | null {
  const isLike = (p: KeyPacket) => p === but || (p.flags & but.flags & RST && p.ttl === but.ttl);
  const all = wire.packets.filter((p) => wire.sideOf(p) === side && !isLike(p) && p.ttl > 0);
  const [first] = all;
  return first && all.length >= ENOUGH && all.every((p) => p.ttl === first.ttl) ? first.ttl : null;
}

/**
 * It went another number of hops than all else from there. A socket may send with a TTL of its own (IP_TTL, as BGP does) and
 * the kernel answers for it with the default: the hops are the same then.
 */
export function isForeignTtl(usual: number | null, ttl: number): boolean {
  return (
    usual !== null &&
    ttl > 0 &&
    Math.abs(usual - ttl) > REROUTED &&
    Math.abs(hops(usual) - hops(ttl)) > REROUTED
  );
}

function hops(ttl: number): number {
  return INITIAL_TTLS.find((initial) => initial >= ttl)! - ttl;
}

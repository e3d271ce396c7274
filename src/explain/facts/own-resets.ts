/** Resets that an end sent of its own and not in answer to a packet: found in one pass, for all servers and hosts. */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { REFUSED } from '../../model/outcome.ts';
import type { SourceTime } from '../../model/time.ts';
import { ODD_STATES, RESET } from '../mask.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import type { WireFacts } from './wire.ts';
import type { World } from './world.ts';

/** A RST of the server, which had never sent a byte. Holds no packets: there can be very many. */
export interface ServerReset {
  facts: Facts;
  moment: Moment;
  /** Times of the RST and of the connection's first packet, of the capture's clock. */
  time: SourceTime;
  began: SourceTime;
  /** The client had sent payload. */
  received: boolean;
}

export interface OwnResets {
  /** Connections that an end with this address reset. */
  byAddress: ReadonlyMap<string, number>;
  /** Those of each server (its number) on which it had never sent a byte, in order of time within each capture. */
  byServer: ReadonlyMap<number, readonly ServerReset[]>;
}

export function findOwnResets(world: World): OwnResets {
  const { cases } = world.context;
  const byAddress = new Map<string, number>();
  const byServer = new Map<number, ServerReset[]>();
  for (const facts of world.showing(RESET | ODD_STATES)) {
    // each in answer to a SYN
    if (cases.outcome(facts.n) === REFUSED) continue;
    const { wire } = facts;
    const reset = wire?.decisiveReset;
    const own = facts.lives.find((l) => l.abort && l.byOwner(l.abort));
    const side = reset ? (reset.shape === 'passive' ? undefined : reset.side) : own?.side;
    if (side === undefined) continue;
    const { address } = facts.endpoint(side);
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    if (!wire || !reset || side !== SERVER || reset.shape === 'foreign' || !neverAnswered(wire, reset.packet))
      continue;
    getOr(byServer, cases.server(facts.n), () => []).push({
      facts,
      moment: facts.atPacket(wire, reset.packet),
      time: reset.packet.time,
      began: wire.packets[0]!.time,
      received: wire.of(wire.wire.bytes, CLIENT) > 0,
    });
  }
  for (const resets of byServer.values())
    resets.sort((a, b) => a.moment.source - b.moment.source || a.time - b.time);
  return { byAddress, byServer };
}

/** The server sent no payload on this connection, and no FIN. Only a capture with both SYNs knows. */
function neverAnswered(wire: WireFacts, reset: KeyPacket): boolean {
  return wire.sawHandshake && wire.sentNothing(SERVER, reset) && wire.of(wire.wire.fins, SERVER) === 0;
}

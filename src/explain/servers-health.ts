/** What became of the connections to each server. */
import type { Case } from '../model/case.ts';
import { CLIENT, SERVER, type WireConnection } from '../model/connection.ts';
import type { ProbedEvent } from '../model/event.ts';
import { getOr } from '../model/get-or.ts';
import type { ServerHealth } from '../model/incident.ts';
import { UNANSWERED } from '../model/outcome.ts';
import { ACK, isSenseless, RST } from '../model/tcp.ts';
import type { World } from './facts/world.ts';
import { CALLS, PACKETS, ROWS, STATES, SYN_TROUBLE } from './mask.ts';
import type { Explained } from './rule.ts';

/** Every server, those with most hurt connections first. */
export function serversHealth(world: World, explained: readonly Explained[]): ServerHealth[] {
  const { cases } = world.context;
  const hurt = new Set(explained.filter((e) => e.finding.severity !== 'info').map((e) => e.n));
  const unanswered = new Set(explained.filter((e) => e.rule.closes === 'unanswered').map((e) => e.n));
  const rows = new Map<
    number,
    Omit<ServerHealth, 'server' | 'clients'> & { n: number; clients: Set<number> }
  >();
  for (const n of world.kept) {
    const row = getOr(rows, cases.server(n), () => ({
      n,
      connections: 0,
      hurt: 0,
      well: 0,
      unserved: 0,
      clients: new Set(),
    }));
    row.connections++;
    const { keys, answered } = cases.brief(n);
    row.clients.add(keys[CLIENT]);
    if (hurt.has(n)) row.hurt++;
    else if (!unanswered.has(n) && !isUnfinished(world, n, answered) && isShown(world, n)) {
      row.well++;
      if (isUnserved(world, n)) row.unserved++;
    }
  }
  return [...rows.values()]
    .map(({ n, clients, ...rest }) => ({ server: world.serverOf(n), ...rest, clients: clients.size }))
    .sort((a, b) => b.hurt - a.hurt || b.connections - a.connections);
}

/** The client had sent data; the server sent none and was the first to close. Of what only takes data that is a good end. */
function isUnserved(world: World, n: number): boolean {
  const { answered, payload, firstFin, finWait2 } = world.context.cases.brief(n);
  const closed = answered && !Number.isNaN(finWait2) && firstFin === SERVER;
  return closed && payload[CLIENT] && !payload[SERVER];
}

/** Of a SYN, or a SYN-ACK, at the very end of a capture nobody knows whether it was answered. */
function isUnfinished(world: World, n: number, answered: boolean): boolean {
  const { cases } = world.context;
  if (!(world.mask(n) & SYN_TROUBLE)) return false;
  const outcome = cases.outcome(n);
  if (outcome === UNANSWERED) return true;
  const { wires } = cases.at(n);
  // what acknowledges the SYN-ACK came after it, also where only this direction is in the file
  const goesOn = ({ packets, syns, rsts }: WireConnection) =>
    ([0, 1] as const).some((side) => syns[side] > 0 && packets[side] > syns[side] + rsts[side]);
  return wires.length > 0 ? !wires.some(goesOn) : !answered;
}

/** Flags of no TCP, which its receiver let pass, are no connection. */
function isSenselessOnly({ wires }: Case): boolean {
  return (
    wires.length > 0 &&
    wires.every((w) => w.keyPackets.length > 0 && w.keyPackets.every((p) => isSenseless(p.flags)))
  );
}

/** More of it than a packet that a kernel dropped, or that a firewall or a tracker saw go by: one that answers, and no RST. */
function isShown(world: World, n: number): boolean {
  const { cases } = world.context;
  if (world.mask(n) === PACKETS && !cases.brief(n).payload.includes(true) && isSenselessOnly(cases.at(n)))
    return false;
  if (world.mask(n) & (PACKETS | STATES | CALLS | ROWS)) return true;
  const seen = cases.at(n).kernel;
  const flagsOf = (e: ProbedEvent) => (e.kind === 'probe' && e.packet ? e.packet.flags : 0);
  if (seen.some((e) => flagsOf(e) & RST)) return false;
  return seen.some((e) => e.kind !== 'probe' || (e.packet ? (flagsOf(e) & ACK) !== 0 : !e.values.unreplied));
}

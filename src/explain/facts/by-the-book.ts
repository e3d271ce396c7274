/**
 * Connections that closed as the book has it, on the wire and in the states: nearly all of a busy server's. They are
 * told apart first, because most rules have nothing to say of them, and there can be hundreds of thousands.
 */
import { orderlyPath } from '../../connect/orderly-lives.ts';
import { CLIENT, SERVER, type SocketLife, WHY_RETRANSMIT } from '../../model/connection.ts';
import type { TcpState } from '../../model/tcp.ts';
import type { Facts } from './facts.ts';

/**
 * One capture shows one SYN of the client and one SYN-ACK, both FINs acknowledged, nothing sent again and no RST; each
 * log that has the socket shows every state of it on the way from its birth to CLOSE; and no other file tells more.
 */
export function isByTheBook(f: Facts): boolean {
  const { wires, lives, drops, calls, rows, kernel, client, server } = f.case;
  const [wire] = wires;
  if (!wire || wires.length !== 1 || !(lives[CLIENT] || lives[SERVER])) return false;
  if (drops.length + calls.length + rows.length + kernel.length > 0) return false;
  const { counters, walks } = f.world.context;
  if (counters.length + walks.length > 0 || f.world.isReuse(f.case)) return false;
  const { syns, synAcks, rsts, fins, finAckedTime } = wire;
  return (
    wire.client.port === client.port &&
    wire.client.address === client.address &&
    wire.server.port === server.port &&
    wire.server.address === server.address &&
    syns[CLIENT] === 1 &&
    syns[SERVER] === 0 &&
    synAcks[CLIENT] === 0 &&
    synAcks[SERVER] === 1 &&
    rsts[CLIENT] + rsts[SERVER] === 0 &&
    fins[CLIENT] > 0 &&
    fins[SERVER] > 0 &&
    finAckedTime[CLIENT] !== null &&
    finAckedTime[SERVER] !== null &&
    isWhole(lives[CLIENT], 'SYN_SENT') &&
    isWhole(lives[SERVER], 'SYN_RECV') &&
    !f.wire!.packets.some((p) => p.why & WHY_RETRANSMIT)
  );
}

/** Every state of an orderly life, each once, from the first that a client or a server has. */
function isWhole(life: SocketLife | null, first: TcpState): boolean {
  return life === null || (orderlyPath(life) >= 0 && life.transitions[0]!.to === first);
}

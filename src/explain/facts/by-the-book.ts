/**
 * Connections that closed as the book has it, on the wire and in the states: nearly all of a busy server's. They are
 * told apart first, because most rules have nothing to say of them, and there can be hundreds of thousands.
 */
import { CLIENT, type Pair, SERVER, type SocketLife, WHY_RETRANSMIT } from '../../model/connection.ts';
import type { TcpState } from '../../model/tcp.ts';
import type { Facts } from './facts.ts';

type Path = readonly TcpState[];
const OPENED: Pair<Path> = [
  ['CLOSE', 'SYN_SENT', 'ESTABLISHED'],
  ['LISTEN', 'SYN_RECV', 'ESTABLISHED'],
];
const CLOSED: readonly Path[] = [
  ['FIN_WAIT1', 'FIN_WAIT2', 'CLOSE'],
  ['CLOSE_WAIT', 'LAST_ACK', 'CLOSE'],
];

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
    isWhole(lives[CLIENT], OPENED[CLIENT]) &&
    isWhole(lives[SERVER], OPENED[SERVER]) &&
    !f.wire!.packets.some((p) => p.why & WHY_RETRANSMIT)
  );
}

/** Every state of an orderly life, each once. */
function isWhole(life: SocketLife | null, opened: Path): boolean {
  if (life === null) return true;
  const { transitions, missing } = life;
  const closed = CLOSED.find((path) => path[0] === transitions[2]?.to);
  if (!closed || missing.length > 0 || transitions.length !== 5) return false;
  return transitions.every((t, i) => {
    const [from, to] = [i < 3 ? opened[i] : closed[i - 3], i < 2 ? opened[i + 1] : closed[i - 2]];
    return t.from === from && t.to === to && t.fields === undefined;
  });
}

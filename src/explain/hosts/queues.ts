/** Accept queues that were full, where no packet and no event says which connections met them: tables of listeners, tcpsynbl. */
import { formatEndpoint, isWildcard } from '../../model/address.ts';
import type { QueueCountEvent, SocketEvent } from '../../model/table-event.ts';
import { eventEvidence, rowEvidence } from '../facts/evidence.ts';
import { isAboveLimit, queueCountsByLimit } from '../facts/queue.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, number, processName } from '../words.ts';
import type { Sign } from './index.ts';

const REMEDY =
  'Find out why the process does not accept (blocked, stopped, too few workers), and raise the backlog of listen() and net.core.somaxconn for bursts.';

export function queues(world: World, explained: readonly Explained[]): Sign[] {
  // the connections themselves say more
  if (world.context.cases.captures.size > 0) return [];
  const waiting = explained.filter((e) => e.rule.id === 'close-wait-unaccepted');
  const told = new Set(waiting.flatMap((e) => e.facts.listener.sights.map(({ row }) => row)));
  return [...fullListeners(world, told), ...fullAtHandshake(world)];
}

/**
 * Recv-Q of a listener above its limit, in the last table that shows it (sk_acceptq_is_full). `told`: listeners of which
 * connections that wait in the queue are told; it is no problem of its own there.
 */
function fullListeners(world: World, told: ReadonlySet<SocketEvent>): Sign[] {
  const rows = world.context.listeners.flatMap((l) => l.rows.at(-1) ?? []);
  return rows.filter(isAboveLimit).map((row) => {
    const place = isWildcard(row.local.address) ? `port ${row.local.port}` : formatEndpoint(row.local);
    const who = row.owner === 'known' ? ` of ${processName(row)}` : '';
    return {
      rule: 'accept-queue-overflow-syn',
      confidence: 'possible',
      severity: told.has(row) ? 'info' : 'warning',
      side: 'server',
      port: row.local.port,
      moment: world.momentOf(row),
      summary: `The accept queue${who} on ${place} was full when the table was taken (${number(row.recvQ)} connections, limit ${number(row.acceptLimit!)}): the kernel drops SYNs and final ACKs of clients until the process accepts.`,
      remedy: REMEDY,
      evidence: [rowEvidence(world, row)],
      alternatives: ['accept-queue-overflow-ack'],
    };
  });
}

/** ACKs that would complete a handshake and met a queue above its limit: tcp_v4_syn_recv_sock drops them. One client's may come several times. */
function fullAtHandshake(world: World): Sign[] {
  return [...queueCountsByLimit(world)].flatMap(([limit, all]) => {
    const met = all.filter((e) => e.most > limit);
    const [first] = met;
    if (!first) return [];
    const sum = (events: readonly QueueCountEvent[]) => events.reduce((n, e) => n + e.count, 0);
    const sure = met.filter((e) => e.least > limit);
    const total = sum(all);
    return {
      rule: 'accept-queue-overflow-ack',
      confidence: sure.length > 0 ? 'inferred' : 'possible',
      severity: 'warning',
      side: 'server',
      moment: world.momentOf(first),
      summary:
        sure.length > 0
          ? `${number(sum(sure))} of ${count(total, 'final ACK')} at listeners with a limit of ${number(limit)} met a full accept queue: the kernel dropped them, and their clients took themselves for connected.`
          : `${number(sum(met))} of ${count(total, 'final ACK')} at listeners with a limit of ${number(limit)} met ${number(first.least)} or more connections in the accept queue, which was full or nearly so.`,
      remedy: REMEDY,
      evidence: met.slice(0, 5).map((e) => eventEvidence(world, e, `${e.count} met ${e.least} to ${e.most}`)),
      missing: [
        {
          what: 'Which listener it is',
          probe: '',
          host: world.hostName(first.source),
          port: 0,
          command: 'ss -ltnp',
        },
      ],
    };
  });
}

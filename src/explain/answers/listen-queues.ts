import { formatEndpoint, isWildcard } from '../../model/address.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import type { World } from '../facts/world.ts';
import { list, processName } from '../words.ts';
import type { Answerer } from './index.ts';

const SHOWN = 6;

/** Raised by listening sockets in a table: what their two queue columns mean, and where the limit comes from. */
export const listenQueues: Answerer = (world) => {
  const all = world.context.listeners.flatMap((l) => l.rows.filter((r) => !r.withoutQueues));
  const rows = newest(all);
  if (rows.length === 0) return null;
  const limited = rows.filter((r) => r.acceptLimit !== null && r.acceptLimit > 0);
  const shown = (limited.length > 0 ? limited : rows)
    .sort((a, b) => b.recvQ - a.recvQ || a.local.port - b.local.port)
    .slice(0, SHOWN)
    .map((r) => describe(world, r) + before(all, r));
  const more = Math.max(0, (limited.length || rows.length) - SHOWN);
  if (more > 0) shown.push(`${more} more`);
  return {
    question: 'What do Recv-Q and Send-Q of a listening socket say?',
    answer:
      `${list(shown)}. Recv-Q of a socket in LISTEN is the number of connections that have finished the handshake and wait for accept(); ` +
      'ss prints the limit of that queue as Send-Q, and the kernel lets in one more than the limit. ' +
      'netstat reads /proc/net/tcp, which has the first number only: its Send-Q of a listener is always 0 and says nothing. ' +
      'In all other states both tools show bytes: received and not read, sent and not acknowledged. ' +
      `${limits(
        world,
        all.filter((r) => r.acceptLimit !== null && r.acceptLimit > 0),
      )}`,
  };
};

/** The newest row of each listening socket that prints the limit, else the newest. */
function newest(rows: readonly SocketEvent[]): SocketEvent[] {
  const byEnd = new Map<string, SocketEvent>();
  for (const row of rows) {
    const known = byEnd.get(formatEndpoint(row.local));
    if (!known || row.acceptLimit !== null || known.acceptLimit === null)
      byEnd.set(formatEndpoint(row.local), row);
  }
  return [...byEnd.values()];
}

function describe(world: World, row: SocketEvent): string {
  const owner = row.owner === 'known' ? `${processName(row)} ` : '';
  const where = isWildcard(row.local.address) ? `port ${row.local.port}` : formatEndpoint(row.local);
  const { acceptLimit: limit } = row;
  const state =
    limit === null || limit === 0
      ? `${row.recvQ} waiting, limit not shown`
      : `${row.recvQ} waiting of ${limit}${row.recvQ > limit ? ', which is full' : ''}`;
  return `${owner}on ${where}: ${state} (${world.source(row.source).name}, line ${row.line})`;
}

/** Other limits that earlier tables show of the same socket: somebody changed the backlog and started it anew. */
function before(all: readonly SocketEvent[], row: SocketEvent): string {
  const end = formatEndpoint(row.local);
  const other = (r: SocketEvent) =>
    r.acceptLimit !== null && r.acceptLimit > 0 && r.acceptLimit !== row.acceptLimit;
  const limits = [
    ...new Set(all.filter((r) => formatEndpoint(r.local) === end && other(r)).map((r) => r.acceptLimit)),
  ];
  return limits.length > 0 ? `, in another table of ${list(limits.map(String))}` : '';
}

/** min(backlog, somaxconn): which of the two it was. */
function limits(world: World, rows: readonly SocketEvent[]): string {
  const max = world.sysctl('net.core.somaxconn');
  const rule =
    'The limit is the smaller of the backlog that the program gives to listen() and net.core.somaxconn at that moment';
  if (max === null)
    return `${rule}; somaxconn is in none of the files (4096 by default since 5.4, 128 before).`;
  const of = (take: (limit: number) => boolean) =>
    list([...new Set(rows.map((r) => r.acceptLimit!).filter(take))].sort((a, b) => a - b).map(String));
  const [below, at, above] = [of((n) => n < max), of((n) => n === max), of((n) => n > max)];
  const parts = [
    below &&
      `${below} is below it, so that is the backlog of the program: a larger somaxconn changes nothing for it, the backlog in the program has to be raised`,
    at && `${at} is somaxconn itself: the program asked for as much or more`,
    above && `${above} is above it: somaxconn was larger when that program called listen()`,
  ].filter(Boolean);
  return `${rule}, here min(backlog, ${max})${parts.length > 0 ? `: ${parts.join('; ')}` : ''}. Either takes effect with the next listen(), so after a restart of the program.`;
}

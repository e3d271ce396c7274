/** Connections that stand in the accept queue of their listener, as socket tables show them. */
import { SERVER } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import type { Facts } from '../facts/facts.ts';
import type { QueueSight } from '../facts/listener.ts';
import { memoised } from '../memo.ts';
import { resetCandidates } from './reset.ts';

interface Unaccepted {
  row: SocketEvent;
  /** The listener in the same snapshot. */
  sight: QueueSight | null;
  /** Its queue holds as many as there are connections without a process, and its own process is shown. */
  counted: boolean;
}

/**
 * A row without a process is no proof: it may only be hidden. The listener's queue (sk_ack_backlog, Recv-Q of its row, or
 * what a probe read) has to hold some; where owners are hidden, all of its connections.
 */
export const unaccepted = memoised((f: Facts): Unaccepted | null => {
  const closed = closedUnaccepted(f);
  const rows = f.rows(SERVER).filter((r) => r.owner !== 'known');
  for (const row of [...rows.filter(isCloseWait), ...(closed ? rows : [])]) {
    const sights = f.listener.sights.filter((s) => isOneSnapshot(s.row, row));
    if (sights.length === 0 ? row.owner !== 'none' || !(closed || wasQueued(f)) : !holds(f, sights, row))
      continue;
    const sight = sights.find((s) => s.unaccepted.includes(row)) ?? sights[0] ?? null;
    const counted =
      sight?.ownersVisible === true &&
      sight.unaccepted.includes(row) &&
      sight.row.recvQ === sight.unaccepted.length;
    return { row, sight, counted };
  }
  return null;
});

export function isCloseWait({ state }: SocketEvent): boolean {
  return state === 'CLOSE_WAIT';
}

function isOneSnapshot(a: SocketEvent, b: SocketEvent): boolean {
  return a.source === b.source && a.snapshot === b.snapshot;
}

function holds(f: Facts, sights: readonly QueueSight[], row: SocketEvent): boolean {
  const queued = sights.reduce((sum, s) => sum + s.row.recvQ, 0);
  if (queued > 0 && row.owner === 'none' && sights.some((s) => s.ownersVisible)) return true;
  const all = f.world.snapshots.of(row).rows.filter((r) => r.facts.listener.number === f.listener.number);
  const children = all.filter(
    (r) =>
      r.facts.rows(SERVER).includes(r.row) &&
      r.row.owner !== 'known' &&
      (r.row.state === 'ESTABLISHED' || isCloseWait(r.row)),
  );
  return queued > 0 && queued >= children.length;
}

/** At another moment a table, or a probe, found its queue not empty. */
function wasQueued(f: Facts): boolean {
  return f.listener.sights.some((s) => s.row.recvQ > 0) || f.listener.queueLooks.some((l) => l.held > 0);
}

/** Its own states show CLOSE_WAIT, and it was reset when the listener was closed. */
function closedUnaccepted(f: Facts): boolean {
  return (
    (f.life(SERVER)?.was('CLOSE_WAIT') ?? false) && resetCandidates(f)[0]?.rule === 'listener-closed-reset'
  );
}

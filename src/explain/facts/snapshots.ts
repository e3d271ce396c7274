/** Socket tables: what each run of a tool showed, and how those of one file follow one another. */
import { formatEndpoint } from '../../model/address.ts';
import type { SnapshotEvent, SocketEvent } from '../../model/table-event.ts';
import { FILTER_UNKNOWN } from '../../read/lines/shared/table-command.ts';
import { ROWS } from '../mask.ts';
import type { Facts } from './facts.ts';
import { snapshotKey } from './groups.ts';
import type { World } from './world.ts';

/** One snapshot of a socket table with the rows that belong to cases. */
interface Snapshot {
  event: SnapshotEvent | null;
  rows: { facts: Facts; row: SocketEvent }[];
}

export class Snapshots {
  readonly #world: World;
  readonly #snapshots: ReadonlyMap<string, Snapshot>;
  readonly #timeWaits = new Map<string, Map<string, number>>();

  constructor(world: World) {
    this.#world = world;
    this.#snapshots = collect(world);
  }

  of(row: SocketEvent): Snapshot {
    return this.#snapshots.get(snapshotKey(row)) ?? { event: null, rows: [] };
  }

  /** Snapshots of the same source that were taken after the row's. */
  later(row: SocketEvent): Snapshot[] {
    return [...this.#snapshots.values()].filter(
      (s) => s.event !== null && s.event.source === row.source && s.event.snapshot > row.snapshot,
    );
  }

  /** A table of the same host, not known to be from before the first of these rows of a socket, shows sockets and not this one. */
  without(rows: readonly SocketEvent[]): boolean {
    const [first] = rows as [SocketEvent];
    const host = this.#world.hostName(first.source);
    return [...this.#snapshots.values()].some(({ event, rows: others }) => {
      if (!event || rows.some((r) => snapshotKey(r) === snapshotKey(event))) return false;
      const earlier = event.source === first.source && event.snapshot < first.snapshot;
      if (earlier || ![host, ''].includes(this.#world.hostName(event.source))) return false;
      return event.filter === null || (event.filter === FILTER_UNKNOWN && others.length > 0);
    });
  }

  /** Rows of the same snapshot in TIME_WAIT between the same address and the same remote endpoint or port. */
  timeWaits(row: SocketEvent): number {
    const snapshot = snapshotKey(row);
    let counts = this.#timeWaits.get(snapshot);
    if (!counts) {
      counts = new Map();
      for (const { row: r } of this.of(row).rows) {
        if (r.state !== 'TIME_WAIT') continue;
        for (const key of pairsOf(r)) counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      this.#timeWaits.set(snapshot, counts);
    }
    return Math.max(...pairsOf(row).map((key) => counts.get(key) ?? 0));
  }
}

function collect(world: World): Map<string, Snapshot> {
  const snapshots = new Map<string, Snapshot>();
  for (const event of world.context.snapshots) snapshots.set(snapshotKey(event), { event, rows: [] });
  for (const facts of world.showing(ROWS)) {
    for (const row of facts.case.rows) {
      let snapshot = snapshots.get(snapshotKey(row));
      if (!snapshot) {
        snapshot = { event: null, rows: [] };
        snapshots.set(snapshotKey(row), snapshot);
      }
      snapshot.rows.push({ facts, row });
    }
  }
  return snapshots;
}

/** A TIME_WAIT as its client's side has it (one remote endpoint), and as its server's (one local one). */
function pairsOf({ local, remote }: SocketEvent): string[] {
  return [`${local.address} > ${formatEndpoint(remote)}`, `${formatEndpoint(local)} < ${remote.address}`];
}

/** What a thread that has read a capture hands to another. */
import type { ArchiveState } from './archive.ts';
import type { ColumnsState } from './columns.ts';
import type { Inside } from './interrupted.ts';
import type { RowsState } from './rows.ts';
import type { TableState } from './tuple-table.ts';

/** All that a tracker holds: plain data, of which the arrays need not be copied to go to another thread. */
export interface TrackerState {
  rows: RowsState[];
  table: TableState;
  archive: ArchiveState | null;
  columns: ColumnsState;
  serial: number;
  inside: Inside;
  forgot: boolean;
}

/** The memory of a tracker, which a thread can hand to another instead of a copy. */
export function buffersOf({ rows, table, archive, columns }: TrackerState): ArrayBuffer[] {
  const chunks = archive?.chunks.flatMap((chunk) => (chunk ? [chunk.buffer] : [])) ?? [];
  const places = archive ? [archive.places.buffer] : [];
  const { starts, keys, finWait2s, ports, bits } = columns;
  const flat = [starts, keys, finWait2s, ports, bits].map(({ buffer }) => buffer);
  return [...rows.map(({ words }) => words.buffer), table.slots.buffer, ...places, ...chunks, ...flat];
}

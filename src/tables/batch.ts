/** The tables of a batch: those of each group, with what tells groups and their connections apart. */
import type { GroupRow } from '../model/batch.ts';
import type { Finding } from '../model/finding.ts';
import type { Column } from './column.ts';
import type { ConnectionRow } from './connections.ts';
import { connectionsTable } from './connections.ts';
import { findingsTable } from './findings.ts';

/** A finding, and where the fault or act lies. */
export interface Found {
  group: string;
  host: string;
  row: Finding;
}

/** A connection; or how many healthy ones a listener had in a minute, one of which is `row`. */
export interface Counted {
  group: string;
  row: ConnectionRow;
  /** Null: the row itself. `2026-11-03T14:05:00Z`; '' without UTC. */
  minute: string | null;
  connections: number;
}

/** The same on every run and every machine: of the group's content and the number in it. '' for none. */
function globalId(group: string, connection: string): string {
  return connection === '' ? '' : `${group.slice(0, 16)}-${connection}`;
}

/** What connections that are counted together have in common. */
const COMMON = new Set(['host', 'clock', 'server_ip', 'server_port']);

function ofCounted(column: Column<ConnectionRow>): Column<Counted> {
  const value = ({ row, minute }: Counted) => {
    if (minute === null || COMMON.has(column.name)) return column.value(row);
    return column.name === 'start_time' ? minute : null;
  };
  return { ...column, value };
}

function ofFound(column: Column<Finding>): Column<Found> {
  return { ...column, value: ({ row }) => column.value(row) };
}

const GROUP_KEY: Column<{ group: string }> = {
  name: 'group_key',
  doc: 'the group: its output lies in `groups/ab/cd/KEY`',
  value: (r) => r.group,
};

export const groupColumns: readonly Column<GroupRow>[] = [
  { name: 'group_key', doc: 'SHA-256 over its content, version and options', value: (g) => g.key },
  { name: 'place', doc: 'path of its folder or file', value: (g) => g.place },
  { name: 'reason', doc: 'why its files are read together', value: (g) => g.reason },
  { name: 'version', doc: 'of tcpautopsy', value: (g) => g.version },
  { name: 'hosts', doc: 'as the files name them, space separated', value: (g) => g.hosts.join(' ') },
  { name: 'start_time', doc: 'its first record, in UTC', value: (g) => g.first },
  { name: 'end_time', doc: 'its last record, in UTC', value: (g) => g.last },
  { name: 'members', doc: 'files in it', unit: 'files', value: (g) => g.members.length },
  { name: 'bytes', doc: 'of its files', unit: 'bytes', value: (g) => g.bytes },
  { name: 'packets', doc: 'read from it', unit: 'packets', value: (g) => g.packets },
  { name: 'lines', doc: 'events or rows read from it', unit: 'lines', value: (g) => g.lines },
  { name: 'connections', doc: 'in it', unit: 'connections', value: (g) => g.connections },
  {
    name: 'problem_connections',
    doc: 'with a finding above info',
    unit: 'connections',
    value: (g) => g.problems,
  },
  {
    name: 'causes',
    doc: 'causes above info, space separated',
    value: (g) => [...new Set(g.causes.map((c) => c.rule))].join(' '),
  },
  {
    name: 'damage',
    doc: 'kinds of damage or loss, space separated',
    value: (g) => [...new Set(g.damage.map((d) => d.code))].join(' '),
  },
];

export const connectionColumns: readonly Column<Counted>[] = [
  GROUP_KEY,
  {
    name: 'connection',
    doc: 'the same on every run and machine; empty for a row that counts healthy connections of one listener and minute',
    value: (r) => (r.minute === null ? globalId(r.group, r.row.id) : ''),
  },
  {
    name: 'connections',
    doc: '1, or how many the row counts',
    unit: 'connections',
    value: (r) => r.connections,
  },
  ...connectionsTable.columns.map(ofCounted),
];

export const findingColumns: readonly Column<Found>[] = [
  GROUP_KEY,
  {
    name: 'connection',
    doc: 'key into connections; empty where the finding is of a host',
    value: (r) => globalId(r.group, r.row.connection),
  },
  {
    name: 'host',
    doc: 'where the fault or act lies: the name where the files give it, else the address',
    value: (r) => r.host,
  },
  ...findingsTable.columns.map(ofFound),
];

/** Under `tables/v1` of OUT. */
export const batchTables = {
  groups: groupColumns,
  connections: connectionColumns,
  findings: findingColumns,
} as const;
export type BatchTable = keyof typeof batchTables;
export const BATCH_TABLES = Object.keys(batchTables) as BatchTable[];

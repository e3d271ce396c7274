import type { RolledAt, Rollup } from '../model/rollup.ts';
import type { Column } from './column.ts';

/** rollup.csv: a row for each cause at each listener and host. */
export const rollupColumns: readonly Column<RolledAt>[] = [
  { name: 'rule', doc: 'the cause', value: (r) => r.rule },
  { name: 'severity', doc: '`warning` or `error`', value: (r) => r.severity },
  { name: 'confidence', doc: 'of the least sure of its gravest findings', value: (r) => r.confidence },
  { name: 'listener', doc: 'address and port of the server', value: (r) => r.listener },
  { name: 'host', doc: 'where the fault or act lies', value: (r) => r.host },
  { name: 'groups', doc: 'that show it', unit: 'groups', value: (r) => r.groups },
  { name: 'connections', doc: 'that show it', unit: 'connections', value: (r) => r.connections },
  { name: 'first_seen', doc: 'in UTC', value: (r) => r.first },
  { name: 'last_seen', doc: 'in UTC', value: (r) => r.last },
  {
    name: 'is_new',
    doc: '`yes`: not there when the plan before was done',
    value: (r) => (r.isNew ? 'yes' : 'no'),
  },
];

/** failed.csv: what could not be read. */
export const failureColumns: readonly Column<Rollup['failures'][number]>[] = [
  { name: 'place', doc: 'path, with what lies in an archive behind it', value: (f) => f.place },
  {
    name: 'stage',
    doc: '`plan`, `read`, `analysis`, `memory`, `time`, `size` or `worker`',
    value: (f) => f.stage,
  },
  { name: 'at', doc: 'byte, line or frame', value: (f) => f.at },
  { name: 'reason', doc: 'what is wrong', value: (f) => f.message },
  { name: 'group_key', doc: 'empty where there is no group', value: (f) => f.key },
];

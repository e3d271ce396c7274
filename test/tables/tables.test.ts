import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { parseString } from 'fast-csv';
import { describe, expect, test } from 'vitest';
import type { ClockLabel } from '../../src/model/time.ts';
import type { Table } from '../../src/tables/column.ts';
import { csvOf } from '../../src/tables/csv.ts';
import { encodeCell } from '../../src/tables/csv-text.ts';
import { parquetType } from '../../src/tables/parquet.ts';
import { sourceRows } from '../../src/tables/sources.ts';
import {
  columnReference,
  connectionsTable,
  diagnosticsTable,
  findingsTable,
  rulesTable,
  sourcesTable,
  timelineTable,
} from '../../src/tables/tables.ts';
import { exp1Result } from './fixture.ts';
import { HOSTILE, hostileResult } from './variants.ts';

const names = (table: { columns: readonly { name: string }[] }) => table.columns.map((c) => c.name).join(' ');

test('columns are those of the design, in its order', () => {
  expect(names(connectionsTable)).toBe(
    'connection_id host netns client_ip client_port server_ip server_port start_time start_epoch_ns end_time clock duration_s ' +
      'handshake_s close_kind closed_by first_fin_by reset_by kernel_reset_reason close_rule close_confidence syn_rule fin_wait2_rule stuck_rule conn_state history ' +
      'completeness client_packets server_packets client_bytes server_bytes client_syns server_syn_acks ' +
      'client_retransmits server_retransmits fin_wait2_wire_s fin_wait2_kernel_s client_pid client_comm client_container client_pod server_pid ' +
      'server_comm server_container server_pod client_stack server_stack encapsulation sources',
  );
  expect(names(findingsTable)).toBe(
    'connection_id rule group role confidence severity side client_ip client_port server_ip server_port time clock ' +
      'summary evidence missing alternatives',
  );
  expect(names(timelineTable)).toBe(
    'number time clock time_source connection_id kind side what flags seq ack window length reason state_before ' +
      'state_after pid comm source locator',
  );
  expect(names(rulesTable)).toBe('rule title remedy reference');
  expect(names(sourcesTable)).toBe(
    'number path format host clock sha256 packets lines first_time last_time lost',
  );
  expect(names(diagnosticsTable)).toBe('code severity source locator count message');
});

test('docs/columns.md is what the code says (npm run docs)', async () => {
  expect(await readFile(new URL('../../docs/columns.md', import.meta.url), 'utf8')).toBe(columnReference());
});

test('every column is documented', () => {
  for (const { columns } of [
    connectionsTable,
    findingsTable,
    timelineTable,
    rulesTable,
    sourcesTable,
    diagnosticsTable,
  ]) {
    for (const c of columns) expect(c.doc.length, c.name).toBeGreaterThan(3);
  }
});

describe('encodeCell', () => {
  test.each([
    [null, ''],
    [0, '0'],
    [43752, '43752'],
    [4e-7, '0.0000004'],
    [1e-9, '0.000000001'],
    [960.008717, '960.008717'],
    [1.5e12, '1500000000000'],
    ['=1+1', "'=1+1"],
  ])('%j is %j', (value, text) => expect(encodeCell(value)).toBe(text));

  test('a fraction has the digits of Number.prototype.toFixed, without zeros at its end', () => {
    const plain = (n: number) => n.toFixed(9).replace(/\.?0+$/, '');
    const ns = fc.integer({ min: 1, max: 1e16 }).map((n) => n / 1e9);
    const any = fc.oneof(ns, fc.double({ min: -1e7, max: 1e7, noNaN: true }));
    fc.assert(
      fc.property(any, (n) => {
        if (!Number.isInteger(n)) expect(encodeCell(n)).toBe(plain(n));
      }),
      { numRuns: 2000 },
    );
  });
});

async function roundTrip<Row>(table: Table<Row>, rows: readonly Row[]): Promise<Record<string, string>[]> {
  const text = await csvOf(table.columns, rows);
  return new Promise((resolve, reject) => {
    const read: Record<string, string>[] = [];
    parseString(text, { headers: true, strictColumnHandling: true })
      .on('error', reject)
      .on('data', (row: Record<string, string>) => read.push(row))
      .on('data-invalid', reject)
      .on('end', () => resolve(read));
  });
}

describe('a table read back', () => {
  const result = exp1Result();

  test('connections', async () => {
    const read = await roundTrip(connectionsTable, result.connections);
    expect(read).toHaveLength(10);
    expect(read[0]).toMatchObject({
      connection_id: 'c1',
      client_port: '43752',
      duration_s: '960.008717',
      client_packets: '',
      fin_wait2_kernel_s: '0.000001',
      sources: 'exp1/client-tcpstates.txt; exp1/server-tcpstates.txt',
    });
  });

  test('findings keep evidence as JSON', async () => {
    const read = await roundTrip(findingsTable, result.findings);
    expect(read.map((r) => JSON.parse(r.evidence!))).toEqual(result.findings.map((f) => f.evidence));
    expect(read.map((r) => JSON.parse(r.missing!))).toEqual(result.findings.map((f) => f.missing));
  });

  test('timeline and diagnostics keep every row', async () => {
    expect(await roundTrip(timelineTable, result.timeline)).toHaveLength(result.timeline.length);
    expect((await roundTrip(diagnosticsTable, result.diagnostics))[0]!.message).toBe(
      result.diagnostics[0]!.message,
    );
  });

  test('no column changes its type with the clock', () => {
    const [row] = result.connections;
    const start = (clock: ClockLabel, startTime: string) => {
      const column = connectionsTable.columns.find((c) => c.name === 'start_time')!;
      return column.value({ ...row!, clock, startTime });
    };
    expect(start('utc', '2026-11-30T05:00:00.000000001Z')).toBe('2026-11-30T05:00:00.000000001Z');
    expect(start('relative', '12.500000000')).toBe('PT12.500000000S');
    expect(start('order', '')).toBe('');
  });

  test('sources say what was lost of them, rules what to do', async () => {
    const sources = await roundTrip(sourcesTable, sourceRows(result));
    expect(sources.map((s) => s.number)).toEqual(['1', '2', '3', '4']);
    expect(sources[0]).toMatchObject({ packets: '', lines: '45', lost: 'state-line-missing 1' });
    const rules = await roundTrip(rulesTable, result.rules);
    expect(rules[0]).toMatchObject({ rule: 'listener-closed-reset', remedy: result.causes[0]!.remedy });
  });

  test('an empty table has its header', async () => {
    expect(await csvOf(diagnosticsTable.columns, [])).toBe('code,severity,source,locator,count,message\n');
  });

  test.each(HOSTILE)('no cell runs, no row breaks: %j', async (text) => {
    const hostile = hostileResult(text);
    const rows = [
      ...(await roundTrip(connectionsTable, hostile.connections)),
      ...(await roundTrip(findingsTable, hostile.findings)),
      ...(await roundTrip(timelineTable, hostile.timeline)),
      ...(await roundTrip(diagnosticsTable, hostile.diagnostics)),
    ];
    expect(rows).toHaveLength(10 + hostile.findings.length + hostile.timeline.length + 1);
    for (const value of rows.flatMap((row) => Object.values(row))) {
      expect(value).not.toMatch(/^[=+\-@\t\r]/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
      expect(value).not.toMatch(/[\u0000-\u001f\u202e]/);
    }
  });
});

/** Columns of a table in which a row holds a number. */
const numeric = <Row>({ columns }: Table<Row>, rows: readonly Row[]) =>
  columns.filter((c) => rows.some((row) => typeof c.value(row) === 'number'));

test('a column of numbers of connections and findings is one in Parquet too: it has a unit, or is a port, a pid or a share', () => {
  const { connections, findings } = exp1Result();
  const columns = [...numeric(connectionsTable, connections), ...numeric(findingsTable, findings)];
  expect(columns.length).toBeGreaterThan(5);
  expect(columns.filter((c) => parquetType(c) === 'STRING').map((c) => c.name)).toEqual([]);
});

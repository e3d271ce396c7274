// The Parquet tables of a batch, with DuckDB as referee.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parseString } from 'fast-csv';
import { expect, it } from 'vitest';
import { compactOut, reportOf } from '../../src/batch-report.ts';
import { batch, cli, folder, planIn, put, sample, smallArchive, treeOf } from './archives.ts';

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const database = await DuckDBInstance.create();
  const connection = await database.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowObjects();
  connection.closeSync();
  return rows;
}

const tables = (out: string, table: string) =>
  `read_parquet('${out}/tables/v1/${table}/*/*.parquet', union_by_name = true, hive_partitioning = true)`;

function csv(path: string): Promise<Record<string, string>[]> {
  return new Promise((resolve, reject) => {
    const rows: Record<string, string>[] = [];
    parseString(readFileSync(path, 'utf8'), { headers: true })
      .on('data', (row) => rows.push(row))
      .on('error', reject)
      .on('end', () => resolve(rows));
  });
}

const ROLLED = (out: string) => `
  SELECT rule, server_ip || ':' || server_port AS listener, host, count(DISTINCT group_key) AS groups,
    count(DISTINCT connection) AS connections, min(time) AS first, max(time) AS last
  FROM ${tables(out, 'findings')} WHERE severity <> 'info' AND server_ip NOT LIKE '%:%' GROUP BY ALL`;

it('are what the CSV files of the groups are, cell for cell', async () => {
  const out = join(folder(), 'OUT');
  await batch([smallArchive()], out, { group: { html: 'never', connections: 'all' } });
  let cells = 0;
  for (const { key } of planIn(out)) {
    for (const name of ['connections', 'findings']) {
      const path = join(out, 'groups', key.slice(0, 2), key.slice(2, 4), key, `${name}.csv`);
      const expected = await csv(path).catch(() => []);
      if (expected.length === 0) continue;
      const rows = await query(`SELECT * FROM ${tables(out, name)} WHERE group_key = '${key}'`);
      const text = (value: unknown) => (value === null ? '' : String(value));
      const columns = Object.keys(expected[0]!);
      const line = (row: Record<string, unknown>) => columns.map((c) => plain(text(row[c]))).join('\t');
      expect(rows.map(line).sort()).toEqual(expected.map(line).sort());
      cells += rows.length * columns.length;
    }
  }
  expect(cells).toBeGreaterThan(1000);
});

/** As a number, where it is one; a formula is disarmed in the CSV. */
function plain(cell: string): string {
  const text = cell.replace(/^'(?=[=+\-@])/, '');
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? String(Number(text)) : text;
}

it('roll up as the roll-up does, compacted or not; a day has one file then', async () => {
  const [root, out] = [smallArchive(), join(folder(), 'OUT')];
  const { rollup } = await batch([root], out);
  const ofRollup = rollup!.at
    .filter((r) => !r.listener.startsWith('['))
    .map((r) => [r.rule, r.listener, r.host, r.groups, r.connections, r.first, r.last].join(' '));
  const duck = async () =>
    (await query(ROLLED(out))).map((r) =>
      [r.rule, r.listener, r.host, r.groups, r.connections, r.first ?? '', r.last ?? ''].join(' '),
    );
  expect((await duck()).sort()).toEqual(ofRollup.sort());
  const all = await query(`SELECT sum(connections) AS n FROM ${tables(out, 'connections')}`);
  expect(Number(all[0]!.n)).toBe(rollup!.connections);
  await compactOut(out);
  expect((await duck()).sort()).toEqual(ofRollup.sort());
  const files = Object.keys(treeOf(out)).filter((path) => path.startsWith('tables/'));
  const folders = new Set(files.map((path) => path.slice(0, path.lastIndexOf('/'))));
  expect(files.length).toBe(folders.size);
  // nothing more to do, and what was done is known all the same
  expect((await compactOut(out)).before).toBe(files.length);
  expect((await batch([root], out)).done).toBe(0);
});

it('lose the rows of what has changed, out of compacted files too', async () => {
  const [root, out] = [smallArchive(), join(folder(), 'OUT')];
  await batch([root], out);
  await compactOut(out);
  put(join(root, 'broken/cut.pcap'), sample('field/resets/burst.pcap'));
  await batch([root], out);
  const fresh = join(folder(), 'OUT');
  await batch([root], fresh);
  const keys = (of: string) =>
    query(`SELECT group_key, count(*) AS n FROM ${tables(of, 'findings')} GROUP BY ALL ORDER BY ALL`);
  expect(await keys(out)).toEqual(await keys(fresh));
});

it('give pages on demand: of one group, and the roll-up', async () => {
  const out = join(folder(), 'OUT');
  await batch([smallArchive()], out);
  const { page } = await reportOf(out, 'between');
  expect(readFileSync(page, 'utf8')).toContain('<h1>');
  expect((await reportOf(out, undefined)).lines[0]).toMatch(/^\d+ groups/);
  await expect(reportOf(out, 'nothing-like-it')).rejects.toThrow('no group is called nothing-like-it');
  // as users ask for them
  const said = cli(['batch', 'report', out, 'between']);
  expect([said.status, said.stdout]).toEqual([0, expect.stringContaining(`Page: ${page}`)]);
  expect(cli(['batch', 'compact', out])).toMatchObject({ status: 0, stderr: '' });
});

it('of a rotation are those of the merged capture', async () => {
  const [root, outs] = [folder(), [join(folder(), 'OUT'), join(folder(), 'OUT')]];
  const files = [1, 2, 3, 4, 5].map((n) => sample(`field/rotation/tcpdump-G/r-05133${n}.pcap`));
  for (const [i, file] of files.entries()) put(join(root, `series/${'xcaeb'[i]}.pcap`), file);
  // one header, then the packets in the order of time
  const merged = [files[0]!, ...files.slice(1).map((file) => file.subarray(24))];
  put(join(root, 'whole/whole.pcap'), Buffer.concat(merged));
  await batch([join(root, 'series')], outs[0]!);
  await batch([join(root, 'whole')], outs[1]!);
  expect(planIn(outs[0]!).map((p) => p.reason)).toEqual(['rotation']);
  const rows = (out: string) =>
    query(
      `SELECT * EXCLUDE (group_key, connection, sources, day) FROM ${tables(out, 'connections')} ORDER BY ALL`,
    );
  expect(await rows(outs[0]!)).toEqual(await rows(outs[1]!));
});

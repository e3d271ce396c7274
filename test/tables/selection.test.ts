/** Connections that are counted instead of listed: the same tables, and the same is said of all together. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze, investigate } from '../../src/analyze.ts';
import { readable } from '../../src/json/json.ts';
import { allOf } from '../../src/view/words.ts';
import { bundleSamples, DOCUMENTS } from '../explain/samples.ts';
import { some } from '../thorough.ts';
import { causesOf, filesOf } from './big-runs.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'selection-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TABLES = ['connections.csv', 'findings.csv', 'timeline.csv'];

async function isTheSame(input: string): Promise<void> {
  const long = await analyze([input]);
  const { result: short, tables } = await investigate([input], { listed: 0 });
  expect(long.unlisted).toBeUndefined();
  expect(short.unlisted).toBeDefined();
  expect(allOf(short)).toBe(long.connections.length);
  expect(await filesOf(short, TABLES, tables)).toEqual(await filesOf(long, TABLES));
  expect(structuredClone(short)).toEqual(short);
  await expect(filesOf(short, TABLES)).rejects.toThrow('give the tables');
  expect(causesOf(short)).toEqual(causesOf(long));
  expect([short.story, short.answers, short.counters]).toEqual([long.story, long.answers, long.counters]);
}

const bundles = some(bundleSamples(), 4).map((s) => s.folder);
const documents = ['exp1', 'exp2', 'exp3'].map((name) => path.join(DOCUMENTS, name));

test.each([...bundles, ...documents])('%s', isTheSame);

test('a table that has names in the place of addresses', async () => {
  const table = path.join(folder, 'netstat.txt');
  const row = (client: string, state: string) =>
    `tcp        0      0 ${client}    web-1:http              ${state}`;
  const write = (rows: readonly string[]) => {
    const head = [
      'Active Internet connections (w/o servers)',
      'Proto Recv-Q Send-Q Local Address           Foreign Address         State',
    ];
    writeFileSync(table, `${[...head, ...rows].join('\n')}\n`);
  };
  write([row('one.example:41234', 'ESTABLISHED'), row('two.example:41235', 'CLOSE_WAIT')]);
  await isTheSame(table);
  write(Array.from({ length: 120 }, (_, i) => row(`${i % 2}.example:${2000 + i}`, 'ESTABLISHED')));
  const [group] = (await analyze([table], { listed: 0 })).unlisted!.groups;
  expect([group!.connections, group!.clients]).toEqual([70, 2]);
});

test('of many servers the first are listed; result.json lists the same, and each connection is listed or counted', async () => {
  const table = path.join(folder, 'ss.txt');
  const head = 'State Recv-Q Send-Q Local Address:Port Peer Address:Port';
  const row = (i: number) => `ESTAB 0 0 10.0.0.1:${30_000 + i} 11.0.${i >> 8}.${i & 255}:80`;
  writeFileSync(table, `${[head, ...Array.from({ length: 10_100 }, (_, i) => row(i))].join('\n')}\n`);
  const { result } = await investigate([table], { listed: 0 });
  expect([result.connections.length, result.unlisted!.connections]).toEqual([10_000, 100]);
  const { connections, aggregated } = readable(result);
  expect(connections).toBe(result.connections);
  expect(aggregated!.at(-1)).toMatchObject({ file: 'result.json', listed: 10_000, of: 10_100 });
});

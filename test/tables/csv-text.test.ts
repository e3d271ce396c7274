import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { writePieces } from '../../src/platform/text-file.ts';
import type { Cell, Column } from '../../src/tables/column.ts';
import { csvOf } from '../../src/tables/csv.ts';
import { csvLines } from '../../src/tables/csv-text.ts';
import { connectionsTable, findingsTable, timelineTable } from '../../src/tables/tables.ts';
import { HOSTILE, hostileResult } from './variants.ts';

const folder = mkdtempSync(join(tmpdir(), 'csv-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = () => join(folder, String(files++));

type Cells = readonly Cell[];

/** What both writers make of it. */
async function both<Row>(columns: readonly Column<Row>[], rows: readonly Row[]) {
  return { ours: [...csvLines(columns, rows)].join(''), theirs: await csvOf(columns, rows) };
}

const columnsOf = (names: readonly string[]): Column<Cells>[] =>
  names.map((name, i) => ({ name, doc: '', value: (row) => row[i] ?? null }));

/** Characters that mean something to CSV, to a spreadsheet, to a terminal or to UTF-8. */
const unit = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...'",|=+-@＝＋－＠\'\r\n\t \0;a1.é€😀\u202e\ufeff\ud800\udfff') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
);
const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.constant(null),
  fc.string({ unit, maxLength: 12 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(...HOSTILE),
  fc.integer(),
  fc.double({ noNaN: false }),
);
const table = fc
  .integer({ min: 1, max: 6 })
  .chain((width) =>
    fc.tuple(
      fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), { minLength: width, maxLength: width }),
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 8 }),
    ),
  );

test('any cells become the bytes that fast-csv makes of them', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ([names, rows]) => {
      const { ours, theirs } = await both(columnsOf(names), rows);
      expect(ours).toBe(theirs);
    }),
    { numRuns: 500 },
  );
});

test('every single character of the basic plane, at the start of a cell and inside it', async () => {
  const rows = Array.from({ length: 0x10000 }, (_, c) => [
    String.fromCharCode(c),
    `a${String.fromCharCode(c)}`,
  ]);
  const { ours, theirs } = await both(columnsOf(['start', 'inside']), rows);
  expect(ours).toBe(theirs);
});

test('tables of a result with hostile names', async () => {
  for (const text of HOSTILE) {
    const { connections, findings, timeline } = hostileResult(text);
    for (const { ours, theirs } of [
      await both(connectionsTable.columns, connections),
      await both(findingsTable.columns, findings),
      await both(timelineTable.columns, timeline),
    ]) {
      expect(ours).toBe(theirs);
    }
  }
});

test('more than the buffers hold, pieces longer than a buffer among them', async () => {
  const long = 'é,"'.repeat(600_000);
  const pieces = Array.from({ length: 30_000 }, (_, i) =>
    i % 9973 === 5 ? long : `${i}${'x'.repeat(i % 300)}`,
  );
  const path = fresh();
  await writePieces(path, pieces);
  expect(readFileSync(path, 'utf8') === pieces.join('')).toBe(true);
});

test('a file that is there already is not touched; a row that throws is passed on', async () => {
  const path = fresh();
  await writePieces(path, csvLines(columnsOf(['n']), [[1]]));
  await expect(writePieces(path, csvLines(columnsOf(['n']), [[2]]))).rejects.toThrow('EEXIST');
  expect(readFileSync(path, 'utf8')).toBe('n\n1\n');
  const broken: Column<Cells>[] = [
    {
      name: 'n',
      doc: '',
      value: () => {
        throw new Error('no value');
      },
    },
  ];
  await expect(writePieces(fresh(), csvLines(broken, [[1]]))).rejects.toThrow('no value');
});

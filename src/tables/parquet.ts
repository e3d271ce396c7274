/** Tables as Parquet, with statistics, and a bloom filter where single values are looked for. The same rows give the same bytes. */
import type { BasicType } from 'hyparquet-writer';
import type { Cell, Column } from './column.ts';

/** Never a name of the wire's: a column has one type whatever its rows. */
const INTEGERS = /_(?:port|pid)$|^completeness$/;
/** Where one asks for single values. */
const LOOKED_FOR = /_ip$|^group_key$/;

/** Compressed, so few rows are no smaller. */
const FEW = 20;

type Typed = Pick<Column<never>, 'name' | 'unit'>;

/** Seconds are doubles, other numbers whole; all else is text. */
export function parquetType({ name, unit }: Typed): BasicType {
  if (unit === 's') return 'DOUBLE';
  return unit !== undefined || INTEGERS.test(name) ? 'INT64' : 'STRING';
}

/** Empty text is null, as an empty cell of the CSV is. */
export async function parquetOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const columnData = columns.map((column) => {
    const type = parquetType(column);
    const data = rows.map((row) => parquetValue(column.value(row), type));
    const statistics = data.some((value) => value !== null);
    const bloomFilter = LOOKED_FOR.test(column.name);
    return { name: column.name, type, data, statistics, ...(bloomFilter && { bloomFilter }) };
  });
  const codec = rows.length < FEW ? 'UNCOMPRESSED' : 'SNAPPY';
  return new Uint8Array(parquetWriteBuffer({ columnData, codec, createdBy: 'tcpautopsy' }));
}

function parquetValue(cell: Cell, type: BasicType): bigint | number | string | null {
  if (cell === null || cell === '') return null;
  return type === 'INT64' ? BigInt(cell) : cell;
}

/** Rows as they stand in a file. */
export type Rows = Record<string, bigint | number | string | null>[];

export async function rowsIn(bytes: Uint8Array): Promise<Rows> {
  if (bytes.length === 0) return [];
  const { parquetReadObjects } = await import('hyparquet');
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return (await parquetReadObjects({ file })) as Rows;
}

/** Rows of several files in one. A column that some of them lack is null there. */
export async function joinParquet(columns: readonly Typed[], rows: Rows): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const types = new Map(columns.map((column) => [column.name, parquetType(column)]));
  const names = [...new Set([...types.keys(), ...rows.flatMap((row) => Object.keys(row))])];
  const columnData = names.map((name) => {
    const data = rows.map((row) => row[name] ?? null);
    const type = types.get(name) ?? typeOf(data);
    return { name, type, data, ...(LOOKED_FOR.test(name) && { bloomFilter: true }) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'tcpautopsy' }));
}

/** Of a column that only a later version knows. */
function typeOf(data: Rows[number][string][]): BasicType {
  const value = data.find((v) => v !== null);
  if (typeof value === 'bigint') return 'INT64';
  return typeof value === 'number' ? 'DOUBLE' : 'STRING';
}

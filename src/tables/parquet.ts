/** Tables as Parquet, with statistics, and a bloom filter where single values are looked for. The same rows give the same bytes. */
import type { BasicType } from 'hyparquet-writer';
import type { Cell, Column } from './column.ts';

/** Never a name of the wire's: a column has one type whatever its rows. */
const INTEGERS = /_(?:port|pid)$|^completeness$/;
/** Where one asks for single values. */
const LOOKED_FOR = /_ip$|^group_key$/;

/** Seconds are doubles, other numbers whole; all else is text. */
export function parquetType({ name, unit }: Pick<Column<never>, 'name' | 'unit'>): BasicType {
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
    return { name: column.name, type, data, ...(LOOKED_FOR.test(column.name) && { bloomFilter: true }) };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'tcpautopsy' }));
}

function parquetValue(cell: Cell, type: BasicType): bigint | number | string | null {
  if (cell === null || cell === '') return null;
  return type === 'INT64' ? BigInt(cell) : cell;
}

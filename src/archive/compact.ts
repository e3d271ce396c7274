/** Part files of a day, put into one: a reader opens one file instead of thousands. */
import { sha256 } from '../platform/hash.ts';
import type { Store } from '../platform/store.ts';
import { BATCH_TABLES, type BatchTable, batchTables } from '../tables/batch.ts';
import { joinParquet, type Rows, rowsIn } from '../tables/parquet.ts';

const ROOT = 'tables/v1';
const COMPACT = /^compact-[\da-f]+\.parquet$/;

/** How many files there were, and are. */
export async function compact(store: Store): Promise<{ before: number; after: number }> {
  const sum = { before: 0, after: 0 };
  for (const table of BATCH_TABLES)
    for (const day of await store.list(`${ROOT}/${table}`)) {
      const folder = `${ROOT}/${table}/${day}`;
      const names = await store.list(folder);
      sum.before += names.length;
      sum.after += names.length > 1 ? await compactFolder(store, table, folder, names) : names.length;
    }
  return sum;
}

/**
 * The new file comes first, the parts go then: when it ends between, rows are there twice and the next time takes the second
 * ones away. Nothing is ever missing.
 */
async function compactFolder(
  store: Store,
  table: BatchTable,
  folder: string,
  names: readonly string[],
): Promise<number> {
  const seen = new Set<unknown>();
  const parts: Rows[] = [];
  // compacted files before the parts that they may have been made of
  for (const name of [...names].sort(
    (a, b) => Number(COMPACT.test(b)) - Number(COMPACT.test(a)) || (a < b ? -1 : 1),
  )) {
    const bytes = await store.read(`${folder}/${name}`);
    if (bytes === null) continue;
    const rows = (await rowsIn(bytes)).filter((row) => !seen.has(row.group_key));
    for (const row of rows) seen.add(row.group_key);
    parts.push(rows);
  }
  const made = await put(store, table, folder, parts.flat());
  for (const name of names) if (name !== made) await store.remove(`${folder}/${name}`);
  return 1;
}

/** The name tells the groups in it. */
async function put(store: Store, table: BatchTable, folder: string, rows: Rows): Promise<string> {
  const hash = sha256();
  for (const key of [...new Set(rows.map((row) => String(row.group_key)))].sort()) hash.add(key);
  const name = `compact-${hash.hex().slice(0, 16)}.parquet`;
  const sorted = rows.toSorted(
    (a, b) => order(a) - order(b) || (String(a.group_key) < String(b.group_key) ? -1 : 1),
  );
  await store.put(`${folder}/${name}`, await joinParquet(batchTables[table], sorted));
  return name;
}

/** Of the first time in the row; rows of one group stay in their order. */
function order(row: Rows[number]): number {
  const time = Date.parse(String(row.start_time ?? row.time ?? ''));
  return Number.isNaN(time) ? 0 : time;
}

/** Takes the rows of groups away, wherever they are by now. */
export async function dropRows(store: Store, day: string, keys: ReadonlySet<string>): Promise<void> {
  for (const table of BATCH_TABLES) {
    const folder = `${ROOT}/${table}/day=${day}`;
    for (const name of await store.list(folder)) {
      if (keys.has(name.slice(0, -'.parquet'.length))) await store.remove(`${folder}/${name}`);
      if (!COMPACT.test(name)) continue;
      const rows = await rowsIn((await store.read(`${folder}/${name}`)) ?? new Uint8Array());
      const rest = rows.filter((row) => !keys.has(String(row.group_key)));
      if (rest.length === rows.length) continue;
      if (rest.length > 0) await put(store, table, folder, rest);
      await store.remove(`${folder}/${name}`);
    }
  }
}

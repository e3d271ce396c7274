/** Counts of what is alike, for charts. */

/** One object for each distinct combination of values in `rows`, in the order of first sight, with how often it came. */
export function tally<Row extends object, Name extends string>(
  rows: Iterable<Row>,
  name: Name,
): (Row & Record<Name, number>)[] {
  const groups = new Map<string, { row: Row; count: number }>();
  for (const row of rows) {
    const key = JSON.stringify(Object.values(row));
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { row, count: 1 });
  }
  return [...groups.values()].map(
    ({ row, count }) => ({ ...row, [name]: count }) as Row & Record<Name, number>,
  );
}

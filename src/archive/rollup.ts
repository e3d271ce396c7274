/** What is in OUT, folded to the roll-up; and what is there no more of use, taken away. */
import { folderOfKey, type GroupRow } from '../model/batch.ts';
import type { Rollup } from '../model/rollup.ts';
import { sha256 } from '../platform/hash.ts';
import type { Store } from '../platform/store.ts';
import { keptOf } from './commit.ts';
import { dropRows } from './compact.ts';
import { Fold } from './fold.ts';
import { placeOf } from './member.ts';
import type { Plan } from './plan.ts';

export const ROLLUP = 'rollup.json';

/** `rollup.json`. */
interface State {
  /** Of what it was made from: nothing to do as long as that is the same. */
  made: string;
  plan: string;
  /** Causes that are there, and those that were when the plan before was done. */
  seen: string[];
  before: string[] | null;
  rollup: Rollup;
}

/** Writes it to OUT, with `write` for its files. Null when it is there already, made from the same. */
export async function rollUp(
  store: Store,
  plan: Plan,
  write: (rollup: Rollup) => Promise<void>,
): Promise<Rollup | null> {
  const keys = await keysIn(store);
  const planned = new Set(plan.groups.map((g) => g.key));
  const planId = digest([...planned].sort());
  const madeOf = (list: readonly string[]) =>
    digest([planId, ...list, ...plan.problems.map((p) => JSON.stringify(p))]);
  const made = madeOf(keys);
  const last = await lastState(store);
  if (last?.made === made) return null;
  const before =
    last?.plan === planId ? last.before : last?.rollup.missing === 0 ? last.seen : (last?.before ?? null);
  const fold = new Fold(before && new Set(before));
  for (const { place, at, reason } of plan.problems) fold.problem(place, at, reason);
  const places = new Set(plan.groups.flatMap((g) => g.members.map(placeOf)));
  let present = 0;
  const kept: string[] = [];
  for (const key of keys) {
    const found = await keptOf(store, key);
    if (found === null) continue;
    const { row, failure } = found;
    if (!planned.has(key)) {
      if ((row ?? failure).members.every((m) => places.has(m)) || failure) {
        await discard(store, key, row);
        continue;
      }
      fold.gone(key, row.place);
    } else present++;
    kept.push(key);
    if (row) fold.group(row, await store.has(`${folderOfKey(key)}/report.html`));
    else fold.failure(failure);
  }
  const rollup = fold.result(planned.size - present);
  const state: State = {
    made: madeOf(kept),
    plan: planId,
    seen: [...fold.seen].sort(),
    before,
    rollup,
  };
  await write(rollup);
  // the last of its files: without it all are made again
  await store.put(ROLLUP, `${JSON.stringify(state, null, 1)}\n`);
  return rollup;
}

/** As it was made last; null without one. */
export async function lastRollup(store: Store): Promise<Rollup | null> {
  return (await lastState(store))?.rollup ?? null;
}

async function lastState(store: Store): Promise<State | null> {
  const bytes = await store.read(ROLLUP);
  return bytes && JSON.parse(new TextDecoder().decode(bytes));
}

function digest(lines: readonly string[]): string {
  const hash = sha256();
  for (const line of lines) hash.add(`${line}\n`);
  return hash.hex();
}

/** Keys of all groups that have a folder, ascending. */
export async function keysIn(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for (const a of await store.list('groups'))
    for (const b of await store.list(`groups/${a}`)) keys.push(...(await store.list(`groups/${a}/${b}`)));
  return keys;
}

/** What was done before a member, the version or an option changed. */
async function discard(store: Store, key: string, row: GroupRow | null): Promise<void> {
  if (row) await dropRows(store, row.day, key);
  await store.remove(folderOfKey(key));
}

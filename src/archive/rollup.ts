/** What is in OUT, folded to the roll-up; and what is there no more of use, taken away. */
import { folderOfKey, type GroupRow } from '../model/batch.ts';
import { getOr } from '../model/get-or.ts';
import type { Rollup } from '../model/rollup.ts';
import { sha256 } from '../platform/hash.ts';
import { VERSION } from '../platform/package.ts';
import type { Store } from '../platform/store.ts';
import { endedIn, type Kept, keptOf } from './commit.ts';
import { dropRows } from './compact.ts';
import { Fold } from './fold.ts';
import { placeOf } from './member.ts';
import { contentOf, type Plan, type PlannedGroups } from './plan.ts';

const ROLLUP = 'rollup.json';

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
  const state = await stateOf(store, plan);
  if (state === null) return null;
  await write(state.rollup);
  // the last of its files: without it all are made again
  await store.put(ROLLUP, `${JSON.stringify(state, null, 1)}\n`);
  return state.rollup;
}

/** By itself, so that what it needs memory for is gone when charts are drawn. Null when that is what is there. */
async function stateOf(store: Store, plan: Plan): Promise<State | null> {
  const keys = [...(await endedIn(store)).keys()];
  const { groups } = plan;
  const planId = digest([...groups.keys()].sort());
  const madeOf = (list: readonly string[]) =>
    digest([planId, ...list, ...plan.problems.map((p) => JSON.stringify(p))]);
  const made = madeOf(keys);
  const last = await lastState(store);
  if (last?.made === made) return null;
  const before = seenBefore(last, planId);
  const fold = new Fold(before && new Set(before));
  for (const { place, at, reason } of plan.problems) fold.problem(place, at, reason);
  let present = 0;
  const strays: string[] = [];
  const kept: string[] = [];
  const take = async (key: string, found: Kept) => {
    kept.push(key);
    if (found.row) fold.group(found.row, await store.has(`${folderOfKey(key)}/report.html`));
    else fold.failure(found.failure);
  };
  for (const key of keys) {
    const found = await keptOf(store, key);
    if (found === null) continue;
    if (groups.has(key)) {
      present++;
      await take(key, found);
    } else strays.push(key);
  }
  const { gone, outdated } = await sorted(store, strays, groups);
  await discard(store, outdated);
  for (const key of gone) {
    const found = await keptOf(store, key);
    if (found?.row) fold.gone(key, found.row.place);
    if (found) await take(key, found);
  }
  return {
    made: madeOf(kept.sort()),
    plan: planId,
    seen: [...fold.seen].sort(),
    before,
    rollup: fold.result(groups.length - present),
  };
}

/** Causes that were there when the plan before was done; null: there is none, or another version found other causes. */
function seenBefore(last: State | null, planId: string): string[] | null {
  if (last === null || last.rollup.version !== VERSION) return null;
  return last.plan === planId || last.rollup.missing > 0 ? last.before : last.seen;
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

interface Strays {
  /** Their files are no more where they were. */
  gone: string[];
  /** Done before a member, its place, the version or an option changed: the day of their rows, where they have some. */
  outdated: Map<string, string | null>;
}

async function sorted(store: Store, strays: readonly string[], groups: PlannedGroups): Promise<Strays> {
  const found: Strays = { gone: [], outdated: new Map() };
  if (strays.length === 0) return found;
  const places = new Set<string>();
  const contents = new Set<string>();
  for (const { members } of groups) {
    contents.add(contentOf(members));
    for (const m of members) places.add(placeOf(m));
  }
  for (const key of strays) {
    const row = (await keptOf(store, key))?.row;
    const isThere = (group: GroupRow) =>
      contents.has(group.content) || group.members.every((m) => places.has(m));
    if (row && !isThere(row)) found.gone.push(key);
    else found.outdated.set(key, row?.day ?? null);
  }
  return found;
}

async function discard(store: Store, outdated: Strays['outdated']): Promise<void> {
  const days = new Map<string, Set<string>>();
  for (const [key, day] of outdated) if (day !== null) getOr(days, day, () => new Set<string>()).add(key);
  for (const [day, keys] of days) await dropRows(store, day, keys);
  for (const key of outdated.keys()) await store.remove(folderOfKey(key));
}

/** What of a group is put into OUT, in which order: its parts of the tables first, its folder last. A group whose folder is there is done. */
import { type Failure, folderOfKey, type GroupRow } from '../model/batch.ts';
import { join } from '../platform/files.ts';
import { writeNew } from '../platform/output.ts';
import type { Store } from '../platform/store.ts';
import { type Group, headOf } from './plan.ts';
import type { Part } from './rows.ts';

const DONE = 'done.json';
const FAILED = 'failure.json';

export function isDone(store: Store, key: string): Promise<boolean> {
  return store.has(`${folderOfKey(key)}/${DONE}`);
}

export function hasFailed(store: Store, key: string): Promise<boolean> {
  return store.has(`${folderOfKey(key)}/${FAILED}`);
}

/** What became of a group; null: nothing yet. */
export type Kept = { row: GroupRow; failure: null } | { row: null; failure: Failure };

export async function keptOf(store: Store, key: string): Promise<Kept | null> {
  const done = await store.read(`${folderOfKey(key)}/${DONE}`);
  if (done) return { row: JSON.parse(new TextDecoder().decode(done)), failure: null };
  const failed = await store.read(`${folderOfKey(key)}/${FAILED}`);
  return failed && { row: null, failure: JSON.parse(new TextDecoder().decode(failed)) };
}

/** A failure of an earlier try makes way. */
export async function forgetFailure(store: Store, key: string): Promise<void> {
  if (await hasFailed(store, key)) await store.remove(folderOfKey(key));
}

/** `fill` writes the folder of the group but for done.json. Killed at any step, it is done again, with the same bytes. */
export async function commitGroup(
  store: Store,
  key: string,
  fill: (folder: string) => Promise<{ done: object; parts: readonly Part[] }>,
): Promise<void> {
  const workplace = await store.workplace();
  try {
    const folder = join(workplace.path, key);
    const { done, parts } = await fill(folder);
    await writeNew(join(folder, DONE), `${JSON.stringify(done, null, 1)}\n`);
    for (const { path, bytes } of parts) await store.put(path, bytes);
    await forgetFailure(store, key);
    await store.putFolder(folderOfKey(key), folder, DONE);
  } finally {
    await workplace.dispose();
  }
}

export async function commitFailure(
  store: Store,
  group: Group,
  why: Pick<Failure, 'stage' | 'at' | 'message' | 'attempts'>,
): Promise<void> {
  const failure: Failure = { ...headOf(group), ...why };
  await store.put(`${folderOfKey(group.key)}/${FAILED}`, `${JSON.stringify(failure, null, 1)}\n`);
}

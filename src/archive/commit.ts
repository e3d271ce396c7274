/** What of a group is put into OUT, in which order: its parts of the tables first, its folder last. A group whose folder is there is done. */
import type { Failure } from '../model/batch.ts';
import { join } from '../platform/files.ts';
import { writeNew } from '../platform/output.ts';
import { VERSION } from '../platform/package.ts';
import type { Store } from '../platform/store.ts';
import { placeOf } from './member.ts';
import { folderOfKey, type Group } from './plan.ts';
import type { Part } from './rows.ts';

export const DONE = 'done.json';
export const FAILED = 'failure.json';

export function isDone(store: Store, key: string): Promise<boolean> {
  return store.has(`${folderOfKey(key)}/${DONE}`);
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
    // a failure of an earlier try makes way
    if (await store.has(`${folderOfKey(key)}/${FAILED}`)) await store.remove(folderOfKey(key));
    await store.putFolder(folderOfKey(key), folder, DONE);
  } finally {
    await workplace.dispose();
  }
}

export async function commitFailure(
  store: Store,
  group: Group,
  { stage, at, message, attempts }: Pick<Failure, 'stage' | 'at' | 'message' | 'attempts'>,
): Promise<void> {
  const { key, place, reason, members, bytes } = group;
  const failure: Failure = {
    key,
    place,
    reason,
    version: VERSION,
    members: members.map(placeOf),
    bytes,
    stage,
    at,
    message,
    attempts,
  };
  await store.put(`${folderOfKey(key)}/${FAILED}`, `${JSON.stringify(failure, null, 1)}\n`);
}

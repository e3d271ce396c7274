/** What of a group is put into OUT, and in which order. */
import { type Failure, folderOfKey, type GroupRow } from '../model/batch.ts';
import { join } from '../platform/files.ts';
import { makeFolder, writeNew } from '../platform/output.ts';
import type { Store, Workplace } from '../platform/store.ts';
import { type Group, headOf } from './plan.ts';
import type { Part } from './rows.ts';

/** How a group ended: `damaged` counts kinds of damage; what failed is in failure.json. */
export type Outcome = { key: string; damaged: number } | { key: string; failed: string };

const DONE = 'done.json';
const FAILED = 'failure.json';

/** Keys of the groups of OUT that are done, or have failed, ascending. */
export async function endedIn(store: Store): Promise<Map<string, 'done' | 'failed'>> {
  const found: [key: string, how: 'done' | 'failed'][] = [];
  for await (const path of store.find('groups', [DONE, FAILED])) {
    const [name, key] = path.split('/').reverse() as [string, string];
    found.push([key, name === DONE ? 'done' : 'failed']);
  }
  // a bucket may hold both of one: then it is done
  return new Map(found.sort(([a, x], [b, y]) => (a === b ? (x < y ? 1 : -1) : a < b ? -1 : 1)));
}

export function isDone(store: Store, key: string): Promise<boolean> {
  return store.has(`${folderOfKey(key)}/${DONE}`);
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
  if (await store.has(`${folderOfKey(key)}/${FAILED}`)) await store.remove(folderOfKey(key));
}

/** So long groups are collected: a disk takes many files in about the time of one. */
const TOGETHER_MS = 1000;

/**
 * Groups on their way into OUT: each is written beside it, and those of a second are put there together. Killed at any
 * step, what is not there is done again, with the same bytes.
 */
export class Commit {
  readonly #store: Store;
  #place: Workplace | null = null;
  #begun = 0;
  /** Folders made for groups. */
  #made = 0;
  #parts: { path: string; local: string }[] = [];
  #folders: { outcome: Outcome; local: string; last: string }[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** What there is has waited long enough. */
  get isDue(): boolean {
    return this.#folders.length > 0 && Date.now() - this.#begun >= TOGETHER_MS;
  }

  /** `fill` writes the folder of the group, which is new, but for done.json. */
  async add(
    key: string,
    fill: (folder: string) => Promise<{ row: GroupRow; parts: readonly Part[] }>,
  ): Promise<void> {
    const local = await this.#newFolder();
    const { row, parts } = await fill(local);
    for (const { path, bytes } of parts) {
      const part = `${local}-${this.#parts.length}`;
      await writeNew(part, bytes);
      this.#parts.push({ path, local: part });
    }
    await this.#addFolder({ key, damaged: row.damage.length }, local, DONE, row);
  }

  async fail(group: Group, why: Pick<Failure, 'stage' | 'at' | 'message' | 'attempts'>): Promise<void> {
    const failure: Failure = { ...headOf(group), ...why };
    const outcome = { key: group.key, failed: why.message };
    await this.#addFolder(outcome, await this.#newFolder(), FAILED, failure);
  }

  /** Puts what was added into OUT: parts of the tables first, folders then. A group whose folder is there is done. */
  async end(): Promise<Outcome[]> {
    if (!this.#place) return [];
    const [store, parts, folders] = [this.#store, this.#parts, this.#folders];
    await this.#place.settle();
    for (const { path, local } of parts) await store.putFile(path, local);
    if (parts.length > 0) await store.settle();
    for (const { outcome, local, last } of folders) {
      if (last === DONE) await forgetFailure(store, outcome.key);
      await store.putFolder(folderOfKey(outcome.key), local, last);
    }
    await store.settle();
    await this.dispose();
    return folders.map(({ outcome }) => outcome);
  }

  /** Takes away what was not put into OUT. */
  async dispose(): Promise<void> {
    await this.#place?.dispose();
    this.#place = null;
    [this.#parts, this.#folders] = [[], []];
  }

  async #newFolder(): Promise<string> {
    if (!this.#place) {
      this.#place = await this.#store.workplace();
      this.#begun = Date.now();
    }
    const folder = join(this.#place.path, String(this.#made++));
    makeFolder(folder);
    return folder;
  }

  async #addFolder(outcome: Outcome, local: string, last: string, content: object): Promise<void> {
    await writeNew(join(local, last), `${JSON.stringify(content, null, 1)}\n`);
    this.#folders.push({ outcome, local, last });
  }
}

/** A group that nobody could do. */
export async function commitFailure(store: Store, ...failure: Parameters<Commit['fail']>): Promise<void> {
  const commit = new Commit(store);
  try {
    await commit.fail(...failure);
    await commit.end();
  } finally {
    await commit.dispose();
  }
}

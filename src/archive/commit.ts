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

type Fill = (folder: string) => Promise<{ row: GroupRow; parts: readonly Part[] }>;
type Why = Pick<Failure, 'stage' | 'at' | 'message' | 'attempts'>;

/**
 * Groups on their way into OUT: those of a second are put there together, while the next ones are analysed. Killed at any
 * step, what is not there is done again, with the same bytes.
 */
export class Commits {
  readonly #store: Store;
  readonly #end: (outcome: Outcome) => void;
  #filling: Commit;
  /** Those before; what it rejects with, `put` and `settled` do. */
  #before: Promise<void> = Promise.resolve();

  /** `end` is called when a group is in OUT. */
  constructor(store: Store, end: (outcome: Outcome) => void) {
    this.#store = store;
    this.#end = end;
    this.#filling = new Commit(store);
  }

  /** What there is has waited long enough. */
  get isDue(): boolean {
    return this.#filling.isDue;
  }

  /** `fill` writes the folder of the group, which is new, but for done.json. */
  add(key: string, fill: Fill): Promise<void> {
    return this.#filling.add(key, fill);
  }

  fail(group: Group, why: Why): Promise<void> {
    return this.#filling.fail(group, why);
  }

  /** Sends what there is on its way, once all before has arrived. */
  async put(): Promise<void> {
    await this.#before;
    const commit = this.#filling;
    this.#filling = new Commit(this.#store);
    this.#before = this.#finish(commit);
    this.#before.catch(() => undefined);
  }

  /** All that was put has arrived. */
  settled(): Promise<void> {
    return this.#before;
  }

  /** Takes away what was not put. */
  dispose(): Promise<void> {
    return this.#filling.dispose();
  }

  async #finish(commit: Commit): Promise<void> {
    try {
      for (const outcome of await commit.end()) this.#end(outcome);
    } finally {
      await commit.dispose();
    }
  }
}

/** Groups that are put into OUT together: each is written beside it first. */
class Commit {
  readonly #store: Store;
  #place: Workplace | null = null;
  #begun = 0;
  /** Folders made for groups. */
  #made = 0;
  readonly #parts: { path: string; local: string }[] = [];
  readonly #folders: { outcome: Outcome; local: string; last: string }[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  get isDue(): boolean {
    return this.#folders.length > 0 && Date.now() - this.#begun >= TOGETHER_MS;
  }

  async add(key: string, fill: Fill): Promise<void> {
    const local = await this.#newFolder();
    const { row, parts } = await fill(local);
    for (const { path, bytes } of parts) {
      const part = `${local}-${this.#parts.length}`;
      await writeNew(part, bytes);
      this.#parts.push({ path, local: part });
    }
    await this.#addFolder({ key, damaged: row.damage.length }, local, DONE, row);
  }

  async fail(group: Group, why: Why): Promise<void> {
    const failure: Failure = { ...headOf(group), ...why };
    const outcome = { key: group.key, failed: why.message };
    await this.#addFolder(outcome, await this.#newFolder(), FAILED, failure);
  }

  /** Parts of the tables first, folders then. A group whose folder is there is done. */
  async end(): Promise<Outcome[]> {
    if (!this.#place) return [];
    const store = this.#store;
    await this.#place.settle();
    for (const { path, local } of this.#parts) await store.putFile(path, local);
    if (this.#parts.length > 0) await store.settle();
    for (const { outcome, local, last } of this.#folders) {
      if (last === DONE) await forgetFailure(store, outcome.key);
      await store.putFolder(folderOfKey(outcome.key), local, last);
    }
    await store.settle();
    return this.#folders.map(({ outcome }) => outcome);
  }

  async dispose(): Promise<void> {
    await this.#place?.dispose();
    this.#place = null;
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
export async function commitFailure(store: Store, group: Group, why: Why): Promise<void> {
  const commit = new Commit(store);
  try {
    await commit.fail(group, why);
    await commit.end();
  } finally {
    await commit.dispose();
  }
}

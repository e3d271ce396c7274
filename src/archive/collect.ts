/** Finds the members of a batch. What was found in a file is kept in OUT and taken from there as long as the file does not change. */
import { sha256OfFile } from '../platform/hash.ts';
import type { Store } from '../platform/store.ts';
import type { Files } from '../platform/types.ts';
import { type Inspected, inspect } from './inspect.ts';
import type { Member, Problem } from './member.ts';
import { isRemote } from './places.ts';
import { filesBelow, type Walk } from './walk.ts';

const MEMBERS = 'members.jsonl';
/** Raised when a line of it means something else than before. */
const SCHEMA = 1;

interface Known extends Inspected {
  schema: number;
  file: string;
  mark: string;
}

export interface Collected {
  members: Member[];
  problems: Problem[];
  /** Files that were found. */
  files: number;
}

/** `onFile` is called with each file that has to be read. Files come in the order of their names. */
export async function collect(
  inputs: readonly string[],
  origin: Files,
  store: Store,
  walk: Walk,
  onFile: (file: string, done: number, of: number) => void,
): Promise<Collected> {
  const problems: Problem[] = [];
  const files = await filesBelow(inputs, origin, walk, problems);
  const known = await knownIn(store);
  const found: Known[] = [];
  let isNew = known.size !== files.length;
  for (const [i, file] of files.entries()) {
    const mark = (await origin.stat(file).catch(() => null))?.mark ?? '';
    const before = known.get(file);
    if (before && before.mark === mark && mark !== '') found.push(before);
    else {
      isNew = true;
      onFile(file, i, files.length);
      const inspected = await inspect(file, origin, (path) => hashOf(path, origin));
      found.push({ schema: SCHEMA, file, mark, ...inspected });
    }
  }
  if (isNew) await store.put(MEMBERS, linesOf(found));
  const members = found.flatMap((f) => f.members.map((m) => ({ ...m, mark: f.mark })));
  for (const f of found) problems.push(...f.problems);
  return { members, problems, files: files.length };
}

async function hashOf(path: string, origin: Files): Promise<string> {
  const { mark } = await origin.stat(path);
  if (isRemote(path)) return mark ?? '';
  const hash = await sha256OfFile(path);
  if (hash === null) throw new Error('cannot be read to its end');
  return hash;
}

async function knownIn(store: Store): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const bytes = await store.read(MEMBERS);
  if (bytes === null) return known;
  for (const line of linesIn(bytes)) {
    const read = parsed(line);
    if (read?.schema === SCHEMA) known.set(read.file, read);
  }
  return known;
}

/** Null for a line that is damaged: its file is read again. */
function parsed(line: string): Known | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function* linesIn(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const stop = end < 0 ? bytes.length : end;
    if (stop > at) yield decoder.decode(bytes.subarray(at, stop));
    at = stop + 1;
  }
}

function linesOf(found: readonly Known[]): string {
  return found.map((f) => `${JSON.stringify(f)}\n`).join('');
}

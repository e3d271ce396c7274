/** Finds the members of a batch. What was found in a file is kept in OUT and taken from there as long as the file does not change. */
import { sha256, sha256OfFile } from '../platform/hash.ts';
import type { Store } from '../platform/store.ts';
import type { Files } from '../platform/types.ts';
import { inspect } from './inspect.ts';
import type { Member, Problem } from './member.ts';
import { isRemote } from './places.ts';
import { Spooled } from './spooled.ts';
import { filesBelow, type Walk } from './walk.ts';

const MEMBERS = 'members.jsonl';
/** Raised when a line of it means something else than before. */
const SCHEMA = 2;

/** Lines of `members.jsonl`: a file, in the order of their names; what was found in it; how many lines that took. */
type Line =
  | { schema: number; file: string; mark: string }
  | { member: Member }
  | { problem: Problem }
  | { lines: number };

export interface Collected {
  members: Spooled<Member>;
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
  const known = new Known(store);
  const lines = new Spooled<Line>();
  const members = new Spooled<Member>();
  let isNew = false;
  for await (const [i, file, { size, mark = '' }] of statsOf(files, origin)) {
    const begin = { schema: SCHEMA, file, mark };
    lines.add(begin);
    const start = [lines.length, members.length, problems.length] as const;
    const found = {
      member: (member: Member) => {
        lines.add({ member: { ...member, mark } });
        members.add({ ...member, mark });
      },
      problem: (problem: Problem) => {
        lines.add({ problem });
        problems.push(problem);
      },
    };
    if (mark === '' || !(await known.give(begin, found))) {
      isNew = true;
      lines.truncate(start[0]);
      members.truncate(start[1]);
      problems.length = start[2];
      onFile(file, i, files.length);
      await inspect(file, size, origin, (path, content) => hashOf(path, mark, content), found);
    }
    lines.add({ lines: lines.length - start[0] });
  }
  if (isNew || (await known.count()) !== files.length) await store.putPieces(MEMBERS, lines.pieces());
  return { members, problems, files: files.length };
}

/** Files that are asked for at a time. */
const ASKED = 64;

async function* statsOf(
  files: readonly string[],
  origin: Files,
): AsyncGenerator<[n: number, file: string, { size: number; mark?: string | undefined }]> {
  for (let from = 0; from < files.length; from += ASKED) {
    const some = files.slice(from, from + ASKED);
    const stats = await Promise.all(some.map((file) => origin.stat(file).catch(() => ({ size: 0 }))));
    for (const [i, file] of some.entries()) yield [from + i, file, stats[i]!];
  }
}

async function hashOf(path: string, mark: string, content: Uint8Array | null): Promise<string> {
  if (isRemote(path)) return mark;
  const hash = content ? sha256Of(content) : await sha256OfFile(path);
  if (hash === null) throw new Error('cannot be read to its end');
  return hash;
}

function sha256Of(content: Uint8Array): string {
  const hash = sha256();
  hash.add(content);
  return hash.hex();
}

type Found = Parameters<typeof inspect>[4];
type Begin = Extract<Line, { file: string }>;

/** What was found before, gone through once: it has files in the order of their names too. */
class Known {
  readonly #lines: AsyncGenerator<Line | null>;
  /** The next file; null: there is none; undefined: it is not looked for yet. */
  #ahead: Begin | null | undefined;
  #files = 0;

  constructor(store: Store) {
    this.#lines = linesIn(store.blocks(MEMBERS));
  }

  /** False when the file is not known as it is now, or a line about it is damaged: some may have been handed out then. */
  async give({ file, mark }: Begin, found: Found): Promise<boolean> {
    let begin = await this.#peek();
    while (begin && begin.file < file) begin = await this.#skip();
    if (begin?.file !== file) return false;
    this.#ahead = undefined;
    if (begin.mark !== mark || begin.schema !== SCHEMA) return false;
    for (let given = 0; ; given++) {
      const line = await this.#line();
      if (!line) return false;
      if ('lines' in line) return line.lines === given;
      if ('member' in line) found.member(line.member);
      else if ('problem' in line) found.problem(line.problem);
    }
  }

  /** Files it has in all. */
  async count(): Promise<number> {
    while (await this.#skip());
    return this.#files;
  }

  async #skip(): Promise<Begin | null> {
    if (this.#ahead) this.#ahead = undefined;
    return this.#peek();
  }

  async #peek(): Promise<Begin | null> {
    while (this.#ahead === undefined) await this.#line();
    return this.#ahead;
  }

  /** The next line that is not where a file begins. Null for such a one, one that is damaged, and at the end. */
  async #line(): Promise<Exclude<Line, Begin> | null> {
    const { done, value } = await this.#lines.next();
    if (done) this.#ahead = null;
    else if (value && 'file' in value) {
      this.#ahead = value;
      this.#files++;
    } else return value;
    return null;
  }
}

/** Null for a line that is damaged. */
async function* linesIn(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Line | null> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const block of blocks) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield parsed(line);
  }
}

function parsed(line: string): Line | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** One group of a batch, top to bottom: its members → the result → its folder and its parts of the tables in OUT. */
import { investigate } from './analyze.ts';
import type { Commits } from './archive/commit.ts';
import type { GroupEvents } from './archive/crew.ts';
import { ChangedError, Material } from './archive/material.ts';
import type { Member } from './archive/member.ts';
import type { Group, GroupOptions } from './archive/plan.ts';
import { GroupRows } from './archive/rows.ts';
import type { Files } from './platform/types.ts';
import type { Result } from './tables/result.ts';
import { writeInto } from './write.ts';

/** What cannot be read is not read better the next time. */
class ReadError extends Error {
  readonly at: string;

  constructor(at: string, message: string) {
    super(message);
    this.at = at;
  }
}

/**
 * Does the groups one after the other, small ones that lie in one archive together: it is gone through once. The last ones
 * may be on their way into OUT still (`settled` of `commits`). Rejects for what is no group's fault (OUT cannot be written) and for a fault of ours, while `begin` names the group it was at.
 */
export async function doGroups(
  groups: readonly Group[],
  origin: Files,
  commits: Commits,
  options: GroupOptions,
  begin: GroupEvents['begin'],
  goesOn: () => boolean = () => true,
): Promise<void> {
  const material = new Material(origin);
  const put = async () => {
    begin(null);
    await commits.put();
  };
  try {
    begin(groups[0]!.key);
    await material.prepare(groups.flatMap((g) => g.members));
    for (const group of groups) {
      if (!goesOn()) break;
      begin(group.key);
      await doGroup(group, material, commits, options);
      if (commits.isDue) await put();
    }
    await put();
  } finally {
    await commits.dispose();
    material.close();
  }
}

async function doGroup(
  group: Group,
  material: Material,
  commits: Commits,
  options: GroupOptions,
): Promise<void> {
  try {
    await commits.add(group.key, async (folder) => {
      const { paths, ...given } = await material.filesOf(group);
      const rows = new GroupRows(group, options);
      const onConnection = rows.add.bind(rows);
      const { result, tables } = await investigate(paths, { ...given, onConnection });
      // it tells what changed before it was read as well
      await material.check(group.members);
      if (result.inputs.every((i) => i.records === 0)) throw nothingIn(result);
      const named = withHashes(result, group.members);
      await writeInto(folder, named, { html: wantsHtml(named, options), tables });
      return rows.finish(named);
    });
  } catch (error) {
    if (!(error instanceof ReadError) && !(error instanceof ChangedError)) throw error;
    const at = error instanceof ReadError ? error.at : '';
    await commits.fail(group, { stage: 'read', at, message: error.message, attempts: 1 });
  }
}

function nothingIn({ diagnostics }: Result): ReadError {
  const why = diagnostics.find((d) => d.severity !== 'info');
  return new ReadError(why?.locator ?? '', why?.message ?? 'no packet and no event in it');
}

function wantsHtml({ causes }: Result, { html }: GroupOptions): boolean {
  return html === 'all' || (html === 'errors' && causes.some((c) => c.severity === 'error'));
}

/** Hashes are known from planning. */
function withHashes(result: Result, members: readonly Member[]): Result {
  const hashes = new Map(members.map((m) => [[m.file, ...m.inside].join('/'), m.hash]));
  const withHash = <T extends { name: string }>(input: T): T => {
    const sha256 = hashes.get(input.name) ?? hashes.get(input.name.replace(/#[^#]*$/, ''));
    return sha256 ? { ...input, sha256 } : input;
  };
  const inputs = result.inputs.map((input) =>
    input.files ? { ...input, files: input.files.map(withHash) } : withHash(input),
  );
  return { ...result, inputs };
}

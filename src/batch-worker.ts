/** A process of a batch: does the groups it is sent, one after the other, and says how each ended. */

import { Commits } from './archive/commit.ts';
import type { Said, Setting, Told } from './archive/hand.ts';
import { originOf, storeAt } from './archive/places.ts';
import type { Group } from './archive/plan.ts';
import { doGroups } from './batch-group.ts';
import { thisChild } from './platform/children.ts';

const { post, listen } = thisChild();
let setting: Setting | null = null;
let commits: Commits | null = null;
let isStopping = false;
let work: Promise<void> = Promise.resolve();
/** Parcels that it took. */
let taken = 0;

listen((message) => {
  if (setting === null) setting = message as Setting;
  else if ('stop' in (message as Told)) isStopping = true;
  else work = work.then(() => run((message as { groups: Group[] }).groups));
});

async function run(groups: readonly Group[]): Promise<void> {
  const { out, options } = setting!;
  const say = (said: Said) => void post(said);
  const fail = (error: unknown) => post(saidOf(error));
  try {
    const goesOn = () => !isStopping;
    commits ??= new Commits(await storeAt(out), (end) => say({ end }));
    const origin = await originOf(
      groups.flatMap((g) => g.members.map((m) => m.file)),
      false,
    );
    await doGroups(groups, origin, commits, options, (begin) => say({ begin }), goesOn);
    say({ idle: true });
    const settled = ++taken;
    commits.settled().then(() => say({ settled }), fail);
  } catch (error) {
    await fail(error);
  }
}

function saidOf(error: unknown): Said {
  const { message, code, errno, path, stack } = error as NodeJS.ErrnoException;
  if (typeof errno !== 'number') return { fault: stack ?? String(error) };
  return { output: { message, code: code ?? '', errno, ...(path !== undefined && { path }) } };
}

/** A process of a batch: does the groups it is sent, one after the other, and says how each ended. */

import type { Outcome } from './archive/commit.ts';
import type { Said, Setting, Told } from './archive/hand.ts';
import { originOf, storeAt } from './archive/places.ts';
import type { Group } from './archive/plan.ts';
import { doGroups } from './batch-group.ts';
import { thisChild } from './platform/children.ts';
import type { Store } from './platform/store.ts';

const { post, listen } = thisChild();
let setting: Setting | null = null;
let store: Store | null = null;
let isStopping = false;
let work: Promise<void> = Promise.resolve();

listen((message) => {
  if (setting === null) setting = message as Setting;
  else if ('stop' in (message as Told)) isStopping = true;
  else work = work.then(() => run((message as { groups: Group[] }).groups));
});

async function run(groups: readonly Group[]): Promise<void> {
  const { out, options } = setting!;
  const say = (said: Said) => void post(said);
  try {
    const goesOn = () => !isStopping;
    store ??= await storeAt(out);
    const origin = await originOf(
      groups.flatMap((g) => g.members.map((m) => m.file)),
      false,
    );
    const events = { begin: (begin: string | null) => say({ begin }), end: (end: Outcome) => say({ end }) };
    await doGroups(groups, origin, store, options, events, goesOn);
    say({ idle: true });
  } catch (error) {
    await post(saidOf(error));
  }
}

function saidOf(error: unknown): Said {
  const { message, code, errno, path, stack } = error as NodeJS.ErrnoException;
  if (typeof errno !== 'number') return { fault: stack ?? String(error) };
  return { output: { message, code: code ?? '', errno, ...(path !== undefined && { path }) } };
}

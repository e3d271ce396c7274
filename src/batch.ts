/** A batch, top to bottom: plan → groups → roll-up. */

import { type Collected, collect } from './archive/collect.ts';
import { Commits, endedIn, forgetFailure, type Outcome } from './archive/commit.ts';
import { Crew, type CrewEvents, type DoGroups } from './archive/crew.ts';
import type { Limits, Setting } from './archive/hand.ts';
import { checkInputs, originOf, storeAt } from './archive/places.ts';
import {
  type Group,
  type GroupOptions,
  type Groups,
  type Period,
  type Plan,
  planLines,
  planOf,
  shardOf,
} from './archive/plan.ts';
import { checkQueue, QueuedRun } from './archive/queue.ts';
import { lastRollup, rollUp } from './archive/rollup.ts';
import type { CrewOf } from './archive/take-jobs.ts';
import type { Walk } from './archive/walk.ts';
import { writeRollup } from './archive/write-rollup.ts';
import { doGroups } from './batch-group.ts';
import type { Rollup } from './model/rollup.ts';
import { OutputError } from './platform/output.ts';
import { VERSION } from './platform/package.ts';
import type { Store } from './platform/store.ts';

export interface BatchOptions {
  inputs: readonly string[];
  out: string;
  /** Processes beside this one; 0: none. */
  jobs: number;
  /** Part `index` (from 1) of `count`. */
  shard: { index: number; count: number } | null;
  walk: Walk;
  period: Period;
  group: GroupOptions;
  retryFailed: boolean;
  /** Redis that hands groups to workers; null: they are done here. */
  queue: string | null;
  limits: Limits;
}

export interface BatchEvents {
  /** A file is looked at that is new, or has changed. */
  look(file: string, done: number, of: number): void;
  /** What there is to do; `done` is there already. */
  plan(plan: Plan, todo: Groups, done: number): void;
  begin(group: Group): void;
  end(group: Group, outcome: Outcome): void;
  note(text: string): void;
}

export interface BatchSummary {
  plan: Plan;
  done: number;
  failed: number;
  damaged: number;
  /** Groups that were there already. */
  before: number;
  /** Stopped by the user. */
  stopped: boolean;
  rollup: Rollup | null;
}

/** `stopping` is given what asks the batch to end with the groups it is at. */
export async function runBatch(
  options: BatchOptions,
  events: BatchEvents,
  stopping: (stop: () => void) => void,
): Promise<BatchSummary> {
  if (options.queue) await checkQueue(options.queue);
  await checkInputs([...options.inputs, options.out]);
  const store = await openOut(options.out, events.note);
  const { plan, todo, before } = await planBatch(options, store, events);
  await store.putPieces('plan.jsonl', planLines(plan));
  events.plan(plan, todo, before);
  // else the failure of then is taken for that of now
  if (options.retryFailed) for (const { key } of todo) await forgetFailure(store, key);
  const sum = { done: 0, failed: 0, damaged: 0 };
  const end = (outcome: Outcome) => {
    if ('failed' in outcome) sum.failed++;
    else {
      sum.done++;
      if (outcome.damaged > 0) sum.damaged++;
    }
    events.end(plan.groups.of(outcome.key), outcome);
  };
  const setting = { out: options.out, options: options.group };
  const crew = options.queue
    ? new QueuedRun(options.queue, setting, options.limits, store, { end, note: events.note })
    : crewOf(options.jobs, setting, store, options.limits, { begin: events.begin, end });
  let stopped = false;
  stopping(() => {
    stopped = true;
    crew.stop();
  });
  if (todo.length > 0) await crew.run(todo).finally(() => crew.close());
  let rollup: Rollup | null = null;
  // again when another batch on this OUT has added groups meanwhile
  for (let made: Rollup | null = null; !stopped; rollup = made) {
    made = await rollUp(store, plan, (r) => writeRollup(store, r));
    if (!made) break;
  }
  if (!stopped) rollup ??= await lastRollup(store);
  await store.tidy();
  return { ...sum, plan, before, stopped, rollup };
}

function crewOf(jobs: number, setting: Setting, store: Store, limits: Limits, events: CrewEvents): Crew {
  const here: DoGroups = async (groups, events) => {
    const origin = await originOf(
      groups.flatMap((g) => g.members.map((m) => m.file)),
      false,
    );
    const commits = new Commits(store, events.end);
    await doGroups(groups, origin, commits, setting.options, events.begin);
    await commits.settled();
  };
  return new Crew(jobs, setting, store, limits, events, here, new URL('./batch-worker.js', import.meta.url));
}

/** For one job of a queue. */
export const crewFor: CrewOf = (job, store, limits) =>
  crewOf(1, { out: job.out, options: job.options }, store, limits, {
    begin: () => undefined,
    end: () => undefined,
  });

/** What would be done, without writing anything but what was found in the inputs. */
export async function planBatch(
  options: BatchOptions,
  store: Store,
  events: Pick<BatchEvents, 'look'>,
): Promise<{ plan: Plan; todo: Groups; before: number; collected: Collected }> {
  const collected = await collect(
    options.inputs,
    await originOf(options.inputs, true),
    store,
    options.walk,
    events.look,
  );
  const plan = planOf(collected.members, collected.problems, options.group, options.period);
  const ended = await endedIn(store);
  const isOver = (key: string) => ended.get(key) === 'done' || (ended.has(key) && !options.retryFailed);
  const mine = [...plan.groups.keys()].filter(
    (key) => !options.shard || shardOf(key, options.shard.count) === options.shard.index - 1,
  );
  const todo = mine.filter((key) => !isOver(key));
  return { plan, todo: plan.groups.only(todo), before: mine.length - todo.length, collected };
}

const MARK = 'batch.json';
const FORMAT = 'tcpautopsy-batch/1';

/** Rejects with OutputError when OUT is something else, or of a format that is not known here. */
export async function openOut(out: string, note: (text: string) => void): Promise<Store> {
  const store = await storeAt(out);
  const bytes = await store.read(MARK);
  if (bytes === null) {
    if ((await store.list('')).length > 0)
      throw new OutputError(`${out} is not empty and holds no batch of ours; name another folder`);
  } else {
    const { format, version } = JSON.parse(new TextDecoder().decode(bytes));
    if (format !== FORMAT)
      throw new OutputError(
        `${out} was written in format ${format}, and this version (${VERSION}) writes ${FORMAT}; name another folder`,
      );
    if (version !== VERSION)
      note(`${out} was written by version ${version}, this is ${VERSION}: every group is analysed again`);
    if (version === VERSION) {
      await store.tidy();
      return store;
    }
  }
  await store.put(MARK, `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`);
  return store;
}

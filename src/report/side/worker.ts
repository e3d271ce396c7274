/** A thread beside the main one: does the tasks it is sent, one at a time, and answers each. */
import { parentPort } from 'node:worker_threads';
import { movedOf, runTask, type TaskName, type Tasks } from './tasks.ts';

/** `error` is what the task rejected with. */
export type Answer = { value: unknown } | { error: unknown };

export interface Order {
  name: TaskName;
  argument: Tasks[TaskName]['argument'];
}

parentPort?.on('message', async ({ name, argument }: Order) => {
  try {
    const value = await runTask(name, argument);
    parentPort?.postMessage({ value } satisfies Answer, await movedOf(name, value));
  } catch (error) {
    parentPort?.postMessage({ error } satisfies Answer);
  }
});

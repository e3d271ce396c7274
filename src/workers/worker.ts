/** A thread beside the main one: does the tasks it is sent, one at a time, and answers each. */
import { thisThread } from '../platform/threads.ts';
import { movedOf, runTask, type TaskName, type Tasks } from './tasks.ts';

/** `error` is what the task rejected with. */
export type Answer = { value: unknown } | { error: unknown };

export interface Order {
  name: TaskName;
  argument: Tasks[TaskName]['argument'];
}

const thread = thisThread();
thread.listen(async (order) => {
  const { name, argument } = order as Order;
  try {
    const value = await runTask(name, argument);
    thread.post({ value } satisfies Answer, await movedOf(name, value));
  } catch (error) {
    thread.post({ error } satisfies Answer);
  }
});

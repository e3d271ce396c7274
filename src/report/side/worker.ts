/** The thread beside the main one: does the tasks it is sent, and answers each by its number. */
import { parentPort } from 'node:worker_threads';
import { runTask } from './tasks.ts';

/** Answers as they come back: `error` is what the task rejected with. */
export type Answer = { id: number; value: unknown } | { id: number; error: unknown };

parentPort?.on('message', ({ id, name, argument }) => {
  const answer = (a: Answer) => parentPort?.postMessage(a);
  runTask(name, argument).then(
    (value) => answer({ id, value }),
    (error: unknown) => answer({ id, error }),
  );
});

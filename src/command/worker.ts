/** `tcpautopsy worker`: does groups of batches on other machines. */
import { counted } from '../view/words.ts';
import { UsageError } from './arguments.ts';
import { define } from './command.ts';
import { err, out } from './console.ts';
import { EXIT_OK } from './faults.ts';

export const worker = define({
  command: 'worker',
  describe: 'do groups of batches that were started with --queue, on this machine',
  options: (y) =>
    y
      .option('queue', {
        type: 'string',
        demandOption: true,
        describe: 'redis://HOST:PORT, rediss:// for TLS',
      })
      .option('root', {
        type: 'string',
        default: '.',
        describe: 'folder that inputs and outputs of jobs must lie in',
      })
      .option('jobs', { type: 'number', describe: 'processes (default: one a core)' }),
  examples: [['worker --queue redis://redis:6379 --root /captures', 'on each machine']],
  async run(a) {
    const [{ checkQueue, QueueError }, { takeJobs }, { crewFor }, { onInterrupt }, { cores }] =
      await Promise.all([
        import('../archive/queue.ts'),
        import('../archive/take-jobs.ts'),
        import('../batch.ts'),
        import('../platform/interrupt.ts'),
        import('../platform/threads.ts'),
      ]);
    await checkQueue(a.queue).catch((error) => {
      throw error instanceof QueueError ? new UsageError(error.message) : error;
    });
    let groups = 0;
    const events = {
      end: (done: number) => {
        groups += done;
      },
      refused: (why: string) => err(`tcpautopsy: job refused: ${why}`),
      away: (why: string) => err(`tcpautopsy: Redis is away (${why}); waits for it`),
    };
    const stopping = (stop: () => void) =>
      onInterrupt(() => {
        err('tcpautopsy: ends with the groups it is at; a second signal ends at once');
        stop();
      });
    await takeJobs(a.queue, a.root, a.jobs ?? cores(), crewFor, events, stopping);
    out(`${counted(groups, 'group')} taken`);
    // a connection that is left would keep the process
    process.exit(EXIT_OK);
  },
});

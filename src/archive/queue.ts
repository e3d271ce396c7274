/**
 * Groups to workers on any number of machines, through BullMQ. The queue gives a job at least once; what is done is
 * decided by OUT alone.
 */
import type { Job, Queue } from 'bullmq';
import { VERSION } from '../platform/package.ts';
import type { Store } from '../platform/store.ts';
import { commitFailure, keptOf, type Outcome } from './commit.ts';
import type { Limits, Setting } from './hand.ts';
import { parcels } from './parcels.ts';
import type { Group, Groups } from './plan.ts';

export const QUEUE = 'tcpautopsy';

/** What a worker is told. It is data from elsewhere: the worker checks all of it. */
export interface Parcel extends Setting {
  version: string;
  limits: Pick<Limits, 'memory' | 'time'>;
  groups: Group[];
}

/** Redis does not answer, or the address makes no sense. The message is for the user. */
export class QueueError extends Error {}

/** Jobs in the queue at a time: at about a kilobyte a group they are 50 MB and more. */
const MOST_QUEUED = 50_000;
const BULK = 500;
const LOOK_MS = 500;
const ATTEMPTS = 3;

/** `redis://[:PASSWORD@]HOST[:PORT][/DB]`, or rediss:// for TLS; the password may be in REDIS_PASSWORD instead. */
export function connectionOf(url: string) {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new QueueError(`--queue ${url}: expected redis://HOST:PORT`);
  }
  const { protocol, hostname, port, pathname, username, password } = parsed;
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new QueueError(`--queue ${url}: expected redis:// or rediss://`);
  const secret = password === '' ? process.env.REDIS_PASSWORD : decodeURIComponent(password);
  return {
    ...{ host: hostname, port: Number(port || 6379), db: Number(pathname.slice(1) || 0) },
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(secret !== undefined && { password: secret }),
    ...(protocol === 'rediss:' && { tls: {} }),
    // commands wait for a Redis that comes back
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(times * 200, 3000),
  };
}

/** Rejects with QueueError when Redis is not there, or does not let us in. */
export async function checkQueue(url: string): Promise<void> {
  const { Redis } = await import('ioredis');
  const options = {
    ...connectionOf(url),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  };
  const redis = new Redis(options);
  let why = '';
  redis.on('error', (error) => {
    why = error.message;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new QueueError(
      `Redis at ${options.host}:${options.port} does not answer: ${why || (error as Error).message}`,
    );
  } finally {
    redis.disconnect();
  }
}

interface QueueEvents {
  end(outcome: Outcome): void;
  note(text: string): void;
}

/** Has workers do the groups, and waits until each is done or failed. */
export class QueuedRun {
  readonly #url: string;
  readonly #parcel: Omit<Parcel, 'groups'>;
  readonly #store: Store;
  readonly #events: QueueEvents;
  readonly #waiting = new Set<string>();
  #isStopping = false;

  constructor(url: string, setting: Setting, limits: Limits, store: Store, events: QueueEvents) {
    this.#url = url;
    const { memory, time } = limits;
    this.#parcel = { version: VERSION, limits: { memory, time }, ...setting };
    this.#store = store;
    this.#events = events;
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Workers go on for others. */
  close(): void {}

  async run(groups: Groups): Promise<void> {
    const { Queue } = await import('bullmq');
    const queue = new Queue<Parcel>(QUEUE, { connection: connectionOf(this.#url) });
    this.#sayWhenAway(queue);
    try {
      for (const { key } of groups) this.#waiting.add(key);
      const lists = parcels(groups, 16);
      while (this.#waiting.size > 0 && !this.#isStopping) {
        await this.#add(queue, lists);
        await new Promise((go) => setTimeout(go, LOOK_MS));
        await this.#look();
        await this.#takeFailed(queue);
      }
    } finally {
      await queue.close().catch(() => undefined);
    }
  }

  #sayWhenAway(queue: Queue): void {
    let isAway = false;
    queue.on('error', (error) => {
      if (!isAway) this.#events.note(`Redis is away (${error.message}); waits for it`);
      isAway = true;
    });
    queue.waitUntilReady().catch(() => undefined);
    queue.on('waiting', () => {
      isAway = false;
    });
  }

  /** As many jobs as the queue may hold. */
  async #add(queue: Queue<Parcel>, lists: Iterator<Group[], undefined>): Promise<void> {
    const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'active', 'delayed');
    for (let room = MOST_QUEUED - waiting - active - delayed; room > 0; ) {
      const jobs = [];
      while (jobs.length < Math.min(BULK, room)) {
        const { value: groups } = lists.next();
        if (!groups) break;
        jobs.push(this.#jobOf(groups));
      }
      if (jobs.length === 0) return;
      await queue.addBulk(jobs);
      room -= jobs.length;
    }
  }

  #jobOf(groups: Group[]) {
    const opts = {
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: true,
      removeOnFail: { age: 86_400 },
    };
    return { name: 'groups', data: { ...this.#parcel, groups }, opts };
  }

  /** What OUT has by now. */
  async #look(): Promise<void> {
    const keys = [...this.#waiting].slice(0, 512);
    await Promise.all(
      keys.map(async (key) => {
        const kept = await keptOf(this.#store, key);
        if (kept?.row) this.#over({ key, damaged: kept.row.damage.length });
        else if (kept) this.#over({ key, failed: kept.failure.message });
        else if (keys.length < this.#waiting.size) {
          // those behind it are looked at the next time
          this.#waiting.delete(key);
          this.#waiting.add(key);
        }
      }),
    );
  }

  #over(outcome: Outcome): void {
    this.#waiting.delete(outcome.key);
    this.#events.end(outcome);
  }

  /** Jobs that were given up: their groups are tried one by one, and one alone has failed. */
  async #takeFailed(queue: Queue<Parcel>): Promise<void> {
    const failed = (await queue.getFailed(0, 100)).filter(
      (job): job is Job<Parcel> => job?.data.out === this.#parcel.out,
    );
    for (const job of failed) {
      const open = job.data.groups.filter((g) => this.#waiting.has(g.key));
      const [first] = open;
      if (job.data.groups.length === 1 && first) {
        const message = (job.failedReason ?? 'the job failed').split('\n')[0]!;
        await commitFailure(this.#store, first, {
          stage: 'worker',
          at: '',
          message,
          attempts: job.attemptsMade,
        });
        this.#over({ key: first.key, failed: message });
      } else await queue.addBulk(open.map((group) => this.#jobOf([group])));
      await job.remove();
    }
  }
}

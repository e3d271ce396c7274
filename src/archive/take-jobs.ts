/** The other end of the queue: takes jobs, and trusts nothing in them. */
import { z } from 'zod';
import { isBelow } from '../platform/files.ts';
import { VERSION } from '../platform/package.ts';
import { isDone } from './commit.ts';
import { type Crew, defaultLimits } from './crew.ts';
import { isRemote, storeAt } from './places.ts';
import type { Group } from './plan.ts';
import { connectionOf, type Parcel, QUEUE } from './queue.ts';

const text = z.string().max(4096);
const member = z.object({
  file: text,
  inside: z.array(text).max(8),
  size: z.number().nonnegative(),
  hash: z.string().max(128),
  kind: z.enum(['capture', 'text', 'other']),
  bundle: z.literal(true).optional(),
  look: z.unknown().optional(),
  mark: text.optional(),
  offset: z.number().int().nonnegative().optional(),
});
const group = z.object({
  key: z.string().regex(/^[\da-f]{64}$/),
  place: text,
  reason: z.enum(['bundle', 'retina', 'rotation', 'same-connections', 'folder', 'alone']),
  why: text,
  bytes: z.number().nonnegative(),
  members: z.array(member).min(1).max(100_000),
  copies: z.array(text).max(100_000),
});
const parcel = z.object({
  version: text,
  out: text,
  options: z.object({ html: z.enum(['never', 'errors', 'all']), connections: z.enum(['problems', 'all']) }),
  limits: z.object({ memory: z.number().positive(), time: z.number().positive() }),
  groups: z.array(group).min(1).max(100_000),
});

/** The job, or why it is not taken. `root`: all that it names lies there; null: in buckets. */
export async function checked(data: unknown, root: string): Promise<Parcel | string> {
  const found = parcel.safeParse(data);
  if (!found.success) return `the job is malformed: ${found.error.issues[0]?.path.join('.')}`;
  const job = found.data as Parcel;
  if (job.version !== VERSION) return `the batch is of version ${job.version}, this worker of ${VERSION}`;
  const paths = new Set([job.out, ...job.groups.flatMap((g) => g.members.map((m) => m.file))]);
  for (const path of paths)
    if (!isRemote(path) && !(await isBelow(path, root))) return `${path} is not below --root ${root}`;
  return job;
}

export type CrewOf = (
  job: Parcel,
  store: Awaited<ReturnType<typeof storeAt>>,
  limits: ReturnType<typeof defaultLimits>,
) => Crew;

/** Processes are kept for the next job of the same batch: one that has just begun takes many times as long for a group. */
class Crews {
  readonly #crewOf: CrewOf;
  #free: { of: string; crew: Crew }[] = [];

  constructor(crewOf: CrewOf) {
    this.#crewOf = crewOf;
  }

  async run(groups: readonly Group[], ...[job, store, limits]: Parameters<CrewOf>): Promise<void> {
    const of = JSON.stringify([job.out, job.options, limits]);
    const known = this.#free.findIndex((f) => f.of === of);
    // those of another batch make way
    if (known < 0) this.close();
    const crew = this.#free.splice(known, 1)[0]?.crew ?? this.#crewOf(job, store, limits);
    try {
      await crew.run(groups);
      this.#free.push({ of, crew });
    } catch (error) {
      crew.close();
      throw error;
    }
  }

  close(): void {
    for (const { crew } of this.#free.splice(0)) crew.close();
  }
}

/** Redis was told of the last job by then; closing never ends where a connection is just being made anew. */
const LATE_MS = 3000;

interface WorkerEvents {
  end(groups: number): void;
  refused(why: string): void;
  away(why: string): void;
}

/** Takes jobs until it is told to stop: then it ends those it is at. A connection to Redis may be left open. */
export async function takeJobs(
  url: string,
  root: string,
  jobs: number,
  crewOf: CrewOf,
  events: WorkerEvents,
  stopping: (stop: () => void) => void,
): Promise<void> {
  const { UnrecoverableError, Worker } = await import('bullmq');
  const own = defaultLimits(jobs);
  const crews = new Crews(crewOf);
  const running = new Set<Promise<void>>();
  const take = async (data: unknown) => {
    const job = await checked(data, root);
    if (typeof job === 'string') {
      events.refused(job);
      throw new UnrecoverableError(job);
    }
    const limits = {
      ...own,
      memory: Math.min(own.memory, job.limits.memory),
      time: Math.min(own.time, job.limits.time),
    };
    const store = await storeAt(job.out);
    // the queue may give a job again
    const open: Group[] = [];
    for (const group of job.groups) if (!(await isDone(store, group.key))) open.push(group);
    await crews.run(open, job, store, limits);
    events.end(open.length);
  };
  const worker = new Worker<Parcel>(
    QUEUE,
    ({ data }) => {
      const run = take(data).finally(() => running.delete(run));
      running.add(run);
      return run;
    },
    {
      connection: connectionOf(url),
      concurrency: jobs,
      lockDuration: 10_000,
      stalledInterval: 5000,
      maxStalledCount: 5,
    },
  );
  let isAway = false;
  worker.on('error', (error) => {
    if (!isAway) events.away(error.message);
    isAway = true;
  });
  worker.on('active', () => {
    isAway = false;
  });
  await new Promise<void>((resolve) => stopping(resolve));
  const closed = worker.close();
  while (running.size > 0) await Promise.allSettled(running);
  const late = new Promise((go) => setTimeout(go, LATE_MS));
  await Promise.race([closed, late]);
  crews.close();
}

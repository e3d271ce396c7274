/** Processes that do groups: each is reused, watched, and replaced when it dies over a group. */
import { memoryOfMachine } from '../platform/children.ts';
import type { Store } from '../platform/store.ts';
import { hasProgram } from '../platform/threads.ts';
import { commitFailure, type Outcome } from './commit.ts';
import { Hand, type Limits, type Said, type Setting } from './hand.ts';
import { parcels } from './parcels.ts';
import type { Group, Groups } from './plan.ts';

export interface CrewEvents {
  begin(group: Group): void;
  end(outcome: Outcome): void;
}

export interface GroupEvents {
  /** Null: what was done is put into OUT. */
  begin(key: string | null): void;
  end(outcome: Outcome): void;
}

/** Does groups in this process; what processes do too (batch-group.ts). */
export type DoGroups = (groups: readonly Group[], events: GroupEvents) => Promise<void>;

/** A group that took a process with it so often is given up. */
const STRIKES = 3;
/** Processes that end over nothing are started again so often. */
const MOST_VAIN = 3;
const WATCH_MS = 100;

export function defaultLimits(jobs: number): Limits {
  const share = (memoryOfMachine() * 0.75) / Math.max(jobs, 1);
  return { memory: Math.min(share, 2 ** 33), time: 30 * 60_000, size: Number.POSITIVE_INFINITY };
}

export class Crew {
  readonly #jobs: number;
  readonly #setting: Setting;
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #events: CrewEvents;
  readonly #here: DoGroups;
  readonly #program: URL;
  /** By key: how often it took its process along. */
  readonly #strikes = new Map<string, number>();
  readonly #members = new Set<Hand>();
  #parcels: Iterator<readonly Group[], undefined> = [].values();
  /** Given to a process that ended before it came to them. */
  #returned: (readonly Group[])[] = [];
  /** Each gets a process of its own, behind all others. */
  #suspects: Group[] = [];
  /** Processes that ended since a group was done, and not over a group. */
  #vain = 0;
  #error: Error | null = null;
  #isStopping = false;
  /** Failures on their way to OUT. */
  #failing = 0;
  #wake: () => void = () => undefined;

  constructor(
    jobs: number,
    setting: Setting,
    store: Store,
    limits: Limits,
    events: CrewEvents,
    here: DoGroups,
    program: URL,
  ) {
    this.#jobs = jobs;
    this.#setting = setting;
    this.#store = store;
    this.#limits = limits;
    this.#events = events;
    this.#here = here;
    this.#program = program;
  }

  /**
   * Rejects with the system's error when OUT cannot be written: nothing more is begun then. Processes stay for the next
   * run, until `close`.
   */
  async run(groups: Groups): Promise<void> {
    // another run counts anew
    this.#strikes.clear();
    this.#vain = 0;
    const { size } = this.#limits;
    if (size !== Number.POSITIVE_INFINITY)
      for (const group of groups)
        if (group.bytes > size)
          await this.#fail(group, 'size', `is larger than --size-limit allows (${group.bytes} bytes)`, 0);
    const isHere = this.#jobs === 0 || !hasProgram(this.#program);
    this.#parcels = parcels(groups, isHere ? 1 : this.#jobs, size);
    if (isHere) return this.#runHere();
    const watch = setInterval(() => {
      for (const hand of this.#members) hand.watch(this.#limits);
    }, WATCH_MS);
    try {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#next();
      });
    } finally {
      clearInterval(watch);
    }
    if (this.#error) throw this.#error;
  }

  close(): void {
    for (const hand of this.#members) hand.kill();
  }

  /** What is running is done to its end; nothing else is begun. */
  stop(): void {
    this.#isStopping = true;
    this.#parcels = [].values();
    [this.#returned, this.#suspects] = [[], []];
    for (const hand of this.#members) hand.stop();
  }

  async #runHere(): Promise<void> {
    for (let groups = this.#take(); groups; groups = this.#take()) {
      const byKey = new Map(groups.map((g) => [g.key, g]));
      await this.#here(groups, {
        begin: (key) => key !== null && this.#events.begin(byKey.get(key)!),
        end: (outcome) => this.#events.end(outcome),
      });
    }
  }

  #take(): readonly Group[] | undefined {
    return this.#returned.pop() ?? this.#parcels.next().value;
  }

  /** Gives groups to who is free. */
  #next(): void {
    for (const hand of this.#members) {
      const groups = hand.isIdle && this.#take();
      if (groups) hand.take(groups);
    }
    while (this.#members.size < this.#jobs) {
      const groups = this.#take() ?? this.#suspects.splice(0, 1);
      if (groups.length === 0) break;
      this.#begin(groups);
    }
    for (const hand of this.#members) {
      const [suspect] = this.#suspects;
      if (!suspect || !hand.isFree) continue;
      this.#suspects.shift();
      this.#members.delete(hand);
      hand.kill();
      this.#begin([suspect]);
    }
    if (this.#failing === 0 && [...this.#members].every((hand) => hand.isFree)) this.#wake();
  }

  #begin(groups: readonly Group[]): void {
    const hand = new Hand(this.#program, this.#setting, {
      hear: (said) => this.#hear(hand, said),
      lost: (how) => this.#lost(hand, how),
    });
    this.#members.add(hand);
    hand.take(groups);
  }

  #hear(hand: Hand, said: Said): void {
    if ('begin' in said) {
      const group = hand.begin(said.begin);
      if (group) this.#events.begin(group);
    } else if ('end' in said) {
      this.#vain = 0;
      hand.end(said.end.key);
      this.#events.end(said.end);
    } else if ('idle' in said) {
      hand.isIdle = true;
      this.#next();
    } else if ('settled' in said) {
      hand.settle(said.settled);
      this.#next();
    } else if ('output' in said) {
      const { message, ...details } = said.output;
      this.#giveUp(Object.assign(new Error(message), details));
    } else hand.kill({ stage: 'analysis', message: said.fault });
  }

  /** A process is no more. What it had not begun is given to others. */
  #lost(hand: Hand, how: string): void {
    if (!this.#members.delete(hand)) return;
    const { current, waiting } = hand.rest();
    if (waiting.length > 0 && !this.#isStopping) this.#returned.push(waiting);
    const { stage, message } = hand.why ?? { stage: 'analysis', message: `its process ended (${how})` };
    if (current && !this.#isStopping) this.#strike(current, stage, message);
    else if (!current && ++this.#vain > MOST_VAIN) this.#giveUp(new Error(message));
    this.#next();
  }

  #strike(group: Group, stage: string, message: string): void {
    const times = (this.#strikes.get(group.key) ?? 0) + 1;
    this.#strikes.set(group.key, times);
    if (times < STRIKES) {
      this.#suspects.push(group);
      return;
    }
    this.#failing++;
    this.#fail(group, stage, message, times)
      .catch((error) => this.#giveUp(error))
      .then(() => {
        this.#failing--;
        this.#next();
      });
  }

  async #fail(group: Group, stage: string, message: string, attempts: number): Promise<void> {
    const [first] = message.split('\n');
    await commitFailure(this.#store, group, { stage, at: '', message: first!, attempts });
    this.#events.end({ key: group.key, failed: first! });
  }

  #giveUp(error: Error): void {
    this.#error ??= error;
    this.stop();
    this.#wake();
  }
}

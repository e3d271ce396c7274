/** Processes that do groups: each is reused, watched, and replaced when it dies over a group. */
import { type Child, memoryOfMachine, startChild } from '../platform/children.ts';
import type { Store } from '../platform/store.ts';
import { hasProgram } from '../platform/threads.ts';
import { commitFailure } from './commit.ts';
import type { Group, GroupOptions, Groups } from './plan.ts';

/** How a group ended: `damaged` counts kinds of damage; what failed is in failure.json. */
export type Outcome = { key: string; damaged: number } | { key: string; failed: string };

export interface Limits {
  /** Bytes of memory of a process. */
  memory: number;
  /** Milliseconds for a group. */
  time: number;
  /** Bytes of the members of a group. */
  size: number;
}

/** What a process is sent first, and what it says. */
export interface Setting {
  out: string;
  options: GroupOptions;
}
export type Told = { groups: readonly Group[] } | { stop: true };
export type Said =
  | { begin: string }
  | { end: Outcome }
  | { idle: true }
  /** OUT cannot be written: an error of the system. */
  | { output: { message: string; code: string; errno: number; path?: string } }
  /** A fault of ours, with its stack. */
  | { fault: string };

/** Does groups in this process; what processes do too (batch-group.ts). */
export type DoGroups = (
  groups: readonly Group[],
  begin: (key: string) => void,
  end: (outcome: Outcome) => void,
) => Promise<void>;

export interface CrewEvents {
  begin(group: Group): void;
  end(outcome: Outcome): void;
}

/** A group that took a process with it so often is given up. */
const STRIKES = 3;
const WATCH_MS = 100;

export function defaultLimits(jobs: number): Limits {
  const share = (memoryOfMachine() * 0.75) / Math.max(jobs, 1);
  return { memory: Math.min(share, 2 ** 33), time: 30 * 60_000, size: Number.POSITIVE_INFINITY };
}

interface Strike {
  times: number;
  stage: string;
  message: string;
}

interface Parcel {
  groups: readonly Group[];
  /** It was begun before and took its process along: it gets a process of its own. */
  suspect: boolean;
}

export class Crew {
  readonly #jobs: number;
  readonly #setting: Setting;
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #events: CrewEvents;
  readonly #here: DoGroups;
  readonly #program: URL;
  readonly #strikes = new Map<string, Strike>();
  readonly #members = new Set<Hand>();
  #parcels: Iterator<Group[], undefined> = [].values();
  /** To be given before all others, and behind them. */
  #returned: Parcel[] = [];
  #suspects: Parcel[] = [];
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

  /** Rejects with the system's error when OUT cannot be written: nothing more is begun then. */
  async run(groups: Groups): Promise<void> {
    const { size } = this.#limits;
    if (size !== Number.POSITIVE_INFINITY)
      for (const group of groups)
        if (group.bytes > size)
          await this.#fail(group, 'size', `is larger than --size-limit allows (${group.bytes} bytes)`, 0);
    const isHere = this.#jobs === 0 || !hasProgram(this.#program);
    this.#parcels = parcels(groups, isHere ? 1 : this.#jobs, size);
    if (isHere) return this.#runHere();
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    try {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#next();
      });
    } finally {
      clearInterval(watch);
      for (const hand of this.#members) hand.child.kill();
    }
    if (this.#error) throw this.#error;
  }

  /** What is running is done to its end; nothing else is begun. */
  stop(): void {
    this.#isStopping = true;
    this.#parcels = [].values();
    [this.#returned, this.#suspects] = [[], []];
    for (const hand of this.#members) hand.child.post({ stop: true } satisfies Told);
  }

  async #runHere(): Promise<void> {
    for (let parcel = this.#take(); parcel; parcel = this.#take()) {
      const byKey = new Map(parcel.groups.map((g) => [g.key, g]));
      await this.#here(
        parcel.groups,
        (key) => this.#events.begin(byKey.get(key)!),
        (outcome) => this.#events.end(outcome),
      );
    }
  }

  #take(): Parcel | undefined {
    const returned = this.#returned.pop();
    if (returned) return returned;
    const { value: groups } = this.#parcels.next();
    return groups ? { groups, suspect: false } : this.#suspects.shift();
  }

  /** Gives parcels to who is free. Suspects wait until they can have a process of their own. */
  #next(): void {
    for (const hand of this.#members) if (hand.isIdle) this.#give(hand, this.#take());
    while (this.#members.size < this.#jobs) {
      const parcel = this.#take();
      if (!parcel) break;
      this.#begin().take(parcel);
    }
    if (this.#failing === 0 && [...this.#members].every((hand) => hand.isIdle)) this.#wake();
  }

  #give(hand: Hand, parcel: Parcel | undefined): void {
    if (parcel?.suspect) {
      // it makes way for a new one
      this.#returned.push(parcel);
      hand.isIdle = false;
      hand.child.kill();
    } else if (parcel) hand.take(parcel);
  }

  #begin(): Hand {
    const child = startChild(this.#program, {
      message: (value) => this.#hear(hand, value as Said),
      exit: (status, signal) => this.#lost(hand, signal ?? `status ${status}`),
    });
    const hand = new Hand(child);
    child.post(this.#setting);
    this.#members.add(hand);
    return hand;
  }

  #hear(hand: Hand, said: Said): void {
    if ('begin' in said) {
      const group = hand.begin(said.begin);
      if (group) this.#events.begin(group);
    } else if ('end' in said) {
      hand.end(said.end.key);
      this.#events.end(said.end);
    } else if ('idle' in said) {
      hand.isIdle = true;
      this.#next();
    } else if ('output' in said) {
      const { message, ...details } = said.output;
      this.#error ??= Object.assign(new Error(message), details);
      this.stop();
      this.#wake();
    } else {
      hand.why = { stage: 'analysis', message: said.fault };
      hand.child.kill();
    }
  }

  /** A process is no more. What it had not begun is given to others. */
  #lost(hand: Hand, how: string): void {
    this.#members.delete(hand);
    const { current, waiting } = hand.rest();
    if (waiting.length > 0 && !this.#isStopping) this.#returned.push({ groups: waiting, suspect: false });
    if (!current || this.#isStopping) {
      this.#next();
      return;
    }
    const why = hand.why ?? { stage: 'analysis', message: `its process ended (${how})` };
    const strike = { ...why, times: (this.#strikes.get(current.key)?.times ?? 0) + 1 };
    this.#strikes.set(current.key, strike);
    if (strike.times < STRIKES) {
      this.#suspects.push({ groups: [current], suspect: true });
      this.#next();
      return;
    }
    this.#failing++;
    this.#fail(current, strike.stage, strike.message, strike.times)
      .catch((error) => {
        this.#error ??= error;
        this.stop();
      })
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

  #watch(): void {
    const now = Date.now();
    const { memory, time } = this.#limits;
    for (const hand of this.#members) {
      if (!hand.since) continue;
      const held = hand.child.memory() ?? 0;
      if (held > memory) {
        const mb = (bytes: number) => Math.round(bytes / 1e6);
        hand.why = {
          stage: 'memory',
          message: `needs more than ${mb(memory)} MB of memory (--memory-limit)`,
        };
      } else if (now - hand.since > time)
        hand.why = { stage: 'time', message: `takes longer than ${time / 1000} s (--time-limit)` };
      else continue;
      hand.since = 0;
      hand.child.kill();
    }
  }
}

/** A process and what it is at. */
class Hand {
  readonly child: Child;
  isIdle = true;
  /** When it began the current group; 0: none. */
  since = 0;
  /** Why it is killed. */
  why: { stage: string; message: string } | null = null;
  #groups: Group[] = [];
  #current: string | null = null;

  constructor(child: Child) {
    this.child = child;
  }

  take({ groups }: Parcel): void {
    this.isIdle = false;
    this.#groups = [...groups];
    this.child.post({ groups } satisfies Told);
  }

  begin(key: string): Group | undefined {
    this.#current = key;
    this.since = Date.now();
    return this.#groups.find((g) => g.key === key);
  }

  end(key: string): void {
    this.#groups = this.#groups.filter((g) => g.key !== key);
    this.#current = null;
    this.since = 0;
  }

  /** What it was at, and what it had not come to. */
  rest(): { current: Group | undefined; waiting: Group[] } {
    const current = this.#groups.find((g) => g.key === this.#current);
    return { current, waiting: this.#groups.filter((g) => g !== current) };
  }
}

/** A parcel is some seconds of work at most. */
const PARCEL_BYTES = 1 << 24;
const PARCEL_GROUPS = 50;
/** Groups of one packed archive go together, so that it is not gone through again and again. */
const ARCHIVE_BYTES = 1 << 28;

/**
 * In order, small ones together; at least four for each process, where there are as many groups. Without those of more
 * than `largest` bytes.
 */
export function* parcels(
  groups: Groups,
  jobs: number,
  largest = Number.POSITIVE_INFINITY,
): Generator<Group[], undefined> {
  const most = Math.min(PARCEL_GROUPS, Math.max(1, Math.ceil(groups.length / (4 * jobs))));
  let parcel: Group[] = [];
  let bytes = 0;
  for (const group of groups) {
    if (group.bytes > largest) continue;
    const archive = packedIn(group);
    const isSame = parcel.length > 0 && packedIn(parcel[0]!) === archive;
    bytes += group.bytes;
    const fits =
      isSame && (archive !== null ? bytes <= ARCHIVE_BYTES : parcel.length < most && bytes <= PARCEL_BYTES);
    if (!fits) {
      if (parcel.length > 0) yield parcel;
      parcel = [];
      bytes = group.bytes;
    }
    parcel.push(group);
  }
  if (parcel.length > 0) yield parcel;
}

function packedIn({ members }: Group): string | null {
  const [first] = members;
  return first!.inside.length > 0 && first!.offset === undefined ? first!.file : null;
}

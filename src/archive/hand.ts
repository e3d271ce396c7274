/** A process that does groups: what it is sent, what it says, and what it is at. */
import { type Child, startChild } from '../platform/children.ts';
import type { Outcome } from './commit.ts';
import type { Group, GroupOptions } from './plan.ts';

/** What a process is sent first, and what it says. */
export interface Setting {
  out: string;
  options: GroupOptions;
}
export type Told = { groups: readonly Group[] } | { stop: true };
export type Said =
  /** Null: what was done is put into OUT. */
  | { begin: string | null }
  | { end: Outcome }
  /** It may be given more, while the last groups are on their way into OUT. */
  | { idle: true }
  /** All of so many parcels is in OUT, or was not begun. */
  | { settled: number }
  /** OUT cannot be written: an error of the system. */
  | { output: { message: string; code: string; errno: number; path?: string } }
  /** A fault of ours, with its stack. */
  | { fault: string };

export interface Limits {
  /** Bytes of memory of a process. */
  memory: number;
  /** Milliseconds for a group. */
  time: number;
  /** Bytes of the members of a group. */
  size: number;
}

interface HandEvents {
  hear(said: Said): void;
  /** Once, however it ended. */
  lost(how: string): void;
}

interface Why {
  stage: string;
  message: string;
}

export class Hand {
  readonly #child: Child;
  isIdle = true;
  /** Parcels that it was given, and those of them that are in OUT. */
  #given = 0;
  #settled = 0;
  /** Why it was ended. */
  why: Why | null = null;
  #groups: readonly Group[] = [];
  #current: string | null = null;
  /** When it began the current group; 0: none. */
  #since = 0;

  constructor(program: URL, setting: Setting, events: HandEvents) {
    this.#child = startChild(program, {
      message: (value) => events.hear(value as Said),
      exit: (status, signal) => events.lost(signal ?? `status ${status}`),
    });
    this.#child.post(setting);
  }

  take(groups: readonly Group[]): void {
    this.isIdle = false;
    this.#given++;
    this.#groups = [...this.#groups, ...groups];
    this.#child.post({ groups } satisfies Told);
  }

  settle(parcels: number): void {
    this.#settled = parcels;
  }

  /** There is nothing that it would take along. */
  get isFree(): boolean {
    return this.isIdle && this.#settled === this.#given;
  }

  /** It ends behind the group it is at. */
  stop(): void {
    this.#child.post({ stop: true } satisfies Told);
  }

  kill(why: Why | null = null): void {
    this.why ??= why;
    this.#since = 0;
    this.#child.kill();
  }

  begin(key: string | null): Group | undefined {
    this.#current = key;
    this.#since = key === null ? 0 : Date.now();
    return this.#groups.find((g) => g.key === key);
  }

  end(key: string): void {
    this.#groups = this.#groups.filter((g) => g.key !== key);
  }

  /** What it was at, and what is not in OUT besides. */
  rest(): { current: Group | undefined; waiting: Group[] } {
    const current = this.#groups.find((g) => g.key === this.#current);
    return { current, waiting: this.#groups.filter((g) => g !== current) };
  }

  /** Kills it when its group wants more than it may. */
  watch({ memory, time }: Limits): void {
    if (this.#since === 0) return;
    if ((this.#child.memory() ?? 0) > memory) {
      const mb = Math.round(memory / 1e6);
      this.kill({ stage: 'memory', message: `needs more than ${mb} MB of memory (--memory-limit)` });
    } else if (Date.now() - this.#since > time)
      this.kill({ stage: 'time', message: `takes longer than ${time / 1000} s (--time-limit)` });
  }
}

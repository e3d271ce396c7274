/** What the probes of a capture said of one connection (docs/bundle.md), by probe and by side. */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { ProbeEvent } from '../../model/event.ts';
import type { Recording } from '../../model/source.ts';
import type { SourceTime } from '../../model/time.ts';
import type { Moment } from '../rule.ts';
import type { Facts } from './facts.ts';
import { PREEMPTED } from './timing.ts';

/** One system call, or one packet in softirq: what it does lies within this time of its beginning. ns. */
export const ONE_CALL = 1_000_000;

/** Anything a capture timed. */
export interface Timed {
  source: number;
  time: SourceTime | null;
  /** Whoever was running, where it is known. */
  pid?: number | null;
  comm?: string | null;
}

/** Not the idle task, nor the kernel's thread for packets, which handles one packet after the other. */
function isProcess({ pid, comm }: Timed): boolean {
  return pid != null && pid > 0 && !comm?.startsWith('ksoftirqd/');
}

export class ProbeFacts {
  readonly #f: Facts;
  readonly #events: readonly ProbeEvent[];

  constructor(f: Facts) {
    this.#f = f;
    this.#events = f.case.kernel.filter((e) => e.kind === 'probe');
  }

  get any(): boolean {
    return this.#events.length > 0;
  }

  /** Events of one probe, in the order of time; of one side when its end is named. */
  of(name: string, side?: SideIndex): ProbeEvent[] {
    return this.#events.filter((e) => e.name === name && (side === undefined || this.sideOf(e) === side));
  }

  /** Of these probes, what lies within one call of a moment, on a socket when that is known. */
  near(names: readonly string[], at: Timed, socket: string | null = null, within = ONE_CALL): ProbeEvent[] {
    return this.#events.filter(
      (e) =>
        names.includes(e.name) &&
        (socket === null || e.socket === socket) &&
        (this.oneCall(e, at) || Math.abs(this.apart(e, at) ?? Number.POSITIVE_INFINITY) <= within),
    );
  }

  /** Both belong to one call: close together in time, or of one process that may have waited for the CPU in between. */
  oneCall(a: Timed, b: Timed): boolean {
    const apart = Math.abs(this.apart(a, b) ?? Number.POSITIVE_INFINITY);
    if (apart <= ONE_CALL) return true;
    return apart <= PREEMPTED && a.source === b.source && a.pid === b.pid && isProcess(a) && isProcess(b);
  }

  /** Nanoseconds from `b` to `a`; null when they cannot be compared. */
  apart(a: Timed, b: Timed): number | null {
    return this.#f.world.between(this.#f.atEvent(a), this.#f.atEvent(b));
  }

  /** Whose end an event is of: the receiver's where the probe saw a packet. */
  sideOf(e: { local: ProbeEvent['local'] }): SideIndex {
    return sameEndpoint(e.local, this.#f.case.client) ? CLIENT : SERVER;
  }

  /** A source's probe was attached and cannot have lost an event: then what it does not show did not happen. */
  complete(source: number, name: string): boolean {
    return this.recording(source)?.complete.has(name) ?? false;
  }

  /** How long events were recorded after a moment, ns; null when unknown. */
  recordedAfter(moment: Moment): number | null {
    return this.recordedBy(moment.source, moment);
  }

  /** How long a source recorded events after a moment of any source, ns; null when unknown. */
  recordedBy(source: number, { source: other, at }: Moment): number | null {
    if (!this.#f.world.context.timeline.comparable(source, other)) return null;
    const until = this.recording(source)?.until;
    const end = until === undefined ? null : this.#f.world.context.timeline.at(source, until);
    return end === null || at === null ? null : end - at;
  }

  recording(source: number): Recording | null {
    return this.#f.world.source(source).recording ?? null;
  }
}

/** The cases of one capture as a collection: made one by one. */
import type { Records } from '../connect/records.ts';
import { EndNumbers } from '../connect/records.ts';
import { addressKey, type Endpoint, parseWords } from '../model/address.ts';
import type { Case, Cases, Listener } from '../model/case.ts';
import type { IcmpEvent, KernelEvent } from '../model/event.ts';
import type { Brief, Outcome } from '../model/outcome.ts';
import type { SourceTime } from '../model/time.ts';
import { caseOf, type Known, NOTHING } from './cases.ts';
import { Directions } from './direction.ts';
import { findListener, type KernelRecord } from './orient.ts';

export type Span = [SourceTime, SourceTime];

export function newBrief(): Brief {
  return {
    keys: [0, 0],
    stacks: [0, 0],
    start: 0,
    answered: false,
    payload: [false, false],
    firstFin: 0,
    finWait2: 0,
    finWait2Kernel: Number.NaN,
  };
}

export function keyOfText(address: string): number | null {
  const words = address.includes('%') ? null : parseWords(address);
  return words && addressKey(...words);
}

/** Every life of a tuple in one capture is a case: nothing else tells of them, and nothing is to be joined. */
export class CaptureCases implements Cases {
  readonly captures: ReadonlyMap<number, Span>;
  readonly #records: Records;
  readonly #known: Known;
  readonly #icmp: ReadonlyMap<number, readonly IcmpEvent[]>;
  readonly #servers: Int32Array;
  readonly #ends = new EndNumbers();
  readonly #brief = newBrief();
  /** The one that was made last: it is asked for again and again. */
  #latest: { n: number; own: Case } | null = null;

  /** `icmp`: ICMP errors about connections of it, by number. */
  constructor(
    records: Records,
    listeners: readonly Listener[],
    events: readonly KernelEvent[],
    icmp: ReadonlyMap<number, readonly IcmpEvent[]>,
  ) {
    this.#records = records;
    this.#icmp = icmp;
    this.#known = { listeners, directions: new Directions(events) };
    this.#servers = new Int32Array(records.count);
    this.captures = new Map([[records.source, records.span as Span]]);
    const guesses: number[] = [];
    for (let n = 0; n < records.count; n++) {
      this.#known.directions.count(...records.ports(n));
      if (records.isGuess(n)) guesses.push(n);
      else this.#servers[n] = this.#number(n);
    }
    for (const n of guesses) {
      if (this.#isTurned(n)) records.turn(n);
      this.#servers[n] = this.#number(n);
    }
  }

  #number(n: number): number {
    return this.#ends.number(...this.#records.server(n), () => this.#records.view(n).server);
  }

  /** The side that was seen first is the server's, by what listens or by the ports. */
  #isTurned(n: number): boolean {
    const { listeners, directions } = this.#known;
    if (listeners.length > 0) {
      const { client, server } = this.#records.view(n);
      const [first, second] = [client, server].map((e) => findListener(e, listeners, undefined) !== null);
      if (first !== second) return first!;
    }
    return directions.serverOf(...this.#records.ports(n)) === 0;
  }

  get count(): number {
    return this.#records.count;
  }

  get servers(): readonly Endpoint[] {
    return this.#ends.ends;
  }

  at(n: number): Case {
    if (this.#latest?.n !== n) {
      const id = `c${n + 1}`;
      const own = caseOf(id, [this.#records.view(n)], this.#recordOf(n), this.#known, undefined);
      this.#latest = { n, own };
    }
    return this.#latest.own;
  }

  #recordOf(n: number): KernelRecord {
    const icmp = this.#icmp.get(n);
    return icmp ? { ...NOTHING, icmp } : NOTHING;
  }

  outcome(n: number): Outcome {
    return this.#icmp.has(n) ? 0 : this.#records.outcome(n);
  }

  shownBy(): Int32Array {
    return Int32Array.from({ length: this.count }, (_, n) => n);
  }

  server(n: number): number {
    return this.#servers[n]!;
  }

  brief(n: number): Brief {
    this.#records.brief(n, this.#brief);
    return this.#brief;
  }

  keyOf(address: string): number {
    return keyOfText(address) ?? Number.NaN;
  }

  synAcks(n: number, take: (time: number) => void): void {
    this.#records.synAcks(n, take);
  }

  *[Symbol.iterator](): Iterator<Case> {
    for (let n = 0; n < this.count; n++) yield this.at(n);
  }
}

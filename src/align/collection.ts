/** The cases of an input as a collection: those that were joined, or those of one capture, which are made one by one. */
import type { Records } from '../connect/records.ts';
import { EndNumbers } from '../connect/records.ts';
import { addressKey, type Endpoint, formatEndpoint, isLoopback, parseWords } from '../model/address.ts';
import type { Case, Cases, Listener } from '../model/case.ts';
import { CLIENT, finWait2Wire, SERVER, type SideIndex } from '../model/connection.ts';
import type { IcmpEvent, KernelEvent } from '../model/event.ts';
import { getOr } from '../model/get-or.ts';
import type { Brief, Outcome } from '../model/outcome.ts';
import { STACKS } from '../model/stack.ts';
import type { SourceTime } from '../model/time.ts';
import { caseOf, type Known, NOTHING } from './cases.ts';
import { Directions } from './direction.ts';
import { findListener, type KernelRecord } from './orient.ts';
import { ofHandshake } from './stacks.ts';

type Span = [SourceTime, SourceTime];

/** Numbers of a Brief. */
const BRIEF = 9;

function extend(spans: Map<number, Span>, source: number, start: SourceTime, end: SourceTime): void {
  const span = spans.get(source);
  if (!span) spans.set(source, [start, end]);
  else {
    if (start < span[0]) span[0] = start;
    if (end > span[1]) span[1] = end;
  }
}

function newBrief(): Brief {
  return {
    keys: [0, 0],
    stacks: [0, 0],
    start: 0,
    answered: false,
    payload: false,
    firstFin: 0,
    finWait2: 0,
  };
}

function keyOfText(address: string): number | null {
  const words = address.includes('%') ? null : parseWords(address);
  return words && addressKey(...words);
}

/** Where a server is, when its endpoint does not say it: its network namespace, of a loopback address its host. */
function placeOf({ server, netns, listener }: Case): string {
  const host = isLoopback(server.address) ? (listener?.host?.name ?? '') : '';
  const ns = netns[SERVER];
  return [ns === null ? '' : `netns ${ns}`, host === '' ? '' : `on ${host}`].filter(Boolean).join(' ');
}

/** Endpoints that servers in several places have. */
function sharedEnds(list: readonly Case[]): Set<string> {
  const first = new Map<string, string>();
  const shared = new Set<string>();
  for (const c of list) {
    const place = placeOf(c);
    if (place === '') continue;
    const end = formatEndpoint(c.server);
    if ((first.get(end) ?? place) === place) first.set(end, place);
    else shared.add(end);
  }
  return shared;
}

/** Cases that are there already. */
export function casesOf(list: readonly Case[]): Cases {
  return new JoinedCases(list);
}

class JoinedCases implements Cases {
  readonly areJoined = true;
  readonly servers: (Endpoint & { place?: string })[] = [];
  readonly captures = new Map<number, Span>();
  readonly #list: readonly Case[];
  readonly #server: Int32Array;
  readonly #keys = new Map<string, number>();
  readonly #brief = newBrief();
  /** BRIEF numbers of each: many passes ask for them, and would unpack the records of all each time. */
  readonly #briefs: Float64Array;

  constructor(list: readonly Case[]) {
    this.#list = list;
    const numbers = new Map<string, number>();
    const shared = sharedEnds(list);
    this.#server = Int32Array.from(list, (c) => {
      const { server } = c;
      const end = formatEndpoint(server);
      const place = shared.has(end) ? placeOf(c) : '';
      const key = `${end} ${place}`;
      let number = numbers.get(key);
      if (number === undefined) {
        number = this.servers.push(place === '' ? server : { ...server, place }) - 1;
        numbers.set(key, number);
      }
      return number;
    });
    this.#briefs = new Float64Array(BRIEF * list.length);
    for (const [n, c] of list.entries()) {
      for (const { source, start, end } of c.wires) extend(this.captures, source, start, end);
      this.#briefs.set(this.#briefOf(c), BRIEF * n);
    }
  }

  get count(): number {
    return this.#list.length;
  }

  at(n: number): Case {
    return this.#list[n]!;
  }

  server(n: number): number {
    return this.#server[n]!;
  }

  outcome(): Outcome {
    return 0;
  }

  /** In the order in which `brief` takes them. */
  #briefOf(c: Case): number[] {
    const [wire] = c.wires;
    const keys = [this.keyOf(c.client.address), this.keyOf(c.server.address)];
    const stacks = [STACKS.indexOf(ofHandshake(c, CLIENT)), STACKS.indexOf(ofHandshake(c, SERVER))];
    if (!wire) return [...keys, ...stacks, Number.NaN, 0, 0, CLIENT, Number.NaN];
    const { start, synAcks, bytes, firstFin } = wire;
    const first = firstFin === SERVER ? SERVER : CLIENT;
    const wait = finWait2Wire(wire) ?? Number.NaN;
    return [...keys, ...stacks, start, synAcks[0] + synAcks[1], bytes[0] + bytes[1], first, wait];
  }

  brief(n: number): Brief {
    const [out, own, at] = [this.#brief, this.#briefs, BRIEF * n];
    out.keys[CLIENT] = own[at]!;
    out.keys[SERVER] = own[at + 1]!;
    out.stacks[CLIENT] = own[at + 2]!;
    out.stacks[SERVER] = own[at + 3]!;
    out.start = own[at + 4]!;
    out.answered = own[at + 5]! > 0;
    out.payload = own[at + 6]! > 0;
    out.firstFin = own[at + 7] as SideIndex;
    out.finWait2 = own[at + 8]!;
    return out;
  }

  keyOf(address: string): number {
    // names have numbers that no address has
    return getOr(this.#keys, address, () => keyOfText(address) ?? -1 - this.#keys.size);
  }

  synAcks(): void {}

  [Symbol.iterator](): Iterator<Case> {
    return this.#list[Symbol.iterator]();
  }
}

/** Every life of a tuple in one capture is a case: nothing else tells of them, and nothing is to be joined. */
export class CaptureCases implements Cases {
  readonly areJoined = false;
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

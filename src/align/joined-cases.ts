/** The cases of joined evidence as a collection: what passes over all of them ask stands in numbers, the rest is made. */
import { type Endpoint, formatEndpoint, isLoopback } from '../model/address.ts';
import type { Case, Cases } from '../model/case.ts';
import {
  CLIENT,
  finWait2Kernel,
  finWait2Wire,
  SERVER,
  type SideIndex,
  type WireConnection,
} from '../model/connection.ts';
import { getOr } from '../model/get-or.ts';
import type { Brief, Outcome } from '../model/outcome.ts';
import { STACKS } from '../model/stack.ts';
import type { SourceTime } from '../model/time.ts';
import type { Numbered } from './cases.ts';
import { keyOfText, newBrief, type Span } from './collection.ts';
import { ofHandshake } from './stacks.ts';

/** Numbers of a Brief. */
const BRIEF = 10;

/** So many cases are kept, a kilobyte each; of more none is. */
const KEPT = 1 << 14;

export class JoinedCases implements Cases {
  readonly servers: readonly (Endpoint & { place?: string })[];
  readonly captures = new Map<number, Span>();
  readonly #list: Numbered<Case>;
  readonly #server: Int32Array;
  readonly #shown = new Map<number, number[]>();
  readonly #keys = new Map<string, number>();
  readonly #brief = newBrief();
  /** BRIEF numbers of each. */
  readonly #briefs: Float64Array;
  /** All, where they are few. */
  readonly #kept: Case[] = [];
  /** The one that was made last: it is asked for again and again. */
  #latest: { n: number; own: Case } | null = null;

  constructor(list: Numbered<Case>) {
    this.#list = list;
    this.#briefs = new Float64Array(BRIEF * list.count);
    const servers = new Servers(list.count);
    for (let n = 0; n < list.count; n++) {
      const c = list.at(n);
      if (list.count <= KEPT) this.#kept.push(c);
      servers.add(n, c);
      for (const { source, start, end } of c.wires) {
        extend(this.captures, source, start, end);
        const shown = getOr(this.#shown, source, (): number[] => []);
        if (shown.at(-1) !== n) shown.push(n);
      }
      this.#briefs.set(this.#briefOf(c), BRIEF * n);
    }
    [this.servers, this.#server] = servers.numbered();
  }

  get count(): number {
    return this.#list.count;
  }

  shownBy(source: number): Int32Array {
    return Int32Array.from(this.#shown.get(source) ?? []);
  }

  at(n: number): Case {
    const kept = this.#kept[n];
    if (kept) return kept;
    if (this.#latest?.n !== n) this.#latest = { n, own: this.#list.at(n) };
    return this.#latest.own;
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
    const inKernel = finWait2Kernel(c.lives) ?? Number.NaN;
    if (!wire) return [...keys, ...stacks, Number.NaN, 0, 0, CLIENT, Number.NaN, inKernel];
    const { start, synAcks, firstFin } = wire;
    const sent = (hasSent(wire, CLIENT) ? 1 : 0) + (hasSent(wire, SERVER) ? 2 : 0);
    const first = firstFin === SERVER ? SERVER : CLIENT;
    const wait = finWait2Wire(wire) ?? Number.NaN;
    return [...keys, ...stacks, start, synAcks[0] + synAcks[1], sent, first, wait, inKernel];
  }

  brief(n: number): Brief {
    const [out, own, at] = [this.#brief, this.#briefs, BRIEF * n];
    out.keys[CLIENT] = own[at]!;
    out.keys[SERVER] = own[at + 1]!;
    out.stacks[CLIENT] = own[at + 2]!;
    out.stacks[SERVER] = own[at + 3]!;
    out.start = own[at + 4]!;
    out.answered = own[at + 5]! > 0;
    out.payload[CLIENT] = (own[at + 6]! & 1) !== 0;
    out.payload[SERVER] = (own[at + 6]! & 2) !== 0;
    out.firstFin = own[at + 7] as SideIndex;
    out.finWait2 = own[at + 8]!;
    out.finWait2Kernel = own[at + 9]!;
    return out;
  }

  keyOf(address: string): number {
    // names have numbers that no address has
    return getOr(this.#keys, address, () => keyOfText(address) ?? -1 - this.#keys.size);
  }

  synAcks(): void {}

  *[Symbol.iterator](): Iterator<Case> {
    for (let n = 0; n < this.count; n++) yield this.at(n);
  }
}

/** As connect/columns.ts tells it of one capture. */
function hasSent({ bytes, isn, acked, fins }: WireConnection, side: SideIndex): boolean {
  const [first, last] = [isn[side], acked[1 - side]!];
  if (bytes[side] > 0 || first === null || last === null) return bytes[side] > 0;
  return ((last - first) | 0) - 1 > Math.min(fins[side], 1);
}

function extend(spans: Map<number, Span>, source: number, start: SourceTime, end: SourceTime): void {
  const span = spans.get(source);
  if (!span) spans.set(source, [start, end]);
  else {
    if (start < span[0]) span[0] = start;
    if (end > span[1]) span[1] = end;
  }
}

interface Place {
  /** null where nothing tells. */
  netns: string | null;
  /** Of a loopback address; '' where nothing tells. */
  host: string;
}

/** Numbers of servers; of an endpoint that servers in several places have, each of these is one. */
class Servers {
  readonly #seen: { server: Endpoint; end: string; place: Place }[] = [];
  readonly #numbers = new Map<string, number>();
  /** Of each case, among those seen. */
  readonly #of: Int32Array;

  constructor(cases: number) {
    this.#of = new Int32Array(cases);
  }

  add(n: number, c: Case): void {
    const [end, place] = [formatEndpoint(c.server), placeOf(c)];
    this.#of[n] = getOr(
      this.#numbers,
      `${end} ${nameOf(place)}`,
      () => this.#seen.push({ server: c.server, end, place }) - 1,
    );
  }

  /** Those there are, and the number of each case's. */
  numbered(): [(Endpoint & { place?: string })[], Int32Array] {
    const servers: (Endpoint & { place?: string })[] = [];
    const shared = this.#sharedEnds();
    const numbers = new Map<string, number>();
    const own = this.#seen.map(({ server, end, place }) => {
      const named = shared.has(end) ? nameOf(place) : '';
      const make = () => servers.push(named === '' ? server : { ...server, place: named }) - 1;
      return getOr(numbers, `${end} ${named}`, make);
    });
    return [servers, this.#of.map((seen) => own[seen]!)];
  }

  /** Endpoints that servers in several places have: a place of which less is known is no other. */
  #sharedEnds(): Set<string> {
    const first = new Map<string, Place>();
    const shared = new Set<string>();
    for (const { end, place } of this.#seen) {
      const known = getOr(first, end, () => place);
      if (known.netns && place.netns && known.netns !== place.netns) shared.add(end);
      if (known.host && place.host && known.host !== place.host) shared.add(end);
      first.set(end, { netns: known.netns ?? place.netns, host: known.host || place.host });
    }
    return shared;
  }
}

/** Where a server is, when its endpoint does not say it: its network namespace, of a loopback address its host. */
function placeOf({ server, netns, listener }: Case): Place {
  return {
    netns: netns[SERVER],
    host: isLoopback(server.address) ? (listener?.host?.name ?? '') : '',
  };
}

function nameOf({ netns, host }: Place): string {
  return [netns === null ? '' : `netns ${netns}`, host === '' ? '' : `on ${host}`].filter(Boolean).join(' ');
}

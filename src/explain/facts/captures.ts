/** What is known of the captures as such: when each ran, whom it saw, and what it cannot show. A capture is a Source.id. */
import { formatEndpoint } from '../../model/address.ts';
import type { Case, Context } from '../../model/case.ts';
import { getOr } from '../../model/get-or.ts';
import type { SourceTime } from '../../model/time.ts';
import { capturesByEnds } from './groups.ts';
import { holdsOneDirection, lacksFrames, type OnlySyns, onlySynsOf } from './unseen.ts';

export class Captures {
  readonly #context: Context;
  #byEnds: Map<string, number[]> | null = null;
  readonly #oneDirections = new Map<number, boolean>();
  readonly #spans = new Map<number, readonly (number | null)[]>();
  readonly #holed = new Map<number, boolean>();
  readonly #onlySyns = new Map<number, OnlySyns>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Captures (Source.id) that saw connections of this client's address to this server endpoint. */
  of({ client, server }: Case): readonly number[] {
    const { cases } = this.#context;
    if (cases.captures.size < 2) return [...cases.captures.keys()];
    this.#byEnds ??= capturesByEnds(cases);
    return this.#byEnds.get(`${client.address} ${formatEndpoint(server)}`) ?? [];
  }

  /** Those of them, ascending, that ran at the same time as one: files that follow one another say nothing of each other. */
  beside(which: Case, own: number): number[] {
    const all = this.of(which).filter((source) => source !== own && this.ranTogether(own, source));
    return all.sort((a, b) => a - b);
  }

  /** A capture that holds one direction only, as packets that acknowledge those of the other show. */
  isOneDirection(source: number): boolean {
    return getOr(this.#oneDirections, source, () => holdsOneDirection(this.#context.cases, source));
  }

  /** A capture that lost frames all over. */
  lacksFrames(source: number): boolean {
    return getOr(this.#holed, source, () => lacksFrames(this.#context.cases, source));
  }

  /** A capture in which every segment carries a SYN, as a filter leaves them: no ACK of a handshake can be in it. */
  holdsOnlySyns(source: number): boolean {
    return this.#onlySynsOf(source) !== null;
  }

  /** Nor can a SYN-ACK. */
  holdsNoSynAcks(source: number): boolean {
    return this.#onlySynsOf(source) === 'syns';
  }

  #onlySynsOf(source: number): OnlySyns {
    return getOr(this.#onlySyns, source, () => onlySynsOf(this.#context.cases, source));
  }

  /** False where one capture had ended when the other began. */
  ranTogether(a: number, b: number): boolean {
    const { timeline } = this.#context;
    if (!timeline.comparable(a, b)) return true;
    const [[fromA, toA], [fromB, toB]] = [this.#spanOnTimeline(a), this.#spanOnTimeline(b)];
    if (fromA == null || toA == null || fromB == null || toB == null) return true;
    return fromA <= toB && fromB <= toA;
  }

  #spanOnTimeline(source: number): readonly (number | null)[] {
    return getOr(this.#spans, source, () =>
      this.span(source).map((time) => this.#context.timeline.at(source, time)),
    );
  }

  /**
   * When a capture was running: from its first to its last packet, or as its bundle says. What it does not show may lie
   * before or after.
   */
  span(source: number): readonly [SourceTime, SourceTime] {
    const seen = this.#context.cases.captures.get(source) ?? [0 as SourceTime, 0 as SourceTime];
    const { window, clock } = this.#context.sources[source]!;
    if (!window || clock.kind !== 'realtime') return seen;
    const [from, to] = [Number(window.from - clock.base), Number(window.to - clock.base)];
    return [Math.min(from, seen[0]) as SourceTime, Math.max(to, seen[1]) as SourceTime];
  }
}

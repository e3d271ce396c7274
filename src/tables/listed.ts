/**
 * Which connections a big report lists one by one. Nobody reads a hundred thousand alike: beyond a limit those of one
 * cause are counted, with what they would have shown, and the report says so where it counts them.
 */
import type { Finding } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { CauseGroup } from '../model/result.ts';

/** Up to so many connections are listed whatever they have in common. */
export const ALL_LISTED = 10_000;
/** Of one cause beyond that: so many of the most telling, and up to so many spread evenly over all. */
const MOST_TELLING = 100;
const SPREAD = 900;

/**
 * Chooses while connections go by, in the order of first sight: what is chosen can be given up later, what was not
 * chosen is never wanted again.
 */
export class Listing {
  readonly #shares = new Map<string, Share>();
  readonly #limit: number;
  readonly #all = new Set<string>();

  /** `limit`: up to so many are listed whatever they have in common. */
  constructor(limit = ALL_LISTED) {
    this.#limit = limit;
  }

  /** True for a connection with a finding above info: only those are listed or counted. `weight`: how much they have to tell. */
  offer(id: string, findings: readonly Pick<Finding, 'rule' | 'severity'>[], weight: number): boolean {
    const rules = new Set(findings.filter((f) => f.severity !== 'info').map((f) => f.rule));
    if (rules.size === 0) return false;
    this.#all.add(id);
    for (const rule of rules) {
      getOr(this.#shares, rule, () => new Share()).offer(id, weight);
    }
    return true;
  }

  /** Connections offered that have a finding above info. */
  get size(): number {
    return this.#all.size;
  }

  /** Was offered, and has a finding above info. */
  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Nothing is counted. */
  get listsAll(): boolean {
    return this.#all.size <= this.#limit;
  }

  /** Those chosen so far. */
  get listed(): ReadonlySet<string> {
    if (this.listsAll) return this.#all;
    return new Set([...this.#shares.values()].flatMap((s) => s.ids));
  }

  /** The others, by the gravest of their causes. */
  counted(causes: readonly CauseGroup[]): ReadonlyMap<CauseGroup, readonly string[]> {
    const counted = new Map<CauseGroup, string[]>();
    const listed = this.listed;
    const rest = new Set([...this.#all].filter((id) => !listed.has(id)));
    for (const cause of causes.filter((c) => c.severity !== 'info')) {
      const own = cause.connections.filter((id) => rest.delete(id));
      if (own.length > 0) counted.set(cause, own);
    }
    return counted;
  }
}

/** Those of one cause. */
class Share {
  /** The heaviest first; of two alike the earlier. */
  readonly #telling: { id: string; weight: number }[] = [];
  #spread: string[] = [];
  #step = 1;
  #offered = 0;

  offer(id: string, weight: number): void {
    if (this.#offered++ % this.#step === 0) this.#spread.push(id);
    if (this.#spread.length > SPREAD) {
      this.#spread = this.#spread.filter((_, i) => i % 2 === 0);
      this.#step *= 2;
    }
    if (this.#telling.length === MOST_TELLING && this.#telling.at(-1)!.weight >= weight) return;
    const place = this.#telling.findIndex((t) => t.weight < weight);
    this.#telling.splice(place < 0 ? this.#telling.length : place, 0, { id, weight });
    if (this.#telling.length > MOST_TELLING) this.#telling.pop();
  }

  get ids(): string[] {
    return [...this.#telling.map((t) => t.id), ...this.#spread];
  }
}

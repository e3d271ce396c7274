/** The roll-up: one pass over the rows of all groups. */
import type { CauseAt, Failure, GroupRow } from '../model/batch.ts';
import { CONFIDENCE_ORDER, SEVERITIES } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { RolledAt, RolledCause, Rollup } from '../model/rollup.ts';
import { VERSION } from '../platform/package.ts';

/** Rows of lists that a reader gets through; the tables have all. */
const MOST_LISTED = 1000;
const MOST_ALIKE = 20;
const FEW = 5;
/** What is new by default is so since. */
export const LAST_RUN = 'the last run';

/** What a cause is recognised by from run to run. */
function identityOf({ rule, listener, host }: Pick<CauseAt, 'rule' | 'listener' | 'host'>): string {
  return `${rule} ${listener} ${host}`;
}

interface Summed {
  at: RolledAt;
  title: string;
}

/** What is alike: causes and where. */
interface Alike {
  causes: string[];
  groups: { key: string; place: string; first: string }[];
  of: number;
}

export class Fold {
  /** Identities of all causes met. */
  readonly seen = new Set<string>();
  readonly #before: ReadonlySet<string> | null;
  readonly #at = new Map<string, Summed>();
  readonly #groupsOf = new Map<string, number>();
  readonly #hours = new Map<string, number>();
  readonly #hosts = new Set<string>();
  readonly #alike = new Map<string, Alike>();
  readonly #rollup: Rollup;

  /** `before`: identities that were there when the plan before this was done; null without such a plan. */
  constructor(before: ReadonlySet<string> | null) {
    this.#before = before;
    this.#rollup = {
      version: VERSION,
      groups: 0,
      withCauses: 0,
      withDamage: 0,
      connections: 0,
      bytes: 0,
      hosts: [],
      first: '',
      last: '',
      causes: [],
      at: [],
      hours: [],
      alike: [],
      shown: [],
      failures: [],
      damaged: [],
      gone: [],
      missing: 0,
      newSince: before && LAST_RUN,
    };
  }

  group(row: GroupRow, hasPage: boolean): void {
    const all = this.#rollup;
    const { key, place, first, last } = row;
    all.groups++;
    all.connections += row.connections;
    all.bytes += row.bytes;
    if (first !== '' && (all.first === '' || first < all.first)) all.first = first;
    if (last > all.last) all.last = last;
    for (const host of row.hosts) this.#hosts.add(host);
    const [damage] = row.damage;
    if (damage) all.withDamage++;
    if (damage && all.damaged.length < MOST_LISTED)
      all.damaged.push({ key, place, message: damage.message, at: damage.at });
    if (row.causes.length === 0) return;
    all.withCauses++;
    const rules = [...new Set(row.causes.map((c) => c.rule))];
    for (const rule of rules) this.#groupsOf.set(rule, (this.#groupsOf.get(rule) ?? 0) + 1);
    for (const cause of row.causes) this.#cause(cause);
    if (all.shown.length < MOST_LISTED)
      all.shown.push({ key, place, first, rules, connections: row.problems, html: hasPage });
    const causes = [...new Set(row.causes.map((c) => `${c.rule} at ${c.listener}`))].sort();
    const alike = getOr(this.#alike, causes.join('\n'), () => ({ causes, groups: [], of: 0 }));
    alike.of++;
    if (alike.groups.length < FEW) alike.groups.push({ key, place, first });
  }

  failure({ key, place, stage, at, message }: Failure): void {
    this.#rollup.failures.push({ key, place, stage, at, message });
  }

  problem(place: string, at: string, message: string): void {
    this.#rollup.failures.push({ key: '', place, stage: 'plan', at, message });
  }

  gone(key: string, place: string): void {
    this.#rollup.gone.push({ key, place });
  }

  result(missing: number): Rollup {
    const byPlace = (a: { place: string }, b: { place: string }) => (a.place < b.place ? -1 : 1);
    const at = [...this.#at.values()].map((s) => s.at).sort(byGravity);
    const hours = Array.from(this.#hours, ([of, connections]) => {
      const [rule, hour] = of.split(' ') as [string, string];
      return { rule, hour, connections };
    });
    return {
      ...this.#rollup,
      hosts: [...this.#hosts].sort(),
      causes: this.#causes(),
      at,
      hours: hours.sort((a, b) => (`${a.hour} ${a.rule}` < `${b.hour} ${b.rule}` ? -1 : 1)),
      alike: [...this.#alike.values()]
        .filter((a) => a.of > 1)
        .sort((a, b) => b.of - a.of || (a.causes.join() < b.causes.join() ? -1 : 1))
        .slice(0, MOST_ALIKE),
      shown: this.#rollup.shown.sort((a, b) => (`${a.first} ${a.place}` < `${b.first} ${b.place}` ? -1 : 1)),
      failures: this.#rollup.failures.sort(byPlace),
      damaged: this.#rollup.damaged.sort(byPlace),
      gone: this.#rollup.gone.sort(byPlace),
      missing,
    };
  }

  #cause(cause: CauseAt): void {
    const identity = identityOf(cause);
    this.seen.add(identity);
    const { rule, title, severity, confidence, listener, host } = cause;
    const isNew = this.#before !== null && !this.#before.has(identity);
    const { at } = getOr(this.#at, identity, () => ({
      title,
      at: {
        rule,
        severity,
        confidence,
        listener,
        host,
        groups: 0,
        connections: 0,
        first: '',
        last: '',
        isNew,
      },
    }));
    at.groups++;
    add(at, cause);
    for (const [hour, connections] of Object.entries(cause.hours)) {
      const key = `${rule} ${hour}`;
      this.#hours.set(key, (this.#hours.get(key) ?? 0) + connections);
    }
  }

  #causes(): RolledCause[] {
    const causes = new Map<string, RolledCause & { where: Set<string>; by: Set<string> }>();
    for (const { at, title } of this.#at.values()) {
      const cause = getOr(causes, at.rule, () => ({
        ...{ rule: at.rule, title, severity: at.severity, confidence: at.confidence },
        ...{
          groups: this.#groupsOf.get(at.rule) ?? 0,
          connections: 0,
          first: '',
          last: '',
          isNew: true,
          places: 0,
          newPlaces: 0,
        },
        ...{ hosts: [], listeners: [], where: new Set<string>(), by: new Set<string>() },
      }));
      cause.where.add(at.listener);
      cause.by.add(at.host);
      cause.places++;
      if (at.isNew) cause.newPlaces++;
      else cause.isNew = false;
      add(cause, at);
    }
    return [...causes.values()]
      .map(({ where, by, ...cause }) => ({ ...cause, hosts: [...by].sort(), listeners: [...where].sort() }))
      .sort(byGravity);
  }
}

type Sum = Pick<RolledAt, 'connections' | 'first' | 'last' | keyof Judged>;

function add(sum: Sum, part: Sum): void {
  sum.connections += part.connections;
  judge(sum, part);
  if (part.first !== '' && (sum.first === '' || part.first < sum.first)) sum.first = part.first;
  if (part.last > sum.last) sum.last = part.last;
}

type Judged = Pick<CauseAt, 'severity' | 'confidence'>;

/** The same, but that what was first seen at a time (RFC 3339) or later is new. */
export function newSince(rollup: Rollup, since: string): Rollup {
  const at = rollup.at.map((a) => ({ ...a, isNew: a.first >= since }));
  const causes = rollup.causes.map((cause) => {
    const newPlaces = at.filter((a) => a.rule === cause.rule && a.isNew).length;
    return { ...cause, newPlaces, isNew: newPlaces === cause.places };
  });
  return { ...rollup, at, causes, newSince: since.replace('T00:00:00.000Z', '') };
}

/** As grave as the gravest, and as sure as the least sure of those: what is said of all is then true of each. */
export function judge(all: Judged, { severity, confidence }: Judged): void {
  const more = SEVERITIES.indexOf(severity) - SEVERITIES.indexOf(all.severity);
  const isLess = CONFIDENCE_ORDER.indexOf(confidence) > CONFIDENCE_ORDER.indexOf(all.confidence);
  if (more > 0 || (more === 0 && isLess)) Object.assign(all, { severity, confidence });
}

type Ranked = Sum & { rule: string; groups: number; listener?: string; host?: string };

/** Errors first, then what is in most groups. */
function byGravity(a: Ranked, b: Ranked): number {
  const order =
    SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) ||
    b.groups - a.groups ||
    b.connections - a.connections;
  const name = (r: Ranked) => `${r.rule} ${r.listener} ${r.host}`;
  return order || (name(a) < name(b) ? -1 : 1);
}

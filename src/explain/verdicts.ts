/**
 * What the rules decided, in numbers: a row for each finding, and for each connection the verdict of every group. Words of
 * the few connections that are shown are made by asking the same rules again.
 */
import {
  CONFIDENCE_ORDER,
  type Finding,
  type FindingSide,
  GROUPS,
  type Role,
  type Severity,
} from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { ClockLabel, CommonTime } from '../model/time.ts';
import type { Facts } from './facts/facts.ts';
import type { World } from './facts/world.ts';
import type { DecidedFinding } from './finding.ts';
import { NumberedVerdict } from './numbered-finding.ts';
import type { Verdicts as Named } from './roles.ts';
import type { Explained, Moment, Rule } from './rule.ts';

const SIDES: readonly FindingSide[] = ['client', 'server', 'path'];
const SEVERITIES: readonly Severity[] = ['info', 'warning', 'error'];
const ROLES: readonly Role[] = ['verdict', 'stage', 'note'];
/** What a word of a finding holds, by the bits below it: rule, side, confidence, severity, role, is told, is a normal end, pieces of evidence, group. */
const SIDE = 8;
const CONFIDENCE = 10;
const SEVERITY = 12;
const ROLE = 14;
const TOLD = 16;
const NORMAL = 17;
const EVIDENCE = 18;
const MOST_EVIDENCE = 255;
const GROUP = 26;
/** Connections whose words are at hand. */
const CACHED_WORDS = 8;

/** Derives the findings of a connection, those that are not told included, by the rules that hold for it. */
export type Decide = (
  facts: Facts,
  rules: readonly Rule[],
) => { all: readonly DecidedFinding[]; told: readonly DecidedFinding[] };

/** Of a stretch of connections; arrays as in Verdicts, where findings are numbered from 0. */
export interface DecidedVerdicts {
  ends: Int32Array<ArrayBuffer>;
  ofGroup: Uint8Array<ArrayBuffer>;
  normal: Uint8Array<ArrayBuffer>;
  connection: Int32Array<ArrayBuffer>;
  word: Int32Array<ArrayBuffer>;
  source: Int32Array<ArrayBuffer>;
  at: Float64Array<ArrayBuffer>;
}

export class Verdicts {
  readonly world: World;
  readonly #rules: readonly Rule[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #decide: Decide;
  /** Place of the first finding of each connection; those of the next one begin where they end. */
  readonly #first: Int32Array;
  /** Of each connection, per group: 1 + number of the rule, 0 for none. */
  readonly #ofGroup: Uint8Array;
  readonly #named = new Map<number, Named>();
  /** Of each connection: 1 + confidence of the rule of its normal end; 0 where it has none. */
  readonly #normal: Uint8Array;
  #connection = new Int32Array(256);
  #word = new Int32Array(256);
  #source = new Int32Array(256);
  #at = new Float64Array(256);
  #count = 0;
  readonly #words: { n: number; told: readonly DecidedFinding[] }[] = [];

  constructor(world: World, rules: readonly Rule[], decide: Decide) {
    const { count } = world.context.cases;
    this.world = world;
    this.#rules = rules;
    this.#numbers = new Map(rules.map((r, i) => [r.id, i]));
    this.#decide = decide;
    this.#first = new Int32Array(count + 1);
    this.#ofGroup = new Uint8Array(count * GROUPS.length);
    this.#normal = new Uint8Array(count);
  }

  /** A connection that ended normally, and of which nothing else is to be said; they come in the order of first sight. */
  addNormal(n: number, rule: Rule): void {
    this.#first[n + 1] = this.#count;
    this.#normal[n] = 1;
    this.#ofGroup[n * GROUPS.length + GROUPS.indexOf(rule.group)] = 1 + this.#numbers.get(rule.id)!;
  }

  add(n: number, all: readonly DecidedFinding[], told: readonly Finding[], verdicts: Named): void {
    for (const finding of all) {
      this.#put(n, finding, told.includes(finding));
      if (finding.byRule.normal && told.includes(finding))
        this.#normal[n] = 1 + CONFIDENCE_ORDER.indexOf(finding.confidence);
    }
    this.#first[n + 1] = this.#count;
    for (let i = 0; i < GROUPS.length; i++)
      this.#ofGroup[n * GROUPS.length + i] = 1 + (this.#numbers.get(verdicts[GROUPS[i]!]) ?? -1);
  }

  /** All that was added, which is of these connections, for another to take. */
  decided(from: number, to: number): DecidedVerdicts {
    return {
      ends: this.#first.slice(from + 1, to + 1),
      ofGroup: this.#ofGroup.slice(from * GROUPS.length, to * GROUPS.length),
      normal: this.#normal.slice(from, to),
      connection: this.#connection.slice(0, this.#count),
      word: this.#word.slice(0, this.#count),
      source: this.#source.slice(0, this.#count),
      at: this.#at.slice(0, this.#count),
    };
  }

  /** Takes what was decided elsewhere of the connections that begin with `from`, as though they had been added. */
  take(from: number, { ends, ofGroup, normal, connection, word, source, at }: DecidedVerdicts): void {
    for (const [i, end] of ends.entries()) this.#first[from + i + 1] = this.#count + end;
    this.#ofGroup.set(ofGroup, from * GROUPS.length);
    this.#normal.set(normal, from);
    while (this.#count + word.length > this.#word.length) this.#grow();
    this.#connection.set(connection, this.#count);
    this.#word.set(word, this.#count);
    this.#source.set(source, this.#count);
    this.#at.set(at, this.#count);
    this.#count += word.length;
  }

  /** Rule ids of the verdicts of a connection, '' where a group has none. */
  of(n: number): Readonly<Named> {
    return getOr(this.#named, this.pattern(n), () => {
      const named = {} as Named;
      for (const [i, group] of GROUPS.entries()) {
        const rule = this.#ofGroup[n * GROUPS.length + i]!;
        named[group] = rule === 0 ? '' : this.#rules[rule - 1]!.id;
      }
      return named;
    });
  }

  /** A number that connections share whose verdicts are the same. */
  pattern(n: number): number {
    let pattern = 0;
    for (let i = 0; i < GROUPS.length; i++) pattern = pattern * 256 + this.#ofGroup[n * GROUPS.length + i]!;
    return pattern;
  }

  /** Confidence of its normal end; null where it had none. */
  normal(n: number): Finding['confidence'] | null {
    const normal = this.#normal[n]!;
    return normal === 0 ? null : CONFIDENCE_ORDER[normal - 1]!;
  }

  /** What is told of a connection: all but a normal end that nothing else explains as well, which is no finding. */
  findings(n: number): Explained[] {
    const own: Explained[] = [];
    for (let i = this.#first[n]!; i < this.#first[n + 1]!; i++)
      if (this.#isFinding(i)) own.push(new NumberedVerdict(this, i));
    return own;
  }

  /** A normal end included, as long as the connection was looked at closely. */
  all(n: number): Explained[] {
    const own: Explained[] = [];
    for (let i = this.#first[n]!; i < this.#first[n + 1]!; i++)
      if (this.#word[i]! & (1 << TOLD)) own.push(new NumberedVerdict(this, i));
    return own;
  }

  /** How much the findings of a connection have to tell. */
  weight(n: number): number {
    let weight = 0;
    for (let i = this.#first[n]!; i < this.#first[n + 1]!; i++)
      if (this.#isFinding(i)) weight += 1 + ((this.#word[i]! >>> EVIDENCE) & MOST_EVIDENCE);
    return weight;
  }

  /** Its findings, in words. */
  tell(n: number): readonly Finding[] {
    if (this.weight(n) === 0) return [];
    return this.words(n).filter((f) => !isNormal(f));
  }

  /** The same with a normal end. */
  words(n: number): readonly DecidedFinding[] {
    const known = this.#words.find((w) => w.n === n);
    if (known) return known.told;
    const rules = new Set<Rule>();
    for (let i = this.#first[n]!; i < this.#first[n + 1]!; i++) rules.add(this.ruleAt(i));
    if (rules.size === 0)
      for (const rule of this.#rules) if (rule.id === this.of(n)[rule.group]) rules.add(rule);
    const { told } = this.#decide(this.world.facts(n), [...rules]);
    if (this.#words.length === CACHED_WORDS) this.#words.shift();
    this.#words.push({ n, told });
    return told;
  }

  connectionAt(i: number): number {
    return this.#connection[i]!;
  }

  ruleAt(i: number): Rule {
    return this.#rules[this.#word[i]! & 255]!;
  }

  field(i: number): Pick<Finding, 'group' | 'side' | 'confidence' | 'severity' | 'role'> {
    const word = this.#word[i]!;
    return {
      group: GROUPS[(word >>> GROUP) & 3]!,
      side: SIDES[(word >>> SIDE) & 3]!,
      confidence: CONFIDENCE_ORDER[(word >>> CONFIDENCE) & 3]!,
      severity: SEVERITIES[(word >>> SEVERITY) & 3]!,
      role: ROLES[(word >>> ROLE) & 3]!,
    };
  }

  momentAt(i: number): Moment | null {
    const [source, at] = [this.#source[i]!, this.#at[i]!];
    return source < 0 ? null : { source, at: Number.isNaN(at) ? null : (at as CommonTime) };
  }

  moment(i: number): { clock: ClockLabel; time: string } {
    const { timeline } = this.world.context;
    const [source, at] = [this.#source[i]!, this.#at[i]!];
    const clock = source < 0 ? 'order' : timeline.label(source);
    return { clock, time: timeline.format(Number.isNaN(at) ? null : (at as CommonTime), clock) };
  }

  #isFinding(i: number): boolean {
    return (this.#word[i]! & ((1 << TOLD) | (1 << NORMAL))) === 1 << TOLD;
  }

  #put(n: number, finding: DecidedFinding, isTold: boolean): void {
    if (this.#count === this.#word.length) this.#grow();
    const i = this.#count++;
    const { moment } = finding.verdict;
    this.#connection[i] = n;
    this.#source[i] = moment?.source ?? -1;
    this.#at[i] = moment?.at ?? Number.NaN;
    this.#word[i] =
      this.#numbers.get(finding.rule)! |
      (SIDES.indexOf(finding.side) << SIDE) |
      (CONFIDENCE_ORDER.indexOf(finding.confidence) << CONFIDENCE) |
      (SEVERITIES.indexOf(finding.severity) << SEVERITY) |
      (ROLES.indexOf(finding.role) << ROLE) |
      ((isTold ? 1 : 0) << TOLD) |
      ((isNormal(finding) ? 1 : 0) << NORMAL) |
      (Math.min(finding.cited.length, MOST_EVIDENCE) << EVIDENCE) |
      (GROUPS.indexOf(finding.group) << GROUP);
  }

  #grow(): void {
    const twice = <T extends Int32Array | Float64Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    const length = this.#word.length * 2;
    this.#connection = twice(this.#connection, new Int32Array(length));
    this.#word = twice(this.#word, new Int32Array(length));
    this.#source = twice(this.#source, new Int32Array(length));
    this.#at = twice(this.#at, new Float64Array(length));
  }
}

/** So a connection ends that met no trouble, and nothing else would look like that. */
export function isNormal({ byRule, alternatives }: DecidedFinding): boolean {
  return byRule.normal === true && alternatives.length === 0;
}

/** What a rule says of a connection, with what the runner adds: identity, role, severity. Words are made when they are read. */
import type { Confidence, Finding, Missing, Role } from '../model/finding.ts';
import { withNames } from '../model/hostnames.ts';
import type { ClockLabel } from '../model/time.ts';
import type { Citation } from './facts/evidence.ts';
import type { Facts } from './facts/facts.ts';
import { limited } from './limits.ts';
import { missingOf } from './missing.ts';
import type { Rule, Verdict, Words } from './rule.ts';
import { hedged, MAYBE, predicate } from './words.ts';

/** Does what may throw, of one connection: a fault becomes a diagnostic, and `otherwise` stands in. */
export type Guard = <T>(what: string, of: Facts | null, work: () => T, otherwise: () => T) => T;

type Told = Words & Pick<Finding, 'evidence'>;

export class DecidedFinding implements Finding {
  readonly facts: Facts;
  readonly byRule: Rule;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly cited: readonly Citation[];
  role: Role = 'note';
  alternatives: string[];
  readonly #guard: Guard;
  #words: Told | null = null;

  constructor(facts: Facts, rule: Rule, verdict: Verdict, guard: Guard) {
    this.facts = facts;
    this.byRule = rule;
    this.verdict = verdict;
    this.#guard = guard;
    const { confidence, evidence } = limited(facts, rule, verdict);
    this.confidence = confidence;
    this.cited = evidence;
    this.alternatives = [...(verdict.alternatives ?? [])];
  }

  get connection(): string {
    return this.facts.case.id;
  }

  get rule(): string {
    return this.byRule.id;
  }

  get group(): Finding['group'] {
    return this.verdict.group ?? this.byRule.group;
  }

  /** What is only possible is no error. */
  get severity(): Finding['severity'] {
    const own = this.verdict.severity ?? this.byRule.severity;
    return this.confidence === 'possible' && own === 'error' ? 'warning' : own;
  }

  get side(): Finding['side'] {
    return this.verdict.side;
  }

  get client(): Finding['client'] {
    return this.facts.case.client;
  }

  get server(): Finding['server'] {
    return this.facts.case.server;
  }

  get clock(): ClockLabel {
    const { moment } = this.verdict;
    return moment ? this.facts.world.context.timeline.label(moment.source) : 'order';
  }

  get time(): string {
    return this.facts.world.context.timeline.format(this.verdict.moment?.at ?? null, this.clock);
  }

  get summary(): string {
    return hedged(withNames(this.#told.summary), this.confidence);
  }

  get remedy(): string {
    return withNames(this.#told.remedy);
  }

  get evidence(): Finding['evidence'] {
    return this.#told.evidence;
  }

  /** What is proved is settled. */
  get missing(): Missing[] {
    return this.confidence === 'proved' ? [] : missingOf(this.facts, this.#told.missing ?? []);
  }

  get #told(): Told {
    const { facts, byRule, verdict, cited } = this;
    this.#words ??= this.#guard(
      `The wording of rule ${byRule.id}`,
      facts,
      (): Told => {
        const { summary, remedy, missing = [] } = byRule.tell(facts, verdict);
        return { summary, remedy: verdict.remedy ?? remedy, missing, evidence: cited.map((c) => c.tell()) };
      },
      () => ({ summary: `It ${MAYBE}${predicate(1, byRule.happened)}.`, remedy: '', evidence: [] }),
    );
    return this.#words;
  }
}

/** The same as plain data. */
export function findingData(f: Finding): Finding {
  return {
    connection: f.connection,
    rule: f.rule,
    group: f.group,
    role: f.role,
    confidence: f.confidence,
    severity: f.severity,
    side: f.side,
    client: f.client,
    server: f.server,
    time: f.time,
    clock: f.clock,
    summary: f.summary,
    remedy: f.remedy,
    evidence: f.evidence,
    missing: f.missing,
    alternatives: f.alternatives,
  };
}

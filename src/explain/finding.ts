/** What a rule says of a connection, with what the runner adds: identity, role, severity. Words are made when they are read. */
import type { Finding, Missing, Role } from '../model/finding.ts';
import type { ClockLabel } from '../model/time.ts';
import type { Facts } from './facts/facts.ts';
import { missingOf } from './missing.ts';
import type { Draft, Rule } from './rule.ts';
import { hedged } from './words.ts';

export class DraftFinding implements Finding {
  readonly facts: Facts;
  readonly byRule: Rule;
  readonly draft: Draft;
  role: Role = 'note';
  alternatives: string[];

  constructor(facts: Facts, rule: Rule, draft: Draft) {
    this.facts = facts;
    this.byRule = rule;
    this.draft = draft;
    this.alternatives = draft.alternatives ?? [];
  }

  get connection(): string {
    return this.facts.case.id;
  }

  get rule(): string {
    return this.byRule.id;
  }

  get group(): Finding['group'] {
    return this.draft.group ?? this.byRule.group;
  }

  get confidence(): Finding['confidence'] {
    return this.draft.confidence;
  }

  /** What is only possible is no error. */
  get severity(): Finding['severity'] {
    const own = this.draft.severity ?? this.byRule.severity;
    return this.confidence === 'possible' && own === 'error' ? 'warning' : own;
  }

  get side(): Finding['side'] {
    return this.draft.side;
  }

  get client(): Finding['client'] {
    return this.facts.case.client;
  }

  get server(): Finding['server'] {
    return this.facts.case.server;
  }

  get clock(): ClockLabel {
    const { moment } = this.draft;
    return moment ? this.facts.world.context.timeline.label(moment.source) : 'order';
  }

  get time(): string {
    return this.facts.world.context.timeline.format(this.draft.moment?.at ?? null, this.clock);
  }

  get summary(): string {
    return hedged(this.draft.summary, this.draft.confidence);
  }

  get remedy(): string {
    return this.draft.remedy;
  }

  get evidence(): Finding['evidence'] {
    return this.draft.evidence;
  }

  get missing(): Missing[] {
    return missingOf(this.facts, this.draft.missing ?? []);
  }
}

/** The same as plain data. */
export function plainFinding(f: Finding): Finding {
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

import type { Evidence, Finding, FindingSide, Severity } from '../../model/finding.ts';
import type { Facts } from '../facts/facts.ts';
import type { Wanted } from '../missing.ts';
import type { Draft, Moment } from '../rule.ts';
import type { RuleId } from '../rules/index.ts';

/** What a decision procedure holds for possible; procedures return them likeliest first. */
export interface Candidate {
  rule: RuleId;
  side: FindingSide;
  confidence: Finding['confidence'];
  /** Why, in one sentence with the connection's own numbers. */
  because: string;
  moment: Moment | null;
  evidence: Evidence[];
}

/** Words a rule puts around its candidate. */
export interface Words {
  summary: string;
  remedy: string;
  missing?: readonly Wanted[];
  /** Where it is not the rule's own. */
  severity?: Severity;
}

/**
 * A rule's draft when its candidate is the likeliest of the list: the others become its alternatives, unless the
 * confidence says that there is one cause only.
 */
export function leading(
  candidates: readonly Candidate[],
  rule: RuleId,
  words: (candidate: Candidate) => Words,
): Draft | null {
  const first = candidates[0];
  if (first?.rule !== rule) return null;
  const others = candidates.slice(1).map((c) => c.rule);
  return draft(
    first,
    words(first),
    [...new Set(others)].filter((id) => id !== rule),
  );
}

export function draft(candidate: Candidate, words: Words, alternatives: RuleId[]): Draft {
  const { confidence, side, moment, evidence } = candidate;
  return {
    confidence,
    side,
    moment,
    evidence,
    ...words,
    alternatives: confidence === 'proved' ? [] : alternatives,
  };
}

export function withEvidence(c: Candidate, more: Evidence[]): Candidate {
  return { ...c, evidence: [...c.evidence, ...more] };
}

/** Procedures are pure in the facts. */
export type Procedure = (facts: Facts) => Candidate[];

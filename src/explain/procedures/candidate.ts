import type { Citation } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { Verdict } from '../rule.ts';
import type { RuleId } from '../rules/index.ts';

/** What a decision procedure holds for possible; procedures return them likeliest first. */
export interface Candidate extends Verdict {
  rule: RuleId;
  /** Why, in one sentence with the connection's own numbers. */
  because(): string;
  /** The segment that was dropped, where the rule is of such. */
  lost?: 'SYN' | 'SYN-ACK' | 'ACK';
}

/** What may have happened of one kind; asked once for all rules that it names. */
export type Procedure = (facts: Facts) => readonly Candidate[];

/**
 * A rule's verdict when its candidate is the likeliest of the list: the others become its alternatives, unless the
 * confidence says that there is one cause only.
 */
export function leading(candidates: readonly Candidate[], rule: string): Candidate | null {
  const first = candidates[0];
  if (first?.rule !== rule) return null;
  const others: RuleId[] = [];
  for (const c of candidates) if (c.rule !== rule && !others.includes(c.rule)) others.push(c.rule);
  return withOthers(first, others);
}

export function withOthers(candidate: Candidate, alternatives: readonly RuleId[]): Candidate {
  // not by a spread, which takes ten times as long: every connection that is decided comes by
  const { rule, side, confidence, because, moment, evidence, severity, group, lost, remedy } = candidate;
  const others = confidence === 'proved' ? [] : alternatives;
  const own: Candidate = { rule, side, confidence, because, moment, evidence, alternatives: others };
  if (severity) own.severity = severity;
  if (group) own.group = group;
  if (lost) own.lost = lost;
  if (remedy) own.remedy = remedy;
  return own;
}

/** The candidate of this rule, which need not be the likeliest; the others become its alternatives. */
export function among(candidates: readonly Candidate[], rule: RuleId): Candidate {
  const own = candidates.find((c) => c.rule === rule)!;
  return withOthers(
    own,
    candidates.filter((c) => c !== own).map((c) => c.rule),
  );
}

export function withEvidence(c: Candidate, more: readonly Citation[]): Candidate {
  return { ...c, evidence: [...c.evidence, ...more] };
}

/** Which of the findings of a connection is the verdict of its group, which is an earlier step, which a note. */
import { CONFIDENCE_ORDER, type Finding, GROUPS, type Group } from '../model/finding.ts';
import { ruleById, rules } from './rules/index.ts';

/** Rule ids of the verdicts of one connection, '' where a group has none. */
export type Verdicts = Record<Group, string>;

const PRECEDENCE = new Map(rules.map((r, i) => [r.id, i]));

/** What is only possible yields to what is more; else the order of the rules decides. */
function compare(a: Finding, b: Finding): number {
  const weak = (f: Finding) => (f.confidence === 'possible' ? 1 : 0);
  return weak(a) - weak(b) || (PRECEDENCE.get(a.rule) ?? 0) - (PRECEDENCE.get(b.rule) ?? 0);
}

/** Gives the findings of one connection their roles: per group and side one verdict; stages; the rest notes. */
export function assignRoles(findings: readonly Finding[]): void {
  const ids = new Set(findings.map((f) => f.rule));
  const taken = new Set<string>();
  for (const finding of [...findings].sort(compare)) {
    const place = `${finding.group} ${finding.side}`;
    const rule = ruleById(finding.rule);
    if (rule?.stageOf?.some((id) => ids.has(id))) finding.role = 'stage';
    else if (rule?.noteOnly || taken.has(place)) finding.role = 'note';
    else {
      finding.role = 'verdict';
      taken.add(place);
    }
  }
}

/**
 * The verdict of each group. A verdict of the syn group that names the cause of a reset is the verdict of the close
 * group as well.
 */
export function verdictsOf(findings: readonly Finding[]): Verdicts {
  const verdicts = Object.fromEntries(GROUPS.map((g) => [g, ''])) as Verdicts;
  for (const finding of findings.filter((f) => f.role === 'verdict').sort(compare)) {
    if (verdicts[finding.group] === '') verdicts[finding.group] = finding.rule;
  }
  if (ruleById(verdicts.syn)?.namesReset) verdicts.close = verdicts.syn;
  return verdicts;
}

export function weakest(findings: readonly Finding[]): Finding['confidence'] {
  return CONFIDENCE_ORDER.findLast((c) => findings.some((f) => f.confidence === c)) ?? 'possible';
}

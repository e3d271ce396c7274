/** Which of the findings of a connection are told, which is the verdict of its group, which an earlier step, which a note. */
import { CONFIDENCE_ORDER, type Finding, type Group } from '../model/finding.ts';
import { contradict } from './excludes.ts';
import { ruleById, rules } from './rules/index.ts';

/** Rule ids of the verdicts of one connection, '' where a group has none. */
export type Verdicts = Record<Group, string>;

const PRECEDENCE = new Map(rules.map((r, i) => [r.id, i]));

function precedence(a: Finding, b: Finding): number {
  return (PRECEDENCE.get(a.rule) ?? 0) - (PRECEDENCE.get(b.rule) ?? 0);
}

/** What is only possible yields to what is more; else the order of the rules decides. */
function compare(a: Finding, b: Finding): number {
  const weak = (f: Finding) => (f.confidence === 'possible' ? 1 : 0);
  return weak(a) - weak(b) || precedence(a, b);
}

/**
 * Gives the findings of one connection their roles, one verdict a group, and returns those that are told: of two that
 * contradict each other the surer.
 */
export function assignRoles<F extends Finding>(findings: readonly F[]): readonly F[] {
  const [only] = findings;
  // as nearly all are
  if (only && findings.length === 1) {
    only.role = ruleById(only.rule)?.noteOnly ? 'note' : 'verdict';
    return findings;
  }
  const told = withoutContradictions(findings);
  const ids = new Set(told.map((f) => f.rule));
  const taken = new Set<Group>();
  for (const finding of [...told].sort(compare)) {
    const rule = ruleById(finding.rule);
    if (rule?.stageOf?.some((id) => ids.has(id))) finding.role = 'stage';
    else if (rule?.noteOnly || taken.has(finding.group)) finding.role = 'note';
    else {
      finding.role = 'verdict';
      taken.add(finding.group);
    }
  }
  return told;
}

function withoutContradictions<F extends Finding>(findings: readonly F[]): F[] {
  const rank = (f: Finding) => CONFIDENCE_ORDER.indexOf(f.confidence);
  const kept: F[] = [];
  for (const finding of [...findings].sort((a, b) => rank(a) - rank(b) || precedence(a, b))) {
    const surer = kept.find((k) => contradict(k, finding));
    if (!surer) kept.push(finding);
    else if (surer.confidence !== 'proved' && surer.group === finding.group)
      surer.alternatives = [...new Set([...surer.alternatives, finding.rule])];
  }
  return findings.filter((f) => kept.includes(f));
}

/**
 * The verdict of each group. A verdict of the syn group that names the cause of a reset is the verdict of the close
 * group as well.
 */
export function verdictsOf(findings: readonly Finding[]): Verdicts {
  const verdicts: Verdicts = { close: '', syn: '', 'fin-wait2': '', stuck: '' };
  for (const { role, group, rule } of findings) if (role === 'verdict') verdicts[group] = rule;
  if (ruleById(verdicts.syn)?.namesReset) verdicts.close = verdicts.syn;
  return verdicts;
}

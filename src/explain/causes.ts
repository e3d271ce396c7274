/** Connections that share one cause, told as one. */
import { CONFIDENCE_ORDER, type Group, type Severity } from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import type { Explained } from './rule.ts';
import { tellTogether, weakest } from './together.ts';

/** The order in which a story runs. */
const GROUP_ORDER: readonly Group[] = ['syn', 'stuck', 'close', 'fin-wait2'];
const SEVERITY_ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** One group per rule; the gravest and largest first. */
export function groupCauses(explained: readonly Explained[]): CauseGroup[] {
  const byRule = new Map<string, Explained[]>();
  for (const e of explained) {
    const list = byRule.get(e.rule.id);
    if (list) list.push(e);
    else byRule.set(e.rule.id, [e]);
  }
  return [...byRule.values()].map(toGroup).sort(graver);
}

function toGroup(all: Explained[]): CauseGroup {
  const { rule, finding } = all[0]!;
  const findings = all.map((e) => e.finding);
  const severity = SEVERITY_ORDER.find((s) => findings.some((f) => f.severity === s)) ?? rule.severity;
  const remedies = new Set(findings.map((f) => f.remedy));
  return {
    rule: rule.id,
    title: rule.title,
    group: rule.group,
    severity,
    // of those that make it so grave: what is only possible makes no error
    confidence: weakest(findings.filter((f) => f.severity === severity)),
    connections: [...new Set(findings.map((f) => f.connection))],
    summary: all.length === 1 ? finding.summary : tellTogether(all),
    remedy: remedies.size === 1 ? finding.remedy : (findings.find((f) => f.remedy !== '')?.remedy ?? ''),
  };
}

function graver(a: CauseGroup, b: CauseGroup): number {
  const rank = (g: CauseGroup) => SEVERITY_ORDER.indexOf(g.severity);
  const order = (g: CauseGroup) => GROUP_ORDER.indexOf(g.group);
  const doubt = (g: CauseGroup) => CONFIDENCE_ORDER.indexOf(g.confidence);
  return (
    rank(a) - rank(b) ||
    b.connections.length - a.connections.length ||
    doubt(a) - doubt(b) ||
    order(a) - order(b)
  );
}

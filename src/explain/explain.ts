/** The explain stage: asks every rule about every case, gives roles, and tells what many cases have in common. */
import type { Case, Context } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Finding, Severity } from '../model/finding.ts';
import type { Answer, CauseGroup, Reconciliation } from '../model/result.ts';
import { answerQuestions } from './answers/index.ts';
import { groupCauses } from './causes.ts';
import { reconcileCounters } from './counters.ts';
import type { Facts } from './facts/facts.ts';
import { World } from './facts/world.ts';
import { rulesByMask } from './mask.ts';
import { byName } from './memo.ts';
import { missingOf } from './missing.ts';
import { assignRoles } from './roles.ts';
import type { Draft, Explained, Rule } from './rule.ts';
import { rules as allRules } from './rules/index.ts';
import { tellStory } from './story.ts';
import { whole } from './whole.ts';
import { hedged } from './words.ts';

export { type Verdicts, verdictsOf } from './roles.ts';

export interface Explanation {
  /** The cases that are told of: all, or those the filter keeps. */
  cases: Case[];
  findings: Finding[];
  causes: CauseGroup[];
  answers: Answer[];
  counters: Reconciliation[];
  story: string[];
}

/** Which connections to tell of: all of them are context, whether kept or not. */
export type Keep = (c: Pick<Case, 'client' | 'server'>, findings: readonly Finding[]) => boolean;

/** Is given every case with all its findings, once. */
export type Take = (c: Case, findings: readonly Finding[]) => void;

export interface ExplainOptions {
  rules?: readonly Rule[];
  keep?: Keep;
  /** With it findings are handed over one case after the other, and the explanation has none. */
  take?: Take;
}

/** Never throws: a rule that does becomes the diagnostic `rule-failed`, and nothing else is lost. */
export function explain(
  context: Context,
  diagnostics: Diagnostics,
  { rules = allRules, keep = () => true, take }: ExplainOptions = {},
): Explanation {
  const world = new World(context);
  const explained: Explained[] = [];
  const outlined = outlines();
  const guard = <T>(what: string, where: string, work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      diagnostics.add({
        code: 'rule-failed',
        severity: 'error',
        source: '',
        locator: where,
        ...(error instanceof Error && error.stack && { fault: error.stack }),
        message: `${what} failed and was left out: ${message}`,
      });
      return otherwise;
    }
  };
  const rulesFor = rulesByMask(rules);
  for (let n = 0; n < context.cases.count; n++) {
    const facts = world.facts(n);
    const c = facts.case;
    const own: Explained[] = [];
    for (const rule of rulesFor(facts.mask)) {
      const drafts = guard(`Rule ${rule.id}`, c.id, () => rule.explain(facts), null);
      for (const draft of asList(drafts)) own.push({ facts, rule, finding: toFinding(facts, rule, draft) });
    }
    const findings = assignRoles(own.map((e) => e.finding));
    if (!keep(c, findings)) continue;
    world.told.push(c);
    take?.(c, findings);
    for (const e of own) if (findings.includes(e.finding)) explained.push(take ? outlined(e) : e);
  }
  const causes = guard('Grouping causes', '', () => groupCauses(explained), []);
  return {
    cases: world.told,
    findings: take ? [] : explained.map((e) => e.finding),
    causes,
    answers: guard('Answering questions', '', () => answerQuestions(world, explained), []),
    counters: guard('Reconciling counters', '', () => reconcileCounters(world, explained), []),
    story: guard('Telling the story', '', () => tellStory(world, explained, causes), []),
  };
}

const NONE = Object.freeze([]) as readonly never[] as never[];

/**
 * What causes, story and answers need of a finding: of its evidence the sources. The first of each rule stays whole, for
 * it stands for the others.
 */
function outlines(): (e: Explained) => Explained {
  const first = new Map<string, Finding>();
  const cited = byName((names) =>
    names.split('\0').map((source) => ({ source, locator: '', time: '', fact: '' })),
  );
  return (e) => {
    const known = first.get(e.rule.id);
    if (!known) {
      first.set(e.rule.id, e.finding);
      return e;
    }
    const remedy = e.finding.remedy === known.remedy ? known.remedy : '';
    const evidence = cited([...new Set(e.finding.evidence.map((v) => v.source))].join('\0'));
    const finding = { ...e.finding, summary: '', remedy, evidence, missing: NONE, alternatives: NONE };
    return { facts: e.facts, rule: e.rule, finding };
  };
}

/** What is only possible is no error. */
function severityOf({ confidence, severity }: Draft, rule: Rule): Severity {
  const own = severity ?? rule.severity;
  return confidence === 'possible' && own === 'error' ? 'warning' : own;
}

function asList(drafts: Draft | Draft[] | null): Draft[] {
  if (drafts === null) return [];
  return Array.isArray(drafts) ? drafts : [drafts];
}

function toFinding(facts: Facts, rule: Rule, draft: Draft): Finding {
  const { timeline } = facts.world.context;
  const clock = draft.moment ? timeline.label(draft.moment.source) : 'order';
  whole(draft.summary);
  for (const { locator, time, fact } of draft.evidence) {
    whole(locator);
    whole(time);
    whole(fact);
  }
  return {
    connection: facts.case.id,
    rule: rule.id,
    group: rule.group,
    role: 'note',
    confidence: draft.confidence,
    severity: severityOf(draft, rule),
    side: draft.side,
    client: facts.case.client,
    server: facts.case.server,
    time: timeline.format(draft.moment?.at ?? null, clock),
    clock,
    summary: hedged(draft.summary, draft.confidence),
    remedy: draft.remedy,
    evidence: draft.evidence,
    missing: missingOf(facts, draft.missing ?? []),
    alternatives: draft.alternatives ?? [],
  };
}

/** The explain stage: asks every rule about every case, gives roles, and tells what many cases have in common. */
import type { Case, Context } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Finding } from '../model/finding.ts';
import type { Activity, Incident, ServerHealth } from '../model/incident.ts';
import type { Answer, CauseGroup, Reconciliation, SettingInfo } from '../model/result.ts';
import { answerQuestions } from './answers/index.ts';
import { groupCauses, normalCauses } from './causes.ts';
import { reconcileCounters } from './counters.ts';
import type { Facts } from './facts/facts.ts';
import { World } from './facts/world.ts';
import { DecidedFinding, type Guard } from './finding.ts';
import { findingsOfHosts } from './hosts/index.ts';
import { incidentsOf } from './incidents.ts';
import { laterRecordings } from './later-recordings.ts';
import { isHealthy, rulesByMask } from './mask.ts';
import { activityOf } from './picture.ts';
import { type Candidate, leading, type Procedure } from './procedures/candidate.ts';
import { assignRoles, verdictsOf } from './roles.ts';
import type { Explained, Rule } from './rule.ts';
import { rules as allRules } from './rules/index.ts';
import { serversHealth } from './servers-health.ts';
import { settingsOf } from './settings.ts';
import { tellStories } from './stories/index.ts';
import { tellStory } from './story.ts';
import { type Decide, type DecidedVerdicts, isNormal, Verdicts } from './verdicts.ts';

export { verdictsOf } from './roles.ts';
export type { Verdicts } from './verdicts.ts';

export interface Explanation {
  /** What was decided of every connection. */
  verdicts: Verdicts;
  /** The connections that are told of, ascending: all, or those the filter keeps. */
  kept: Int32Array;
  /** What is found of hosts and of no connection. */
  ofHosts: readonly Finding[];
  causes: CauseGroup[];
  answers: Answer[];
  settings: SettingInfo[];
  counters: Reconciliation[];
  story: string[];
  incidents: Incident[];
  servers: ServerHealth[];
  activity: Activity | null;
}

/** Which connections to tell of: all of them are context, whether kept or not. */
export type Keep = (
  c: Pick<Case, 'client' | 'server'> & Partial<Case>,
  findings: readonly Pick<Finding, 'rule' | 'severity' | 'confidence'>[],
) => boolean;

export interface ExplainOptions {
  rules?: readonly Rule[];
  keep?: Keep;
  /** Is given each connection that is told of when it has been decided, as long as all that was derived of it is at hand. */
  onDecided?: OnDecided;
}

/** `findings`: what is told of it. */
type OnDecided = (n: number, findings: readonly Finding[], verdicts: Verdicts) => void;

const NONE: readonly Finding[] = [];
const nothing = () => [];

/** What was decided of a stretch of connections: numbers, which another thread can take. */
export interface Decided {
  verdicts: DecidedVerdicts;
  kept: Int32Array<ArrayBuffer>;
}

/** The stage in steps, for threads that each decide a part of the connections. */
export interface Explaining {
  /** Decides connections from `from` up to `to`; they come in ascending order. */
  decide(from: number, to: number): void;
  /** What was decided here, of one stretch. */
  decided(from: number, to: number): Decided;
  /** Takes what was decided elsewhere of the connections that begin with `from`. */
  take(from: number, decided: Decided): void;
  /** Once all are decided. */
  conclude(): Explanation;
}

export function explain(
  context: Context,
  diagnostics: Diagnostics,
  options: ExplainOptions = {},
): Explanation {
  const explaining = beginExplaining(context, diagnostics, options);
  explaining.decide(0, context.cases.count);
  return explaining.conclude();
}

/** Never throws: a rule that does becomes the diagnostic `rule-failed`, and nothing else is lost. */
export function beginExplaining(
  context: Context,
  diagnostics: Diagnostics,
  { rules = allRules, keep, onDecided }: ExplainOptions = {},
): Explaining {
  const world = new World(context);
  const fail = (error: unknown, what: string, of: Facts | null) => {
    const message = error instanceof Error ? error.message : String(error);
    diagnostics.add({
      code: 'rule-failed',
      severity: 'error',
      source: '',
      locator: of ? `c${of.n + 1}` : '',
      ...(error instanceof Error && error.stack && { fault: error.stack }),
      message: `${what} failed and was left out: ${message}`,
    });
  };
  const guard: Guard = (what, of, work, otherwise) => {
    try {
      return work();
    } catch (error) {
      fail(error, what, of);
      return otherwise();
    }
  };
  // without a closure for each of them: most rules do not hold
  const ask = <T>(rule: Rule, facts: Facts, decide: (facts: Facts) => T): T | null => {
    try {
      return decide(facts);
    } catch (error) {
      fail(error, `Rule ${rule.id}`, facts);
      return null;
    }
  };
  const ofCase: Decide = (facts, asked) => {
    const all: DecidedFinding[] = [];
    let by: Procedure | null = null;
    let candidates: readonly Candidate[] | null = null;
    for (const rule of asked) {
      if (rule.by && rule.by !== by) {
        by = rule.by;
        candidates = ask(rule, facts, by);
      }
      const decided = rule.by ? candidates && leading(candidates, rule.id) : ask(rule, facts, rule.decide);
      if (Array.isArray(decided))
        for (const verdict of decided) all.push(new DecidedFinding(facts, rule, verdict, guard));
      else if (decided !== null) all.push(new DecidedFinding(facts, rule, decided, guard));
    }
    return { all, told: assignRoles(all) };
  };
  const verdicts = new Verdicts(world, rules, ofCase);
  const rulesFor = rulesByMask(rules);
  const kept: number[] = [];
  const decide = (n: number) => {
    const mask = world.mask(n);
    const asked = rulesFor(mask);
    const [first] = asked;
    if (first?.normal && asked.length === 1 && isHealthy(mask)) {
      verdicts.addNormal(n, first);
      if (keep && !keep(context.cases.at(n), verdicts.words(n))) return;
      kept.push(n);
      onDecided?.(n, NONE, verdicts);
      return;
    }
    const facts = world.facts(n);
    const { all, told } = ofCase(facts, asked);
    verdicts.add(n, all, told, verdictsOf(told));
    if (keep && !keep(facts.case, told)) return;
    kept.push(n);
    onDecided?.(
      n,
      told.filter((f) => !isNormal(f)),
      verdicts,
    );
  };
  const conclude = () => {
    world.kept = Int32Array.from(kept);
    const explained: Explained[] = [];
    for (const n of world.kept) for (const e of verdicts.findings(n)) explained.push(e);
    const ofHosts = guard('Looking at hosts', null, () => findingsOfHosts(world, explained), nothing).filter(
      (f) => !keep || keep(f, [f]),
    );
    const told = toldOf(world, verdicts, explained, ofHosts, rules, guard);
    return { verdicts, kept: world.kept, ofHosts, ...told };
  };
  return {
    decide: (from, to) => {
      for (let n = from; n < to; n++) decide(n);
    },
    decided: (from, to) => ({ verdicts: verdicts.decided(from, to), kept: Int32Array.from(kept) }),
    take: (from, decided) => {
      verdicts.take(from, decided.verdicts);
      for (const n of decided.kept) kept.push(n);
    },
    conclude,
  };
}

/** What many connections have in common. */
function toldOf(
  world: World,
  verdicts: Verdicts,
  explained: readonly Explained[],
  ofHosts: readonly Finding[],
  rules: readonly Rule[],
  guard: Guard,
) {
  const later = guard('Looking at later recordings', null, () => laterRecordings(world, explained), nothing);
  const causes = guard(
    'Grouping causes',
    null,
    () => groupCauses(explained, normalCauses(verdicts, rules), ofHosts, later),
    nothing,
  );
  const stories = guard('Telling stories', null, () => tellStories(world, explained), nothing);
  return {
    causes,
    answers: guard('Answering questions', null, () => answerQuestions(world, explained, later), nothing),
    settings: guard('Looking at settings', null, () => settingsOf(world, explained), nothing),
    counters: guard('Reconciling counters', null, () => reconcileCounters(world, explained), nothing),
    story: guard(
      'Telling the story',
      null,
      () => tellStory(world, verdicts, explained, causes, stories),
      nothing,
    ),
    incidents: guard(
      'Telling incidents',
      null,
      () => incidentsOf(world, explained, causes, stories),
      nothing,
    ),
    activity: guard(
      'Counting over time',
      null,
      () => activityOf(world, explained),
      () => null,
    ),
    servers: guard('Counting servers', null, () => serversHealth(world, explained), nothing),
  };
}

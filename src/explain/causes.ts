/** Connections that share one cause, told as one. */
import {
  CONFIDENCE_ORDER,
  type Confidence,
  type Finding,
  type Group,
  SEVERITY_ORDER,
  type Severity,
} from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import type { LaterRecording } from './later-recordings.ts';
import type { Explained, Rule } from './rule.ts';
import { ruleById } from './rules/index.ts';
import { connectionsOf, tellTogether, weakest } from './together.ts';
import type { Verdicts } from './verdicts.ts';
import { count, hedged, MAYBE, number, predicate } from './words.ts';

/** The order in which a story runs. */
const GROUP_ORDER: readonly Group[] = ['syn', 'stuck', 'close', 'fin-wait2'];

/** One group per rule; the gravest and largest first. */
export function groupCauses(
  explained: readonly Explained[],
  normal: readonly CauseGroup[],
  ofHosts: readonly Finding[] = [],
  later: readonly LaterRecording[] = [],
): CauseGroup[] {
  const byRule = new Map<string, Explained[]>();
  for (const e of explained) {
    if (e.rule.normal) continue;
    const list = byRule.get(e.rule.id);
    if (list) list.push(e);
    else byRule.set(e.rule.id, [e]);
  }
  const groups = [...[...byRule.values()].map((all) => toGroup(all, later)), ...normal];
  for (const finding of ofHosts) {
    const group = groups.find((g) => g.rule === finding.rule);
    if (group) group.summary += ` ${finding.summary}`;
    else groups.push(ofHost(finding));
  }
  return groups.sort(graver);
}

/** A cause that no connection shows. */
function ofHost({ rule, group, severity, confidence, summary, remedy }: Finding): CauseGroup {
  const { title } = ruleById(rule)!;
  return { rule, title, group, severity, confidence, connections: [], summary, remedy };
}

/** Connections that ended normally are counted, but for those of which something else may be true. */
export function normalCauses(verdicts: Verdicts, rules: readonly Rule[]): CauseGroup[] {
  const rule = rules.find((r) => r.normal);
  const own = Array.from(verdicts.world.kept).filter((n) => verdicts.normal(n) !== null);
  const [first] = own;
  if (!rule || first === undefined) return [];
  const { id, title, group, severity, happened } = rule;
  const isListed = (n: number) => verdicts.findings(n).some((e) => e.rule === rule);
  const listed = own.filter(isListed);
  const confidences: Partial<Record<Confidence, number>> = {};
  for (const n of own) {
    const confidence = verdicts.normal(n)!;
    if (!isListed(n)) confidences[confidence] = (confidences[confidence] ?? 0) + 1;
  }
  const confidence = CONFIDENCE_ORDER.findLast((c) => own.some((n) => verdicts.normal(n) === c))!;
  const words = own.length === 1 ? verdicts.words(first).find((f) => f.rule === id) : undefined;
  const connections = own.length - listed.length;
  return [
    {
      ...{ rule: id, title, group, severity, confidence },
      connections: listed.map((n) => `c${n + 1}`),
      ...(connections > 0 && { unlisted: { connections, confidences } }),
      summary:
        words?.summary ?? normally(happened, (c) => own.filter((n) => verdicts.normal(n) === c).length),
      remedy: '',
    },
  ];
}

/** The surest first: `90 connections were closed normally, and most likely 2 more.` */
function normally(happened: string, numberOf: (confidence: Confidence) => number): string {
  const [surest, ...others] = CONFIDENCE_ORDER.filter((c) => numberOf(c) > 0);
  const own = numberOf(surest!);
  const more = others.map((c) => hedged(`, and ${MAYBE}${number(numberOf(c))} more`, c));
  return `${hedged(`${count(own, 'connection')} ${predicate(own, happened, MAYBE)}`, surest!)}${more.join('')}.`;
}

function toGroup(all: Explained[], later: readonly LaterRecording[]): CauseGroup {
  const { rule, finding } = all[0]!;
  const isSo = (severity: Severity) => (e: Explained) => e.finding.severity === severity;
  const severity = SEVERITY_ORDER.find((s) => all.some(isSo(s))) ?? rule.severity;
  const settled = later.filter((l) => l.rule === rule.id).map((l) => l.text);
  return {
    rule: rule.id,
    title: rule.title,
    group: rule.group,
    severity,
    // of those that make it so grave: what is only possible makes no error
    confidence: weakest(all.filter(isSo(severity))),
    connections: connectionsOf(all).ids,
    summary: all.length === 1 ? finding.summary : tellTogether(all),
    remedy: remedyFor(all),
    ...(settled.length > 0 && { settled }),
  };
}

/** So many are asked, evenly spread. */
const ASKED = 32;

/** What most of them ask for; then what is to be done of the others. */
function remedyFor(all: readonly Explained[]): string {
  const ofAll = all[0]!.rule.remedyOfAll?.(all);
  if (ofAll !== undefined) return ofAll;
  const step = Math.max(1, Math.floor(all.length / ASKED));
  const counts = new Map<string, number>();
  for (let i = 0; i < all.length; i += step) {
    const { remedy } = all[i]!.finding;
    counts.set(remedy, (counts.get(remedy) ?? 0) + 1);
  }
  return [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!).join(' For others: ');
}

function graver(a: CauseGroup, b: CauseGroup): number {
  const rank = (g: CauseGroup) => SEVERITY_ORDER.indexOf(g.severity);
  const order = (g: CauseGroup) => GROUP_ORDER.indexOf(g.group);
  const doubt = (g: CauseGroup) => CONFIDENCE_ORDER.indexOf(g.confidence);
  return rank(a) - rank(b) || size(b) - size(a) || doubt(a) - doubt(b) || order(a) - order(b);
}

function size({ connections, unlisted }: CauseGroup): number {
  return connections.length + (unlisted?.connections ?? 0);
}

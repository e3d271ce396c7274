/** Which connections deserve the reader's time, and what belongs to each. */

import { rules } from '../explain/rules/index.ts';
import { type Finding, SEVERITY_ORDER, type Severity } from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import type { Result, TimelineItem } from '../tables/result.ts';

/** A result with its rows at hand by connection. Built once per output. */
export interface Focus {
  result: Result;
  rows: ReadonlyMap<string, ConnectionRow>;
  findings: ReadonlyMap<string, Finding[]>;
  timeline: ReadonlyMap<string, TimelineItem[]>;
  /** Connections with a finding above info, the most telling first. */
  telling: readonly string[];
  /** Title of a rule; its id when it is none of ours. */
  title(rule: string): string;
}

const TITLES = new Map(rules.map((r) => [r.id, r.title]));

export function focusOf(result: Result): Focus {
  const findings = groupBy(result.findings, (f) => f.connection);
  return {
    result,
    rows: new Map(result.connections.map((r) => [r.id, r])),
    findings,
    timeline: groupBy(result.timeline, (i) => i.connection),
    telling: tellingOf(result.causes, (id) => weightOf(findings.get(id) ?? [])),
    title: (rule) => TITLES.get(rule) ?? rule,
  };
}

/** Findings of a cause, those of its connections first. */
export function findingsOf(cause: CauseGroup, findings: Focus['findings']): Finding[] {
  return [...cause.connections, ''].flatMap((id) =>
    (findings.get(id) ?? []).filter((f) => f.rule === cause.rule),
  );
}

function groupBy<T>(list: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const k = key(item);
    const group = groups.get(k);
    if (group) group.push(item);
    else groups.set(k, [item]);
  }
  return groups;
}

/**
 * One connection of every cause in turn, causes by severity, so that the first few show different things; of one
 * cause, those with the most findings and evidence first.
 */
export function tellingOf(causes: readonly CauseGroup[], weight: (id: string) => number): string[] {
  const graver = bySeverity(causes.filter((c) => c.severity !== 'info'));
  const queues = graver.map((c) =>
    c.connections
      .map((id) => ({ id, weight: weight(id) }))
      .sort((a, b) => b.weight - a.weight)
      .map((x) => x.id),
  );
  const order = new Set<string>();
  const longest = queues.reduce((n, q) => Math.max(n, q.length), 0);
  for (let i = 0; i < longest; i++) {
    for (const queue of queues) {
      const next = queue[i];
      if (next !== undefined) order.add(next);
    }
  }
  return [...order];
}

/** How much the findings of one connection have to tell. */
function weightOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, f) => sum + 1 + f.evidence.length, 0);
}

/** Worst first; otherwise the order they came in. */
export function bySeverity<T extends { severity: Severity }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity));
}

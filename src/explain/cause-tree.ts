/** Causes of one incident, each below the one that it follows from. */
import { CONFIDENCE_ORDER, SEVERITY_ORDER } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { IncidentCause } from '../model/incident.ts';
import { followsAtServer, followsFrom } from './consequences.ts';
import type { Explained, Rule } from './rule.ts';

export function groupByRule(members: readonly Explained[]): Map<Rule, Explained[]> {
  const byRule = new Map<Rule, Explained[]>();
  for (const e of members) getOr(byRule, e.rule, () => []).push(e);
  return byRule;
}

/** Each cause's nearest among those that all its connections show as well. */
export function parentsOf(byRule: ReadonlyMap<string, readonly Explained[]>): (id: string) => string | null {
  const shown = new Map([...byRule].map(([id, own]) => [id, new Set(own.map((e) => e.n))]));
  return (id) => {
    const own = [...shown.get(id)!];
    return followsFrom(id, (parent) => own.every((n) => shown.get(parent)?.has(n)));
  };
}

/** Each rule once, below what it follows from. */
export function treeOf(members: readonly Explained[], fault: string): IncidentCause {
  const nodes = new Map<string, IncidentCause>();
  const byRule = new Map([...groupByRule(members)].map(([rule, own]) => [rule.id, own]));
  for (const [id, own] of byRule) nodes.set(id, nodeOf(own));
  const parentOf = parentsOf(byRule);
  const roots: IncidentCause[] = [];
  for (const [id, node] of nodes) {
    const parent = parentOf(id) ?? followsAtServer(id, (other) => nodes.has(other));
    (parent === null ? roots : nodes.get(parent)!.children).push(node);
  }
  for (const { children } of nodes.values()) children.sort(largerCause);
  roots.sort(largerCause);
  const [only] = roots;
  if (only && roots.length === 1 && (fault === '' || fault === only.title)) return only;
  const title = fault === '' ? only!.title : fault;
  const severity = only?.severity ?? 'warning';
  return { rule: '', title, severity, connections: 0, confidences: {}, children: roots };
}

function nodeOf(own: readonly Explained[]): IncidentCause {
  const { id, title } = own[0]!.rule;
  const confidences: IncidentCause['confidences'] = {};
  for (const confidence of CONFIDENCE_ORDER) {
    const n = new Set(own.filter((e) => e.finding.confidence === confidence).map((e) => e.n)).size;
    if (n > 0) confidences[confidence] = n;
  }
  const severity = SEVERITY_ORDER.find((s) => own.some((e) => e.finding.severity === s))!;
  return {
    rule: id,
    title,
    severity,
    connections: new Set(own.map((e) => e.n)).size,
    confidences,
    children: [],
  };
}

function largerCause(a: IncidentCause, b: IncidentCause): number {
  const rank = (c: IncidentCause) => SEVERITY_ORDER.indexOf(c.severity);
  return rank(a) - rank(b) || b.connections - a.connections;
}

/** Rules from the root down. */
export function orderOf({ rule, children }: IncidentCause): string[] {
  return [...(rule === '' ? [] : [rule]), ...children.flatMap(orderOf)];
}

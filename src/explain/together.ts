/** Names of the ends of many connections, for paragraphs about all of them. */
import { type Endpoint, formatEndpoint } from '../model/address.ts';
import type { Explained, Rule } from './rule.ts';
import { count, endpoints, period, predicate } from './words.ts';

/** `two connections were refused`, `one connection was refused`. */
export function happened(n: number, { happened: text }: Rule): string {
  return `${count(n, 'connection')} ${predicate(n, text)}`;
}

/** These name no cause, so that no other fits as well. */
const OPEN_ENDED: ReadonlySet<string> = new Set(['unanswered-syn', 'unexplained-reset']);

/** What the title of a cause says as a fact is only one of several that fit, for some of these. */
export function hedge(all: readonly Explained[]): string {
  if (all.every((e) => OPEN_ENDED.has(e.rule.id))) return '';
  const possible = all.filter((e) => e.finding.confidence === 'possible').length;
  if (possible === 0) return '';
  return possible === all.length
    ? ', as the likeliest of several possible causes'
    : ', some of them only possibly';
}

/** The paragraph about connections of one cause where the rule has none of its own. */
export function tellTogether(all: readonly Explained[]): string {
  const { rule, finding } = all[0]!;
  const connections = new Set(all.map((e) => e.facts)).size;
  return `${happened(connections, rule)}${hedge(all)}: ${clients(all)} to ${servers(all)}. The first: ${finding.summary}`;
}

/** ` between 12:00:03 and 12:00:41`, when the findings have times of one clock. */
export function between(all: readonly Explained[]): string {
  const times = all.map((e) => e.finding.time);
  const clocks = new Set(all.map((e) => e.finding.clock));
  if (times.includes('') || clocks.size > 1) return '';
  const sorted = [...times].sort((a, b) => (clocks.has('relative') ? Number(a) - Number(b) : a < b ? -1 : 1));
  return period(sorted[0]!, sorted.at(-1)!);
}

export function clients(all: readonly Explained[]): string {
  return endpoints(all.map((e) => e.facts.case.client));
}

export function servers(all: readonly Explained[]): string {
  const distinct = new Map<string, Endpoint>(
    all.map((e) => [formatEndpoint(e.facts.case.server), e.facts.case.server]),
  );
  return endpoints([...distinct.values()]);
}

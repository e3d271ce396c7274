/** Names of the ends of many connections, for paragraphs about all of them. */
import { type Endpoint, formatEndpoint } from '../model/address.ts';
import type { Explained, Rule } from './rule.ts';
import { count, endpoints, predicate } from './words.ts';

/** `two connections were refused`, `one connection was refused`. */
export function happened(n: number, { happened: text }: Rule): string {
  return `${count(n, 'connection')} ${predicate(n, text)}`;
}

/** The paragraph about connections of one cause, where the rule has none of its own. */
export function tellTogether(all: readonly Explained[]): string {
  const { rule, finding } = all[0]!;
  const connections = new Set(all.map((e) => e.facts)).size;
  return `${happened(connections, rule)}: ${clients(all)} to ${servers(all)}. The first: ${finding.summary}`;
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

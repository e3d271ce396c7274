/** Names of the ends of many connections, for paragraphs about all of them. */
import { type Endpoint, formatEndpoint } from '../model/address.ts';
import type { Explained } from './rule.ts';
import { endpoints } from './words.ts';

export function clients(all: readonly Explained[]): string {
  return endpoints(all.map((e) => e.facts.case.client));
}

export function servers(all: readonly Explained[]): string {
  const distinct = new Map<string, Endpoint>(
    all.map((e) => [formatEndpoint(e.facts.case.server), e.facts.case.server]),
  );
  return endpoints([...distinct.values()]);
}

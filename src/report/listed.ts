/**
 * Which connections a big report lists one by one. Nobody reads a hundred thousand alike: beyond a limit those of one
 * cause are counted, with what they would have shown, and the report says so where it counts them.
 */
import type { CauseGroup } from '../model/result.ts';
import { tellingOf } from './focus.ts';

/** Up to so many connections are listed whatever they have in common. */
export const LISTED_WHOLE = 10_000;
/** Beyond that, so many of one cause. */
const LISTED_PER_CAUSE = 1000;
/** The first of them are the most telling; the others are spread evenly over all. */
const MOST_TELLING = 100;

export interface Listing {
  listed: ReadonlySet<string>;
  /** Connections that are not, by the gravest of their causes. */
  counted: ReadonlyMap<CauseGroup, readonly string[]>;
}

/** `ids`: connections with a finding above info, in the order of first sight. `weight`: how much there is to tell. */
export function listingOf(
  ids: readonly string[],
  causes: readonly CauseGroup[],
  weight: (id: string) => number,
): Listing {
  if (ids.length <= LISTED_WHOLE) return { listed: new Set(ids), counted: new Map() };
  const graver = causes.filter((c) => c.severity !== 'info');
  const listed = new Set<string>();
  for (const cause of graver) {
    const telling = tellingOf([cause], weight).slice(0, MOST_TELLING);
    for (const id of telling) listed.add(id);
    const rest = cause.connections.filter((id) => !listed.has(id));
    const step = Math.max(1, Math.ceil(rest.length / (LISTED_PER_CAUSE - telling.length)));
    for (let i = 0; i < rest.length; i += step) listed.add(rest[i]!);
  }
  const counted = new Map<CauseGroup, string[]>();
  const told = new Set(listed);
  for (const cause of graver) {
    const more = cause.connections.filter((id) => !told.has(id));
    for (const id of more) told.add(id);
    if (more.length > 0) counted.set(cause, more);
  }
  return { listed, counted };
}

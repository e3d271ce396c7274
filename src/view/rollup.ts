/** The sentences that a roll-up begins with, in every output. */
import type { RolledCause, Rollup } from '../model/rollup.ts';
import { shortened } from './escape.ts';
import { CONFIDENCE_NAMES, counted, number } from './words.ts';

/** Causes that are told of one by one. */
const FIRST = 5;
const FIRST_RUN =
  ' First run: the next one shows what is new; batch report OUT --new-since DATE does so at once.';

/** What is in the archive: one sentence. */
export function scopeOf(rollup: Rollup): string {
  const { groups, withCauses, connections, first, last, hosts, newSince } = rollup;
  const span = first === '' ? '' : `, ${day(first)} to ${day(last)}`;
  const of = hosts.length === 0 ? '' : `, ${counted(hosts.length, 'host')} (${some(hosts)})`;
  const shown = withCauses === 0 ? 'none shows a problem' : `${number(withCauses)} show a problem`;
  const compared = newSince === null && withCauses > 0 ? FIRST_RUN : '';
  return `${counted(groups, 'group')}${span}${of}: ${shown} (${counted(connections, 'connection')} in all).${compared}`;
}

/** The gravest causes: which fault, how often, where, since when, is it new. */
export function causeSentences({ causes, newSince }: Rollup): string[] {
  const told = causes.slice(0, FIRST).map((c) => causeSentence(c, newSince));
  const rest = causes.length - told.length;
  return rest > 0 ? [...told, `${counted(rest, 'other cause')} below.`] : told;
}

function causeSentence(cause: RolledCause, since: string | null): string {
  const { title, confidence, groups, connections, hosts, listeners, first, last } = cause;
  const when = first === '' ? 'at times unknown' : `since ${time(first)}, last seen ${time(last)}`;
  const where = `on ${some(hosts)} (listener ${some(listeners)})`;
  const isNew = since === null ? '' : ` ${newness(cause)} since ${since}.`;
  return `${title} (${CONFIDENCE_NAMES[confidence]}): ${counted(groups, 'group')}, ${counted(connections, 'connection')}, ${where}, ${when}.${isNew}`;
}

/** Whether it is new since what the roll-up compares with. */
export function newness({ isNew, newPlaces = 0, places = 0 }: Newness): string {
  if (isNew) return 'New';
  return newPlaces > 0 ? `New at ${number(newPlaces)} of ${counted(places, 'place')}` : 'Not new';
}

type Newness = Pick<RolledCause, 'isNew'> & Partial<RolledCause>;

/** Head of the column that says so; null where there is nothing to compare with. */
export function newnessHead({ newSince }: Rollup): string | null {
  return newSince && 'new?';
}

/** What could not be read, and what is missing; none when all is well. */
export function limits({ failures, withDamage, gone, missing }: Rollup): string[] {
  return [
    ...(failures.length > 0
      ? [`${counted(failures.length, 'file or group', 'files or groups')} could not be read.`]
      : []),
    ...(withDamage > 0 ? [`${counted(withDamage, 'group')} read despite damage.`] : []),
    ...(missing > 0
      ? [`${counted(missing, 'group')} of the plan not done yet: the figures are not final.`]
      : []),
    ...(gone.length > 0
      ? [`${counted(gone.length, 'group')} not among the inputs of this run; kept in the figures.`]
      : []),
  ];
}

/** `a, b and 3 more`. */
export function some(names: readonly string[], limit = 3): string {
  const shown = names.slice(0, limit).map((n) => shortened(n, 60));
  const rest = names.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${number(rest)} more` : shown.join(', ');
}

function day(at: string): string {
  return at.slice(0, 10);
}

/** To the minute: `2026-11-03 14:05 UTC`. */
export function time(at: string): string {
  return at === '' ? '' : `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

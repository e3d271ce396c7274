/** `--time FROM..TO`: the connections that lived in a period. */

import type { ConnectionRow } from '../tables/connections.ts';
import type { Result } from '../tables/result.ts';
import { counted } from './words.ts';

export interface Period {
  /** As typed: `2026-11-20T06:56:27Z`, `06:56:27.5`, or seconds of a clock without date; '' for no bound. */
  from: string;
  to: string;
}

const BOUND = /^(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?$|^\d+(?:\.\d+)?$/;

/** Throws SyntaxError, worded for the command line, when it is none. */
export function parsePeriod(text: string): Period {
  const parts = text.split('..');
  const sound =
    parts.length === 2 && parts.some((p) => p !== '') && parts.every((p) => p === '' || BOUND.test(p));
  if (!sound) {
    throw new SyntaxError(
      `--time ${text}: expected FROM..TO, each like 2026-11-20T06:56:27Z or 06:56:27.5, or left out`,
    );
  }
  return { from: parts[0]!, to: parts[1]! };
}

/** The result with only the connections known to have lived in the period; its story says that it is cut. */
export function withinPeriod(result: Result, period: Period): Result {
  const kept = result.connections.filter((row) => livedIn(row, period));
  const ids = new Set(kept.map((row) => row.id));
  const causes = result.causes
    .map((c) => ({ ...c, connections: c.connections.filter((id) => ids.has(id)) }))
    .filter((c) => c.connections.length > 0);
  const bounds = [period.from && `from ${period.from}`, period.to && `to ${period.to}`].filter(Boolean);
  const hidden = result.connections.length - kept.length;
  const incidents = result.incidents.filter((i) =>
    livedIn({ startTime: i.since, endTime: i.until, clock: i.clock }, period),
  );
  const counts = incidents.length > 0 ? ' Problems are counted over the whole input.' : '';
  const cut = `Shown are the ${counted(kept.length, 'connection')} known to have lived ${bounds.join(' ')}; ${counted(hidden, 'other')} not.${counts}`;
  return {
    ...result,
    // at most five sentences, this one among them
    story: [...result.story.slice(0, 4), cut],
    cut,
    causes,
    incidents,
    connections: kept,
    findings: result.findings.filter((f) => ids.has(f.connection)),
    timeline: result.timeline.filter((i) => i.connection === '' || ids.has(i.connection)),
  };
}

/** A time of day is compared with the time of day. A connection without times is known to have lived in no period. */
function livedIn(
  { startTime, endTime, clock }: Pick<ConnectionRow, 'startTime' | 'endTime' | 'clock'>,
  { from, to }: Period,
): boolean {
  if (startTime === '') return false;
  if (clock === 'relative') {
    return (to === '' || Number(startTime) <= Number(to)) && (from === '' || Number(endTime) >= Number(from));
  }
  return (
    (to === '' || comparable(startTime, to) <= comparable(to, to)) &&
    (from === '' || comparable(endTime, from) >= comparable(from, from))
  );
}

/** The part of a time that a bound gives, in a form that sorts: the date only where the bound has one. */
function comparable(time: string, bound: string): string {
  const text = bound.includes('T') ? time : time.replace(/^.*T/, '');
  const [whole, fraction = ''] = text.replace(/Z$/, '').split('.');
  return `${whole!.length < 8 ? `${whole}:00` : whole}.${fraction.padEnd(9, '0')}`;
}

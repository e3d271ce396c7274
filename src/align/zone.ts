/** Times of day without date or zone, made absolute with what the user says (--date, --tz). */
import type { Source } from '../model/source.ts';
import { NS_PER_S } from '../model/time.ts';

const DAY_NS = 86_400n * BigInt(NS_PER_S);

export interface CivilOptions {
  /** YYYY-MM-DD of the first line. */
  date?: string | undefined;
  /** IANA zone (`Asia/Shanghai`) or offset (`+08:00`); UTC when only a date is given. */
  zone?: string | undefined;
}

/** Throws RangeError, worded for the command line, when date or zone make no sense. */
export function checkCivil({ date, zone }: CivilOptions): void {
  if (
    date !== undefined &&
    (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(`${date}T00:00:00Z`)))
  ) {
    throw new RangeError(`--date ${date}: expected YYYY-MM-DD`);
  }
  if (zone !== undefined) offsetOf(zone, 0);
}

/**
 * Turns `wall` clocks into `realtime` ones: undated ones when a date is given, dated ones (tcpdump -tttt) when a
 * zone is. Durations across a change of daylight saving time are not corrected.
 */
export function placeWallClocks(sources: readonly Source[], { date, zone }: CivilOptions): void {
  for (const source of sources) {
    const { clock } = source;
    if (clock.kind !== 'wall') continue;
    const dated = clock.base >= 366n * DAY_NS;
    if (dated ? zone === undefined : date === undefined) continue;
    const midnight = dated ? clock.base : BigInt(Date.parse(`${date}T00:00:00Z`)) * 1_000_000n + clock.base;
    const offset = offsetOf(zone ?? 'UTC', Number(midnight / 1_000_000n));
    source.clock = { ...clock, kind: 'realtime', base: midnight - BigInt(offset) * 1_000_000n };
  }
}

/** Milliseconds that local time in `zone` is ahead of UTC at that local time (ms since 1970 read as if UTC). */
function offsetOf(zone: string, local: number): number {
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    if (minutes > 14 * 60) throw new RangeError(`--tz ${zone}: not a time zone (they lie within 14 hours)`);
    return (fixed[1] === '-' ? -1 : 1) * minutes * 60_000;
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    throw new RangeError(`--tz ${zone}: not a time zone (say Asia/Shanghai or +08:00)`);
  }
  const name = format.formatToParts(new Date(local)).find((p) => p.type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT([+-]\d\d):(\d\d)/.exec(name);
  return match
    ? (match[1]!.startsWith('-') ? -1 : 1) * (Math.abs(Number(match[1])) * 60 + Number(match[2])) * 60_000
    : 0;
}

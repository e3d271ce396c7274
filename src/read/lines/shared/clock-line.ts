/** Lines on which a clock stands, as `date`, `uptime`, `watch` and scripts put them before the output of a tool. */
import { type Clock, NS_PER_S, type SourceTime } from '../../../model/time.ts';
import type { ClockReading } from '../../importer.ts';
import { clockOf } from './section.ts';
import { zoneNs } from './syslog.ts';
import { dateNs, resolutionOf, timeOfDay } from './times.ts';

const TIME = String.raw`(?<time>\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?)(?: (?<half>[AP]M))?`;
const DAY = String.raw`(?<day>\d{1,2})\.?`;
const MONTH = String.raw`(?<month>\p{L}{3,9})\.?`;
const YEAR = String.raw`(?<year>\d{4})`;
const WEEKDAY = String.raw`\p{L}{2,10}[.,]?`;
const ZONE = String.raw`(?:(?:\((?:UTC|GMT))?(?<zone>Z|[A-Z]{3,5}|[+-]\d\d(?::?\d\d)?)\)?)`;
const NOTATIONS = [
  // date in the C locale, ctime
  `${WEEKDAY} +${MONTH} +${DAY} ${TIME}(?: ${ZONE})? ${YEAR}`,
  // en_GB, de_DE
  `${WEEKDAY} +${DAY} ${MONTH} ${TIME}(?: ${ZONE})? ${YEAR}`,
  // en_US of older libraries, date -R; fr_FR, es_ES, pt_BR, with commas it_IT
  `${WEEKDAY} ${DAY} ${MONTH} ${YEAR},? ${TIME}(?:,? ${ZONE})?`,
  // date -Is, --rfc-3339
  String.raw`(?<iso>\d{4}-\d\d-\d\d)[T ]${TIME} ?${ZONE}?`,
  // uptime, w
  `${TIME}(?: up .*)?`,
];
const FILLED = String.raw`[#=*>\s-]{0,80}`;
const LINES = NOTATIONS.map(
  (notation) => new RegExp(`^${FILLED}(?:(?:[Dd]ate|[Tt]ime)(?: is)?:? )?${notation}${FILLED}$`, 'u'),
);
/** date +%s, +%s.%N */
const EPOCH = /^(1\d{9})(\.\d{1,9})?$/;
/** `Every 2.0s: ss -tan    web1: Mon Nov 30 15:18:52 2026` */
const WATCH = /^Every \d{1,6}(?:[.,]\d+)?s: (.{1,400}?) {2,}(?:([\w.-]{1,64}): )?(\w{3} .{10,60})$/;
/** Their first letters, without accents, as glibc has them in English, German, French, Spanish, Italian and Portuguese. */
const MONTHS = [
  /^(?:jan|ene|gen)/,
  /^f(?:eb|ev)/,
  /^mar/,
  /^a(?:pr|vr|br)/,
  /^ma[yig]/,
  /^(?:jun|juin|giu)/,
  /^(?:jul|juil|lug)/,
  /^a(?:ug|ou|go)/,
  /^se[pt]/,
  /^(?:o[ck]t|ott|out)/,
  /^nov/,
  /^d(?:e[cz]|ic)/,
];
const HALF_DAY = 12 * 3600 * NS_PER_S;

/** What the clock showed; null for a line that is more than that. */
export function clockLine(line: string): ClockReading | null {
  if (line.length > 200 || !/\d/.test(line)) return null;
  const epoch = EPOCH.exec(line);
  if (epoch) {
    const fraction = Number((epoch[2] ?? '').slice(1).padEnd(9, '0')) as SourceTime;
    return {
      clock: clockOf('realtime', resolutionOf(line, NS_PER_S), BigInt(epoch[1]!) * 1_000_000_000n),
      time: fraction,
    };
  }
  for (const notation of LINES) {
    const match = notation.exec(line);
    const read = match && reading(match.groups!);
    if (read) return read;
  }
  return null;
}

/** A time of day as a prompt shows it. */
export function promptClock(text: string): ClockReading | null {
  const time = timeOfDay(text);
  return time < 0 ? null : { clock: clockOf('wall', NS_PER_S), time: time as SourceTime };
}

/** So long may somebody have waited before the next command. */
const PAUSE = 600 * NS_PER_S;

/** The same for a command that was typed after it. */
export function typedAfter(shown: ClockReading | null): ClockReading | null {
  return shown && { ...shown, clock: { ...shown.clock, uncertainty: PAUSE } };
}

/** The header that `watch` puts over each picture of a command's output. */
export function watchHeader(
  line: string,
): { command: string; host: string | null; shown: ClockReading } | null {
  const match = line.startsWith('Every ') ? WATCH.exec(line) : null;
  const shown = match && clockLine(match[3]!);
  return shown ? { command: match[1]!, host: match[2] ?? null, shown } : null;
}

function reading(parts: Record<string, string | undefined>): ClockReading | null {
  const { half, iso, zone } = parts;
  const text = parts.time!.replace(',', '.').replace(/^\d:/, '0$&');
  let time = timeOfDay(text);
  if (time < 0) return null;
  if (half) time = (time % HALF_DAY) + (half === 'PM' ? HALF_DAY : 0);
  const date = iso ?? dateOf(parts);
  if (date === undefined) return null;
  const clock = clockAt(date, zone, resolutionOf(text, NS_PER_S));
  return { clock, time: time as SourceTime };
}

/** null where the line has none, undefined for a word that is no month. */
function dateOf({ year, month, day }: Record<string, string | undefined>): string | null | undefined {
  if (year === undefined) return null;
  const name = month!.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const number = MONTHS.findIndex((first) => first.test(name)) + 1;
  if (number === 0) return undefined;
  return `${year}-${String(number).padStart(2, '0')}-${day!.padStart(2, '0')}`;
}

/** From midnight of that day; of a zone that has only letters it is not known how far it is from UTC. */
function clockAt(date: string | null, zone: string | undefined, resolution: number): Clock {
  if (date === null) return clockOf('wall', resolution);
  const midnight = dateNs(date);
  if (zone === 'Z' || zone === 'UTC' || zone === 'GMT') return clockOf('realtime', resolution, midnight);
  return zone !== undefined && /^[+-]/.test(zone)
    ? clockOf('realtime', resolution, midnight - zoneNs(zone))
    : clockOf('wall', resolution, midnight);
}

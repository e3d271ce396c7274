/** What syslog, journalctl and dmesg put before a line of the kernel, and the clocks in it. */
import { type Clock, NS_PER_S, NS_PER_US, type SourceTime } from '../../../model/time.ts';
import { clockOf, NO_CLOCK } from './section.ts';
import { dateNs, timeOfDay as nsOfDay, secondsToNs, WallClock } from './times.ts';

/**
 * `Jan 12 10:00:01 fw kernel: `, of OpenWrt `Mon Jan 12 10:00:01 2026 kern.info kernel: `, `2026-01-12T10:00:01.123456+01:00 fw kernel: `, of `dmesg --time-format iso`
 * `2026-01-12T10:00:01,123456+01:00 `; `[12345.678901] `; `[Mon Jan 12 10:00:01 2026] ` in the language of who asked, with -x behind `kern  :info  : `.
 */
const PREFIX =
  /^(?:<\d{1,3}>|kern {1,3}:[a-z]{3,6} {1,3}: )?(?:(?:(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d |(?<date>\d{4}-\d\d-\d\d)[T ])(\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?<zone>Z|[+-]\d\d:?\d\d)?(?: \d{4})? )?(?:(?:[\w.-]{1,64} )?kernel: )?(?:\[ *(\d{1,9}\.\d{6})\] |\[[\p{L}.]{1,6} +(?:[\p{L}\d.]{2,6} +\d{1,2}|\d{1,2}\.? [\p{L}.]{2,6}) (\d\d:\d\d:\d\d) \d{4}\] )?/u;

/** The line without its prefix, and the times in that. */
export interface KernelLine {
  /** Seconds since boot, by printk's clock, which is not exactly that of events. */
  seconds: string | null;
  timeOfDay: string | null;
  /** Where the line gives date and zone: midnight of that day there, ns since 1970. */
  midnight: bigint | null;
  rest: string;
}

export function kernelLine(line: string): KernelLine {
  const match = PREFIX.exec(line)!;
  const { date, zone } = match.groups!;
  return {
    seconds: match[4] ?? null,
    timeOfDay: (match[2] ?? match[5])?.replace(',', '.') ?? null,
    midnight: date === undefined || zone === undefined ? null : dateNs(date) - zoneNs(zone),
    rest: line.slice(match[0].length),
  };
}

/** Of `Z`, `+01:00`, `+0100`, `+01`: how far it is ahead of UTC. */
export function zoneNs(zone: string): bigint {
  if (zone === 'Z') return 0n;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', ''));
  return BigInt(zone.startsWith('-') ? -minutes : minutes) * 60n * BigInt(NS_PER_S);
}

/** Date and time of a line, and printk's of the same line, may lie so far apart: it is written to the log later. Ns. */
const WRITTEN_LATER = 2 * NS_PER_S;

/**
 * The clock of a log: date and time where its lines have them, else the time of day, else printk's. Where a line has both, printk's
 * says how far it is from the lines before: it is finer, and lines reach the log late.
 */
export class KernelLogClock {
  readonly #wall = new WallClock();
  clock: Clock | null = null;
  /** A line with both. */
  #anchor: { told: number; own: number } | null = null;
  #last = 0;

  read({ seconds, timeOfDay, midnight }: KernelLine): SourceTime | null {
    this.clock ??=
      midnight !== null
        ? clockOf('realtime', NS_PER_S, midnight)
        : timeOfDay !== null
          ? clockOf('wall', NS_PER_S)
          : seconds !== null
            ? clockOf('relative', NS_PER_US)
            : NO_CLOCK;
    const own = seconds === null ? null : secondsToNs(seconds);
    if (this.clock.kind === 'relative') return own as SourceTime | null;
    const told = this.#told(timeOfDay, midnight);
    return told === null || own === null ? told : this.#between(told, own);
  }

  #told(timeOfDay: string | null, midnight: bigint | null): SourceTime | null {
    if (this.clock!.kind === 'realtime') {
      const time = midnight === null ? -1 : nsOfDay(timeOfDay!);
      return time < 0 ? null : ((Number(midnight! - this.clock!.base) + time) as SourceTime);
    }
    return this.clock!.kind === 'wall' && timeOfDay !== null ? this.#wall.read(timeOfDay) : null;
  }

  #between(told: number, own: number): SourceTime {
    const since = this.#anchor && this.#anchor.told + own - this.#anchor.own;
    // another boot, or another clock set
    const isOff = since === null || own < this.#last || Math.abs(told - since) > WRITTEN_LATER;
    if (isOff) this.#anchor = { told, own };
    this.#last = own;
    return (isOff ? told : since) as SourceTime;
  }
}

/** The Time column: seconds since the beginning, since 1970, time of day, or date and time. */
import { type Clock, NS_PER_S, type SourceTime } from '../../../model/time.ts';
import { clockOf } from '../shared/section.ts';
import { dateNs, decimalToNs, resolutionOf, timeOfDay, WallClock } from '../shared/times.ts';

/** Seconds of this many digits are since 1970. */
const EPOCH_DIGITS = 9;

export class ListClock {
  readonly #wall = new WallClock();
  /** The command line asks for times since the packet before (-t d, dd). */
  readonly #deltas: boolean;
  #last = 0;
  clock: Clock | null = null;
  /** A time was smaller than the one before. */
  fell = false;

  constructor(command: string | null) {
    this.#deltas = /\s-t\s?dd?(?:\s|$)/.test(command ?? '');
  }

  read(text: string): SourceTime {
    this.clock ??= clockFor(text);
    const [first, second] = text.split(' ', 2) as [string, string | undefined];
    const time = this.#time(first, second, this.clock);
    if (this.#deltas) this.#last += time;
    else {
      this.fell ||= this.clock.kind === 'relative' && time < this.#last;
      this.#last = time;
    }
    return this.#last as SourceTime;
  }

  #time(first: string, second: string | undefined, clock: Clock): number {
    if (clock.kind === 'realtime') {
      const [whole, fraction] = first.split('.', 2);
      const seconds = BigInt(whole!) * BigInt(NS_PER_S) - clock.base;
      return Number(seconds) + decimalToNs(`0.${fraction ?? '0'}`, NS_PER_S);
    }
    if (clock.kind === 'relative') return Math.max(0, decimalToNs(first, NS_PER_S));
    if (second === undefined) return this.#wall.read(first) ?? this.#last;
    return Number(dateNs(first) - clock.base) + Math.max(0, timeOfDay(second));
  }
}

function clockFor(text: string): Clock {
  const [first, second] = text.split(' ', 2) as [string, string | undefined];
  if (/^\d{4}-\d\d-\d\d$/.test(first) && second !== undefined)
    return clockOf('wall', resolutionOf(second, NS_PER_S), dateNs(first));
  const resolution = resolutionOf(first, NS_PER_S);
  if (timeOfDay(first) >= 0) return clockOf('wall', resolution);
  const whole = first.split('.', 1)[0]!;
  if (whole.length < EPOCH_DIGITS) return clockOf('relative', resolution);
  return clockOf('realtime', resolution, BigInt(whole) * BigInt(NS_PER_S));
}

/** The Time column: seconds since the beginning, since 1970, time of day, or date and time. */
import { type Clock, NS_PER_S, type SourceTime } from '../../../model/time.ts';
import { clockOf } from '../shared/section.ts';
import { areDeltas, dateNs, decimalToNs, resolutionOf, timeOfDay, WallClock } from '../shared/times.ts';

/** Seconds of this many digits are since 1970. */
const EPOCH_DIGITS = 9;

export class ListClock {
  readonly #wall = new WallClock();
  /** Times since the packet before: the command line asks for them (-t d, dd), or times fall. */
  #deltas: boolean;
  #elapsed = 0;
  #last = 0;
  #row = 0;
  clock: Clock | null = null;
  /** A time fell: from here on they are added up. */
  fell = false;
  /** A time fell, and the rows are not in the order of the packets. */
  isSorted = false;

  constructor(command: string | null) {
    this.#deltas = /\s-t\s?dd?(?:\s|$)/.test(command ?? '');
  }

  /** `row`: the number of the packet, where the list has it. */
  read(text: string, row = 0): SourceTime {
    this.clock ??= clockFor(text);
    const [first, second] = text.split(' ', 2) as [string, string | undefined];
    const time = this.#time(first, second, this.clock);
    this.#elapsed += time;
    this.isSorted ||= row < this.#row;
    this.#row = row;
    if (!this.#deltas && !this.isSorted && this.clock.kind === 'relative' && areDeltas(time, this.#last))
      this.#deltas = this.fell = true;
    this.#last = this.#deltas ? this.#elapsed : time;
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

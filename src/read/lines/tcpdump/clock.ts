/** The clock of tcpdump's stamps: time of day, date and time, seconds since 1970, since the first or the last packet. */
import { type Clock, NS_PER_S, type SourceTime } from '../../../model/time.ts';
import { clockOf } from '../shared/section.ts';
import { areDeltas, dateNs, decimalToNs, resolutionOf, timeOfDay, WallClock } from '../shared/times.ts';
import type { PrintedSegment } from './line.ts';

const FIRST = '00:00:00.000000';

export class StampClock {
  readonly #wall = new WallClock();
  /** -ttt: each stamp is the time since the last packet. Without the command line the first stamp that falls shows it. */
  #deltas: boolean;
  readonly #fromFirst: boolean;
  #elapsed = 0;
  #last = 0;
  #packets = 0;
  clock: Clock | null = null;
  /** A relative stamp fell: from here on stamps are added up. */
  fell = false;

  constructor(command: string | null) {
    const letters = /\s-\w*?(t+)\b/.exec(command ?? '')?.[1] ?? '';
    this.#deltas = letters.length === 3;
    this.#fromFirst = letters.length === 5;
  }

  get addsUp(): boolean {
    return this.#deltas;
  }

  read(stamp: PrintedSegment): SourceTime {
    this.clock ??= this.#clock(stamp);
    this.#packets++;
    switch (this.clock.kind) {
      case 'realtime':
        return stamp.seconds === '' ? this.#repeat() : this.#keep(epochNs(stamp.seconds, this.clock.base));
      case 'relative':
        return this.#relative(timeOfDay(stamp.timeOfDay));
      case 'wall':
        return this.#wallTime(stamp, this.clock.base);
      default:
        return this.#packets as SourceTime;
    }
  }

  /** Stamps since the first packet that fall to zero at a `break`: another list. Times since the packet before fall all the time. */
  restarts({ timeOfDay }: PrintedSegment, isBreak: boolean): boolean {
    return this.clock?.kind === 'relative' && this.#last > 0 && timeOfDay.startsWith(FIRST) && isBreak;
  }

  #clock(stamp: PrintedSegment): Clock {
    if (stamp.seconds !== '') {
      return clockOf(
        'realtime',
        resolutionOf(stamp.seconds, NS_PER_S),
        BigInt(Math.trunc(Number(stamp.seconds))) * 1_000_000_000n,
      );
    }
    if (stamp.timeOfDay === '') return clockOf('order', 0);
    const resolution = resolutionOf(stamp.timeOfDay, NS_PER_S);
    if (stamp.date !== '') return clockOf('wall', resolution, dateNs(stamp.date));
    // a paste may begin behind the first packet
    const isSince =
      stamp.timeOfDay.startsWith(FIRST) || (stamp.isIndented && stamp.timeOfDay.startsWith('00:'));
    const relative = this.#deltas || this.#fromFirst || isSince;
    return clockOf(relative ? 'relative' : 'wall', resolution);
  }

  #relative(time: number): SourceTime {
    if (time < 0) return this.#repeat();
    this.#elapsed += time;
    if (!this.#deltas && !this.#fromFirst && areDeltas(time, this.#last)) this.#deltas = this.fell = true;
    return this.#deltas ? this.#keep(this.#elapsed) : this.#keep(time);
  }

  #wallTime(stamp: PrintedSegment, base: bigint): SourceTime {
    if (stamp.timeOfDay === '') return this.#repeat();
    if (base === 0n || stamp.date === '') return this.#keep(this.#wall.read(stamp.timeOfDay) ?? this.#last);
    return this.#keep(Number(dateNs(stamp.date) - base) + Math.max(0, timeOfDay(stamp.timeOfDay)));
  }

  #keep(time: number): SourceTime {
    this.#last = time;
    return time as SourceTime;
  }

  #repeat(): SourceTime {
    return this.#last as SourceTime;
  }
}

function epochNs(seconds: string, base: bigint): number {
  const dot = seconds.indexOf('.');
  const whole = BigInt(dot < 0 ? seconds : seconds.slice(0, dot)) * 1_000_000_000n - base;
  return Number(whole) + decimalToNs(`0${dot < 0 ? '' : seconds.slice(dot)}`, NS_PER_S);
}

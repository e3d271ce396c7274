/** Times as tools print them, to whole nanoseconds: through integers, never through a float of seconds. */
import { NS_PER_MS, NS_PER_S, type SourceTime } from '../../../model/time.ts';

const DAY = 86_400 * NS_PER_S;
/** How late a line may be printed after one from the next day. */
const LATE = 60 * NS_PER_S;
const ZERO = 48;
const DOT = 46;
const COLON = 58;

/** `12`, `12.5`, `12.345678`: units to nanoseconds, or -1 when it is no such number. Digits below 1 ns are cut. */
export function decimalToNs(text: string, unit: number): number {
  const { length } = text;
  const codes = length <= scratch.length ? scratch : new Uint16Array(length);
  for (let i = 0; i < length; i++) codes[i] = text.charCodeAt(i);
  return decimalOf(codes, 0, length, unit);
}

const scratch = new Uint16Array(64);

/** The same of UTF-16 units. */
export function decimalOf(codes: Uint16Array, start: number, end: number, unit: number): number {
  let whole = 0;
  let i = start;
  for (; i < end && codes[i] !== DOT; i++) {
    const digit = codes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    whole = whole * 10 + digit;
  }
  if (i === start || i - start > 15) return -1;
  if (i === end) return whole * unit;
  let value = 0;
  let scale = unit;
  if (++i === end) return -1;
  for (; i < end; i++) {
    const digit = codes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    if (scale < 10) continue;
    scale /= 10;
    value += digit * scale;
  }
  return whole * unit + value;
}

/** Nanoseconds between steps of a decimal notation: 1000 for six digits of a second. */
export function resolutionOf(text: string, unit: number): number {
  const dot = text.indexOf('.');
  return dot < 0 ? unit : Math.max(1, unit / 10 ** (text.length - dot - 1));
}

export const msToNs = (text: string): number => decimalToNs(text, NS_PER_MS);
export const secondsToNs = (text: string): number => decimalToNs(text, NS_PER_S);

/**
 * Whether times since the beginning that go on with this one (ns) are times since the packet before: they fall, and by more
 * than packets are written late.
 */
export const areDeltas = (time: number, last: number): boolean => time < last / 2 && last - time > NS_PER_MS;

/** `HH:MM:SS` with any fraction to nanoseconds since midnight, or -1. A leap second (60) is let through. */
export function timeOfDay(text: string): number {
  if (text.length < 8 || text.charCodeAt(2) !== COLON || text.charCodeAt(5) !== COLON) return -1;
  const hours = two(text, 0);
  const minutes = two(text, 3);
  const seconds = two(text, 6);
  if (hours > 23 || minutes > 59 || seconds > 60 || hours < 0 || minutes < 0 || seconds < 0) return -1;
  const whole = ((hours * 60 + minutes) * 60 + seconds) * NS_PER_S;
  if (text.length === 8) return whole;
  const fraction = text.charCodeAt(8) === 46 ? decimalToNs(`0${text.slice(8)}`, NS_PER_S) : -1;
  return fraction < 0 ? -1 : whole + fraction;
}

function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/**
 * Local time of day without a date. Time that falls by more than half a day has passed midnight; less is lines out
 * of order.
 */
export class WallClock {
  #days = 0;
  #last = 0;

  /** Nanoseconds since the midnight before the first time, or null when the text is no time of day. */
  read(text: string): SourceTime | null {
    const time = timeOfDay(text);
    if (time < 0) return null;
    if (time < this.#last - DAY / 2) this.#days++;
    // a line from before midnight that is printed after it
    const day = time - this.#last > DAY - LATE && this.#days > 0 ? this.#days - 1 : this.#days;
    if (day === this.#days) this.#last = time;
    return (day * DAY + time) as SourceTime;
  }
}

/** Midnight of `YYYY-MM-DD` in nanoseconds since 1970, as if local time were UTC. */
export function dateNs(date: string): bigint {
  const [year, month, day] = date.split('-').map(Number);
  return BigInt(Math.floor(Date.UTC(year!, month! - 1, day!) / 86_400_000)) * BigInt(DAY);
}

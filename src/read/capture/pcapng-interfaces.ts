/** Interface description blocks of a pcapng file, and their timestamps: 64-bit counts of a tick each chooses. */
import { NS_PER_S } from '../../model/time.ts';
import { i64, u16, u32 } from './byte-order.ts';
import { eachOption } from './pcapng-options.ts';

/** An interface of the file. Packets refer to it by its number within its section. */
export interface CaptureInterface {
  /** if_name, '' when not given. */
  name: string;
  linkType: number;
  /** 0: no limit. */
  snapLength: number;
  /** Ticks per second, 10^n or 2^n, and n. */
  ticksPerSecond: bigint;
  decimal: boolean;
  exponent: number;
  /** if_tsoffset: seconds to add to every time. */
  offset: bigint;
  /** The tick count at the clock's base, in two 32-bit halves as numbers, either of any size or sign. */
  baseHigh: number;
  baseLow: number;
  /** From the last interface statistics block, which counts from the start of the capture. */
  dropped: number;
}

const IF_NAME = 2;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;
const TWO_32 = 2 ** 32;

/** Parses the body of an interface description block in bytes[start .. end), which holds at least 8 bytes. */
export function readInterface(
  bytes: Uint8Array,
  start: number,
  end: number,
  big: boolean,
): { described: CaptureInterface; damaged: boolean } {
  const described: CaptureInterface = {
    name: '',
    linkType: u16(bytes, start, big),
    snapLength: u32(bytes, start + 4, big),
    ticksPerSecond: 1_000_000n,
    decimal: true,
    exponent: 6,
    offset: 0n,
    baseHigh: 0,
    baseLow: 0,
    dropped: 0,
  };
  const whole = eachOption(bytes, start + 8, end, big, (code, at, length) => {
    if (code === IF_NAME) {
      described.name = new TextDecoder().decode(bytes.subarray(at, at + length)).replace(/\0.*/s, '');
    } else if (code === IF_TSRESOL && length === 1) {
      described.decimal = bytes[at] < 0x80;
      described.exponent = bytes[at] & 0x7f;
      described.ticksPerSecond = (described.decimal ? 10n : 2n) ** BigInt(described.exponent);
    } else if (code === IF_TSOFFSET && length === 8) {
      described.offset = i64(bytes, at, big);
    }
  });
  return { described, damaged: !whole };
}

/** Last second of the year 9999, since the Unix epoch. */
export const LATEST = 253_402_300_799n;
/** The same in nanoseconds, as a distance from the first packet. */
export const FARTHEST = Number(LATEST) * NS_PER_S;

/** The whole second of the Unix epoch that a tick count falls in. */
export function secondOf(itf: CaptureInterface, high: number, low: number): bigint {
  const ticks = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return itf.offset + ticks / itf.ticksPerSecond;
}

/** Sets what ticksToNs() counts from. */
export function setBase(itf: CaptureInterface, second: bigint): void {
  const ticks = (second - itf.offset) * itf.ticksPerSecond;
  itf.baseHigh = Number(ticks >> 32n);
  itf.baseLow = Number(ticks & 0xffffffffn);
}

/** Nanoseconds per tick for 10^-0 … 10^-9 seconds. */
const NS_PER_TICK = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 10, 1];

/**
 * Nanoseconds since the base. Exact down to 10^-9 s while the result is a safe integer; finer ticks are rounded down
 * (to the nanosecond as far as 10^-15 and 2^-32 s, to what a double resolves beyond). No bigint: this runs per packet.
 */
export function ticksToNs(itf: CaptureInterface, high: number, low: number): number {
  const highs = (high >>> 0) - itf.baseHigh;
  const lows = (low >>> 0) - itf.baseLow;
  if (!itf.decimal) return binaryToNs(itf.exponent, highs, lows);
  if (itf.exponent <= 9) return (highs * TWO_32 + lows) * NS_PER_TICK[itf.exponent];
  // Long division by the ticks of a nanosecond, in base 2^32.
  const divisor = 10 ** (itf.exponent - 9);
  const quotient = Math.floor(highs / divisor);
  const rest = highs - quotient * divisor;
  return quotient * TWO_32 + Math.floor((rest * TWO_32 + lows) / divisor);
}

/** Scaling by a power of two loses nothing in a double, so whole seconds and the rest are split without error. */
function binaryToNs(exponent: number, highs: number, lows: number): number {
  const tick = 2 ** -exponent;
  const seconds = Math.floor(highs * TWO_32 * tick);
  const rest = highs * TWO_32 * tick - seconds + lows * tick;
  const more = Math.floor(rest);
  return (seconds + more) * NS_PER_S + Math.floor((rest - more) * NS_PER_S);
}

/** Smallest step its times can show, in whole nanoseconds. */
export function resolutionOf(itf: CaptureInterface): number {
  const step = NS_PER_S / Number(itf.ticksPerSecond);
  return Math.max(1, Math.ceil(step));
}

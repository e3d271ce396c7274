/**
 * Times. In memory a time is a whole number of nanoseconds in a double, relative to a base, which is exact for
 * 104 days; absolute times are bigint and exist only where they are read or written. The two brands keep a time
 * on a source's own clock from being compared with one on the timeline common to the whole analysis.
 */

/** What a source's times mean. `wall` is local time of day without date or zone; `order` has no times at all. */
export type ClockKind = 'realtime' | 'monotonic' | 'wall' | 'relative' | 'order';

/** How far a time could be brought: the `clock` column of every output. */
export type ClockLabel = 'utc' | 'wall' | 'relative' | 'order';

declare const sourceTime: unique symbol;
declare const commonTime: unique symbol;

/** Nanoseconds since the `base` of the source's own clock. */
export type SourceTime = number & { readonly [sourceTime]: true };

/** Nanoseconds on the timeline of one clock domain, after alignment. */
export type CommonTime = number & { readonly [commonTime]: true };

export interface Clock {
  kind: ClockKind;
  /** Absolute nanoseconds (Unix epoch for `realtime`, boot for `monotonic`, midnight for `wall`) of SourceTime 0. */
  base: bigint;
  /** Smallest step the source's notation can show, in nanoseconds: 1000 for a microsecond pcap, 1e9 for HH:MM:SS. */
  resolution: number;
  /** How far its times may be from true time, in nanoseconds, where that is known. */
  uncertainty?: number;
}

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

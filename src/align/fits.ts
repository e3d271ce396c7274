/** What alignment tells the user of each clock. */
import type { ClockFit } from '../model/case.ts';
import type { Source } from '../model/source.ts';
import type { ClockLabel } from '../model/time.ts';
import { formatSpan } from './format-time.ts';
import type { OffsetFit } from './robust.ts';

/** A set of sources whose times can be compared. */
export interface Domain {
  reference: Source;
  label: ClockLabel;
  /** Absolute nanosecond of common time 0. */
  epoch: bigint;
}

export const NO_FIT: ClockFit = {
  source: '',
  reference: '',
  method: 'none',
  offset: null,
  drift: 0,
  residual: null,
  worst: null,
  pairs: 0,
  message: '',
};

/** A source fitted to others through pairs. */
export function estimated(source: Source, reference: string, fit: OffsetFit): ClockFit {
  const { residual, worst, pairs } = fit;
  const rejected = fit.rejected > 0 ? `; ${fit.rejected} that lay too far off were not used` : '';
  return {
    source: source.name,
    reference,
    method: 'estimated',
    offset: Math.round(fit.offset),
    drift: fit.drift * 1e6,
    residual,
    worst,
    pairs,
    message:
      `${source.name} was brought to the clock of ${reference} through ${pairs} moments both saw${rejected}: ` +
      `they lie within ${formatSpan(residual)} of the fit (median), ${formatSpan(worst)} at worst.`,
  };
}

/** A relative clock whose tool printed the time of day as well: known to within the bounds of those. */
export function byWall(source: Source, { reference }: Domain, error: number): ClockFit {
  return {
    ...NO_FIT,
    source: source.name,
    reference: reference.name,
    method: 'estimated',
    residual: error,
    worst: error,
    message: `${source.name} counts from its start, and prints the time of day as well: that places it on the clock of ${reference.name} within ${formatSpan(error)}.`,
  };
}

/** Sources that stay on a clock of their own. */
export function apart(domain: Domain, sources: readonly Source[]): ClockFit {
  const names = sources.map((s) => s.name).join(', ');
  const hint = domain.label === 'wall' ? ' Say --date and --tz to place times of day.' : '';
  return {
    ...NO_FIT,
    source: names,
    message:
      `${names}: own clock (${domain.reference.clock.kind}, in steps of ${formatSpan(domain.reference.clock.resolution)}), ` +
      `not comparable with the other sources: no connection in it shares a timed moment with them.${hint}`,
  };
}

/** Packets of a bundle whose clock was set, nobody knows when. */
export function unseenStep({ name }: Source, by: number): ClockFit {
  return {
    ...NO_FIT,
    source: name,
    message:
      `${name}: its clock was set while it was recorded (${by > 0 ? 'forward' : 'back'} by ${formatSpan(Math.abs(by))}, as handshakes and FINs show that the events saw too), ` +
      'and no reading of the clock shows when: its times are not compared with the other sources.',
  };
}

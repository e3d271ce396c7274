/** Ticks and labels of a logarithmic axis of seconds, from nothing to an hour. */
import { LEAST_SECONDS } from '../explain/facts/durations.ts';

export const TICKS = [LEAST_SECONDS, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600];
export const LABELS =
  "datum.value < 2e-7 ? '0' : datum.value < 9e-4 ? format(datum.value * 1e6, 'd') + ' µs' : datum.value < 0.9 ? format(datum.value * 1e3, 'd') + ' ms' : datum.value < 59 ? format(datum.value, 'd') + ' s' : datum.value < 3599 ? format(datum.value / 60, 'd') + ' min' : '1 h'";

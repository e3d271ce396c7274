/** How long handshakes took and connections lasted, counted while their rows are made. */
import { DurationBins } from '../explain/facts/durations.ts';
import type { Durations } from '../model/result.ts';
import type { ConnectionRow } from './connections.ts';
import type { Result } from './result.ts';

export class RowDurations {
  readonly #handshake = new DurationBins();
  readonly #lasted = new DurationBins();

  add({ handshakeS, durationS }: Pick<ConnectionRow, 'handshakeS' | 'durationS'>): void {
    if (handshakeS !== null) this.#handshake.add(handshakeS);
    if (durationS !== null) this.#lasted.add(durationS);
  }

  /** Those of other rows. */
  take({ handshake, lasted }: Result['durations']): void {
    if (handshake) this.#handshake.take(handshake);
    if (lasted) this.#lasted.take(lasted);
  }

  get all(): Result['durations'] {
    return { handshake: durationsOf(this.#handshake), lasted: durationsOf(this.#lasted) };
  }
}

/** Ascending; null of none. */
export function durationsOf({ bins, shortest, longest }: DurationBins): Durations | null {
  if (bins.size === 0) return null;
  const ascending = [...bins].sort((a, b) => a[0] - b[0]);
  return {
    bins: ascending.map(([seconds, connections]) => ({ seconds, connections })),
    shortest,
    longest,
  };
}

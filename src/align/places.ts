/** Where the times of each source lie on a common clock. */
import type { Domain } from './fits.ts';
import type { ClockPair } from './robust.ts';

/** How a source's times reach its domain's common time. */
interface Place {
  domain: Domain;
  at: (time: number) => number;
}

/** By Source.id. */
export class Places extends Map<number, Place> {
  /** Pairs whose reference is a time of this source, with that on the common clock; none while it has no place. */
  toCommon(source: number, found: readonly ClockPair[]): ClockPair[] {
    const place = this.get(source);
    return place ? found.map((p) => ({ local: p.local, reference: place.at(p.reference) })) : [];
  }
}

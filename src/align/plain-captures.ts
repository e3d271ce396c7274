/** Several captures without any other evidence: what only one of them shows, and orderly, is plain. */
import type { PlainReader } from '../connect/plain-reader.ts';
import type { Records } from '../connect/records.ts';
import type { WireConnection } from '../model/connection.ts';
import { OPEN, ORDERLY, type PlainConnection } from '../model/plain.ts';
import { placeOf } from './cases.ts';
import { type JoinedPlain, numbersBut } from './join-plain.ts';

/** Of those that are plain the first `shown` of each kind are cases all the same. */
export function dividedCaptures(captures: readonly Records[], shown: number): Omit<JoinedPlain, 'lives'> {
  const shared = sharedKeys(captures);
  const wires: WireConnection[] = [];
  const serials: Uint32Array[] = [];
  const places: number[] = [];
  const seen = { [ORDERLY]: 0, [OPEN]: 0 };
  for (const records of captures) {
    const plain: number[] = [];
    for (const serial of records.serials()) {
      const kind = records.kind(serial);
      const own = kind === ORDERLY || kind === OPEN ? records.read(serial, 0) : null;
      if (own && !keysOf(own).some((key) => shared.has(key)) && seen[kind as typeof OPEN]++ >= shown) {
        plain.push(serial);
        places.push(placeOf(own.source, own.startFrame));
      } else wires.push(records.view(serial));
    }
    serials.push(Uint32Array.from(plain));
  }
  const count = places.length;
  return {
    wires,
    places: Float64Array.from(places),
    numbered: (taken) => {
      const numbers = numbersBut(taken, count);
      return {
        count,
        each: () => each(captures, serials, numbers),
        nextAtAddress: () => null,
      };
    },
  };
}

function* each(
  captures: readonly Records[],
  serials: readonly Uint32Array[],
  numbers: Int32Array,
): Iterable<PlainConnection> {
  let i = 0;
  for (const [k, records] of captures.entries())
    for (const serial of serials[k]!) yield records.read(serial, numbers[i++]!);
}

/** Keys of connections that more than one capture may show: as they are, or behind a NAT. */
function sharedKeys(captures: readonly Records[]): ReadonlySet<number> {
  const seenIn = new Map<number, number>();
  const shared = new Set<number>();
  for (const [k, records] of captures.entries()) {
    for (const serial of records.serials()) {
      for (const key of keysOf(records.read(serial, 0))) {
        const known = seenIn.get(key);
        if (known === undefined) seenIn.set(key, k);
        else if (known !== k) shared.add(key);
      }
    }
  }
  return shared;
}

/**
 * A number for the 4-tuple, and one for the client's initial sequence number, which a NAT leaves alone. Two connections
 * that hash alike become cases, which is no harm.
 */
function keysOf(c: PlainReader): number[] {
  const tuple = c.tupleHash;
  const isn = c.clientIsn;
  return isn === null ? [tuple] : [tuple, -1 - isn];
}

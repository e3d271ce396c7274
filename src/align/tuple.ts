/** Grouping by 4-tuple, without direction. */
import { type Endpoint, isLoopback } from '../model/address.ts';

/**
 * Key of a 4-tuple, the same from either end. Loopback tuples exist on every host, so there the host's name is
 * part of the key (and pods reuse 127.0.0.1 tuples; kernels that name the namespace make it part as well).
 */
export function tupleKey(a: Endpoint, b: Endpoint, host: string | null): string {
  const one = `${a.address} ${a.port}`;
  const two = `${b.address} ${b.port}`;
  const scope = isLoopback(a.address) && isLoopback(b.address) ? `${host ?? ''} ` : '';
  return scope + (one < two ? `${one} ${two}` : `${two} ${one}`);
}

/** True when both ends are known, so that the tuple can be joined at all. */
export function isTuple(a: Endpoint, b: Endpoint): boolean {
  return a.port !== 0 && b.port !== 0;
}

export function groupBy<K, V>(values: Iterable<V>, key: (value: V) => K | null): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const k = key(value);
    if (k === null) continue;
    const group = groups.get(k);
    if (group) group.push(value);
    else groups.set(k, [value]);
  }
  return groups;
}

/**
 * Strings that outlive their line. V8 cuts a substring of 13 characters or more as a view that keeps the whole block
 * of the file alive; one kept event would hold megabytes. So long ones are copied, once each.
 */
import { normaliseAddress } from '../../../model/address.ts';
import { ownText } from '../../../model/own-text.ts';

/** Forgotten when full: a repeated string is then copied again, nothing else. */
const MAX_KEPT = 65_536;
/** Below this V8 copies by itself. */
const COPIED_ANYWAY = 13;

export class Interner {
  readonly #kept = new Map<string, string>();
  readonly #addresses = new Map<string, string>();

  /** The same text in memory of its own. */
  keep(text: string): string {
    if (text.length < COPIED_ANYWAY) return text;
    return cached(this.#kept, text, (own) => own);
  }

  /** Canonical form of an address as printed; a host name or `*` as it is. Brackets are taken off. */
  address(text: string): string {
    return cached(this.#addresses, text, (own) =>
      normaliseAddress(own.startsWith('[') && own.endsWith(']') ? own.slice(1, -1) : own),
    );
  }
}

function cached(map: Map<string, string>, text: string, make: (own: string) => string): string {
  const known = map.get(text);
  if (known !== undefined) return known;
  if (map.size >= MAX_KEPT) map.clear();
  const own = ownText(text);
  const value = make(own);
  map.set(own, value);
  return value;
}

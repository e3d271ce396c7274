/**
 * Host names where columns hold addresses. tcpdump without -n prints names; so that a connection keeps its identity,
 * a name gets an address of its own in 100::/64, which no packet on a wire carries (RFC 6666). The same name gets
 * the same address in every file, thread and run, unless two names of one process share a hash.
 */
import { formatWords } from './address.ts';
import { ownText } from './own-text.ts';

/** First word of 100::/64. */
const DISCARD_PREFIX = 0x01000000;

const nameOf = new Map<string, string>();
const wordsOf = new Map<string, Words>();

type Words = readonly [number, number, number, number];

/** Four address words that stand for a host name. */
export function hostNameWords(name: string): Words {
  const known = wordsOf.get(name);
  if (known) return known;
  const own = ownText(name);
  let low = fnv1a(own, 0x811c9dc5);
  const high = fnv1a(own, 0x01000193);
  let words: Words = [DISCARD_PREFIX, 0, high, low];
  for (let text = formatWords(...words); nameOf.has(text); text = formatWords(...words)) {
    low = (low + 1) | 0;
    words = [DISCARD_PREFIX, 0, high, low];
  }
  nameOf.set(formatWords(...words), own);
  wordsOf.set(own, words);
  return words;
}

/** The name that an address stands for; any other address as it is. For every place that shows one. */
export function displayAddress(address: string): string {
  return nameOf.get(address) ?? address;
}

/** A text with names in the place of the addresses that stand for them. */
export function withNames(text: string): string {
  return text.includes('100::') ? text.replace(/(?<![\w:.])100::[\da-f:]{1,24}/g, shownIn) : text;
}

const shownIn = (address: string) => nameOf.get(address) ?? address;

/** FNV-1a, 32 bits (draft-eastlake-fnv), from a given basis. */
function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

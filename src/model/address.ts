/**
 * Addresses. In text an address is in canonical form (RFC 5952) with IPv4-mapped IPv6 written as IPv4, because a
 * dual-stack socket reports ::ffff:10.0.0.1 for packets that carry 10.0.0.1 (kernel-notes G18). In columns an
 * address is four 32-bit words in network order, IPv4 as the mapped form 0:0:ffff:a.b.c.d.
 */

import { displayAddress } from './hostnames.ts';

export interface Endpoint {
  address: string;
  port: number;
}

/** Third word of an IPv4-mapped address. */
export const MAPPED_WORD = 0xffff;

/** `10.0.0.1:80`, `[2001:db8::1]:80`, and `host.example:80` where a source printed a name. */
export function formatEndpoint(e: Endpoint): string {
  const shown = displayAddress(e.address);
  return shown.includes(':') ? `[${shown}]:${e.port}` : `${shown}:${e.port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}

/** True for 0.0.0.0, ::, * and the empty string: an address that names no peer. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === '*' || address === '';
}

/** True for 127/8 and ::1, which name no host. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** A number of its own for each address: the word of an IPv4 one, or of IPv6 so many bits that two hardly meet. */
export function addressKey(w0: number, w1: number, w2: number, w3: number): number {
  const low = w3 >>> 0;
  if ((w0 | w1) === 0 && w2 === MAPPED_WORD) return low;
  const high = Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca77) ^ w2;
  return low + ((high ^ (high >>> 13)) & 0xfffff) * 2 ** 32 + 2 ** 52;
}

/** Four words to text. Words may be signed or unsigned 32-bit views. */
export function formatWords(w0: number, w1: number, w2: number, w3: number): string {
  if ((w0 | w1) === 0 && w2 >>> 0 === MAPPED_WORD) {
    return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
  }
  const groups: number[] = [];
  for (const word of [w0, w1, w2, w3]) groups.push(word >>> 16, word & 0xffff);
  return compress(groups);
}

/** RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals, becomes `::`. */
function compress(groups: number[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > length) {
      start = i;
      length = j - i;
    }
    i = Math.max(j, i + 1);
  }
  const hex = (part: number[]) => part.map((g) => g.toString(16)).join(':');
  if (start < 0) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** Text to four signed words, or null when it is no address. A `%zone` suffix is ignored. */
export function parseWords(text: string): [number, number, number, number] | null {
  const bare = text.includes('%') ? text.replace(/%.*$/, '') : text;
  if (bare.includes(':')) return parseIpv6(bare);
  const v4 = parseIpv4(bare);
  return v4 === null ? null : [0, 0, MAPPED_WORD, v4];
}

/** Digits of up to three figures with a point between; no expression, for there may be millions. */
function parseIpv4(text: string): number | null {
  let [word, octet, figures, points] = [0, 0, 0, 0];
  for (let i = 0; i <= text.length; i++) {
    const figure = text.charCodeAt(i) - 48;
    if (figure >= 0 && figure <= 9) {
      octet = octet * 10 + figure;
      if (++figures > 3) return null;
      continue;
    }
    if (figures === 0 || octet > 255 || (i < text.length && (text[i] !== '.' || ++points > 3))) return null;
    word = (word << 8) | octet;
    [octet, figures] = [0, 0];
  }
  return points === 3 ? word : null;
}

function parseIpv6(text: string): [number, number, number, number] | null {
  let body = text;
  let tail: number[] = [];
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const v4 = parseIpv4(dotted[2]!);
    if (v4 === null) return null;
    tail = [v4 >>> 16, v4 & 0xffff];
    body = dotted[1]!.endsWith('::') ? dotted[1]! : dotted[1]!.slice(0, -1);
  }
  const halves = body.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':').map(parseGroup)));
  groups[groups.length - 1]!.push(...tail);
  const count = groups.reduce((sum, part) => sum + part.length, 0);
  if (groups.flat().includes(-1) || count > 8 || (halves.length === 1 && count !== 8)) return null;
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...Array(8 - count).fill(0), ...groups[1]!];
  const word = (i: number) => (all[i]! << 16) | all[i + 1]!;
  return [word(0), word(2), word(4), word(6)];
}

function parseGroup(text: string): number {
  return /^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : -1;
}

/** Canonical text of an address in any notation; the text itself when it is no address (a host name, `*`). */
export function normaliseAddress(text: string): string {
  const words = parseWords(text);
  return words ? formatWords(...words) : text;
}

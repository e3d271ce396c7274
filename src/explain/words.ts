/** How numbers, times and names are put into sentences. */
import { formatSpan } from '../align/format-time.ts';
import { type Endpoint, formatEndpoint } from '../model/address.ts';

export const span = formatSpan;

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[], conjunction = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** `one SYN`, `four SYNs`, `17 SYNs`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${number(n)} ${n === 1 ? noun : plural}`;
}

export function number(n: number): string {
  return NUMBERS[n] ?? String(n);
}

/** `were refused`, or `was refused` of one. */
export function predicate(n: number, text: string): string {
  return n === 1 ? text.replace(/^were /, 'was ') : text;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Ports of one address in order, at most `limit` of them: `ports 43752, 43758 and 4 more`. */
export function ports(endpoints: readonly Endpoint[], limit = 12): string {
  const sorted = [...new Set(endpoints.map((e) => e.port))].sort((a, b) => a - b);
  if (sorted.length === 1) return `port ${sorted[0]}`;
  const shown = sorted.slice(0, limit).map(String);
  if (sorted.length > limit) shown.push(`${sorted.length - limit} more`);
  return `ports ${list(shown)}`;
}

/** Endpoints told shortly: `172.16.58.147 (ports 1, 2 and 3)`, several addresses one after the other. */
export function endpoints(all: readonly Endpoint[]): string {
  const byAddress = new Map<string, Endpoint[]>();
  for (const e of all) {
    const known = byAddress.get(e.address);
    if (known) known.push(e);
    else byAddress.set(e.address, [e]);
  }
  const parts = [...byAddress].slice(0, 4).map(([address, list]) => {
    return list.length === 1 ? formatEndpoint(list[0]!) : `${address} (${ports(list)})`;
  });
  if (byAddress.size > 4) parts.push(`${byAddress.size - 4} more addresses`);
  return list(parts);
}

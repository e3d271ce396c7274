/** How numbers, times and names are put into sentences. */
import { formatSpan } from '../align/format-time.ts';
import { type Endpoint, formatEndpoint } from '../model/address.ts';
import type { Confidence } from '../model/finding.ts';

export const span = formatSpan;

/** Where a sentence claims a cause; what stands there is decided by how sure the claim is, in one place. */
export const MAYBE = '\u0001';

export const HEDGES: Readonly<Record<Confidence, string>> = {
  proved: '',
  inferred: 'most likely ',
  possible: 'possibly ',
};

/** A sentence as sure as its claim. */
export function hedged(text: string, confidence: Confidence): string {
  return capital(text.replaceAll(MAYBE, HEDGES[confidence]));
}

/** The largest; -Infinity of none. A spread into Math.max fails at some hundred thousand values. */
export function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** The largest of those that are known; null of none. */
export function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((v) => v !== null);
  return known.length === 0 ? null : most(known);
}

/** `19 µs to 2.5 s`: of the shortest and the longest of these, ns; one of them where they read alike. */
export function spans(values: readonly number[]): string {
  const [least, longest] = [span(-most(values.map((v) => -v))), span(most(values))];
  return least === longest ? least : `${least} to ${longest}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[], conjunction = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

/** `1 SYN`, `17 SYNs`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${number(n)} ${n === 1 ? noun : plural}`;
}

export function number(n: number): string {
  if (n === 0) return 'no';
  // nearly all are small, and to ask for the language takes long
  return Number.isInteger(n) && n > 0 && n < 1000 ? String(n) : n.toLocaleString('en-US');
}

/**
 * A time of a finding as a sentence tells it, to the millisecond; its evidence has all digits. `date`: with the day,
 * where its clock has one.
 */
export function moment(time: string, date = true): string {
  if (/^-?\d+(\.\d+)?$/.test(time)) return `${Number(Number(time).toFixed(3))} s`;
  const [, day = '', clock = time, fraction = '', zone = '', rest = ''] =
    /^(?:(\S+)T)?(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z?)(.*)$/.exec(time) ?? [];
  const kept = fraction.slice(0, 3).replace(/0+$/, '');
  const told = clock + (kept && `.${fraction.slice(0, 3)}`);
  return `${date && day ? `${day} ` : ''}${told}${rest}${zone && ' UTC'}`;
}

/** ` at 12:00:03`, ` between 12:00:03 and 12:00:41`: two times of one clock, `from` the earlier. */
export function period(from: string, to: string): string {
  if (moment(from) === moment(to)) return ` at ${moment(from)}`;
  const sameDay = from.slice(0, 10) === to.slice(0, 10);
  return ` between ${moment(from).replace(/ UTC$/, '')} and ${moment(to, !sameDay)}`;
}

/** `were refused`, or `was refused` of one. */
export function predicate(n: number, text: string, maybe = ''): string {
  const [, verb = '', rest = ''] = /^(were |do )?(.*)$/s.exec(text) ?? [];
  return `${(n === 1 && { 'were ': 'was ', 'do ': 'does ' }[verb]) || verb}${maybe}${rest}`;
}

/** Up to the first full stop that ends a sentence. */
export function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s+[A-Z]|$)/s.exec(text)?.[0] ?? text;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Ports of one address in order, at most `limit` of them: `ports 43752, 43758 and 4 more`. */
export function ports(endpoints: readonly Endpoint[], limit = 12): string {
  const sorted = [...new Set(endpoints.map((e) => e.port))].sort((a, b) => a - b);
  if (sorted.length === 1) return `port ${sorted[0]}`;
  const shown = sorted.slice(0, limit).map(String);
  if (sorted.length > limit) shown.push(`${number(sorted.length - limit)} more`);
  return `ports ${list(shown)}`;
}

/** More endpoints than this on several addresses: their ports tell nothing any more. */
const MANY = 30;

/** Endpoints told shortly: `172.16.58.147 (ports 1, 2 and 3)`, several addresses one after the other. */
export function endpoints(all: readonly Endpoint[]): string {
  const byAddress = new Map<string, Endpoint[]>();
  for (const e of all) {
    const known = byAddress.get(e.address);
    if (known) known.push(e);
    else byAddress.set(e.address, [e]);
  }
  if (byAddress.size > 1 && all.length > MANY) {
    const some = [...byAddress.keys()].slice(0, 3);
    const more = byAddress.size - some.length;
    return list(more > 0 ? [...some, `${number(more)} more addresses`] : some);
  }
  const parts = [...byAddress].slice(0, 4).map(([address, list]) => {
    return list.length === 1 ? formatEndpoint(list[0]!) : `${address} (${ports(list)})`;
  });
  if (byAddress.size > 4) parts.push(`${byAddress.size - 4} more addresses`);
  return list(parts);
}

/** `1 server`, `116 servers`, `17 ports of 10.0.0.1`: of different ones, as World.serverOf names them. */
export function serversCounted(servers: readonly string[]): string {
  const hosts = new Set(servers.map((s) => s.replace(/:\d+(?= \(|$)/, '')));
  return servers.length > 1 && hosts.size === 1
    ? `${number(servers.length)} ports of ${[...hosts][0]}`
    : count(servers.length, 'server');
}

/** `curl (120)`, or of the two what is known. */
export function processName({ comm, pid }: { comm: string | null; pid: number | null }): string {
  if (comm === null) return String(pid ?? '?');
  return pid === null ? comm : `${comm} (${pid})`;
}

/** Recv-Q of a socket whose peer has closed counts the FIN as one on Linux; sb_cc of BSD and macOS does not. */
export function unread(recvQ: number, isLinux = true): string {
  if (!isLinux) return recvQ > 0 ? `, ${count(recvQ, 'byte')} unread` : '';
  return recvQ > 1 ? `, ${count(recvQ - 1, 'byte')} and the peer's FIN unread` : '';
}

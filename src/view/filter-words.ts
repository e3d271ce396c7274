/**
 * The words of `--filter`. Each makes a predicate of the value behind it, and throws SyntaxError, worded for the command
 * line, where that makes no sense. Those of addresses and ports are pcap-filter(7)'s, those of states ss(8)'s.
 */
import type { Keep } from '../explain/explain.ts';
import { rules } from '../explain/rules/index.ts';
import { type Endpoint, parseWords } from '../model/address.ts';
import { processOf } from '../model/case-process.ts';
import { CONFIDENCE_ORDER, SEVERITIES } from '../model/finding.ts';
import { parseState } from '../model/tcp.ts';
import { didYouMean } from './suggest.ts';

type OfEnd = (end: Endpoint) => boolean;

/** Hold for either end, or for the one that a word before them names. */
export const END_WORDS: Record<string, (value: string) => OfEnd> = {
  host(value) {
    const words = parseWords(value);
    if (!words) throw new SyntaxError(`filter: "host ${value}" is not an address`);
    return network(words, 128);
  },
  net(value) {
    const [address, bits] = value.split('/');
    const words = parseWords(address!);
    const v4 = !address!.includes(':');
    const length = Number(bits ?? Number.NaN);
    if (!words || !(length >= 0 && length <= (v4 ? 32 : 128)))
      throw new SyntaxError(`filter: "net ${value}" is not ADDRESS/BITS`);
    return network(words, v4 ? length + 96 : length);
  },
  port(value) {
    const port = portOf(value, `port ${value}`);
    return (end) => end.port === port;
  },
  portrange(value) {
    const [from, to, ...more] = value.split('-').map((p) => portOf(p, `portrange ${value}`));
    if (to === undefined || more.length > 0 || from! > to)
      throw new SyntaxError(`filter: "portrange ${value}" is not PORT-PORT`);
    return (end) => end.port >= from! && end.port <= to;
  },
};

export const WORDS: Record<string, (value: string) => Keep> = {
  conn(value) {
    if (/^c\d+$/.test(value)) return (c) => c.id === value;
    const end = String.raw`\[?([0-9A-Fa-f.:]+?)\]?:(\d+)`;
    const match = new RegExp(`^${end}(?:-${end})?$`).exec(value);
    if (!match)
      throw new SyntaxError(`filter: "conn ${value}" is not c11, ADDRESS:PORT or ADDRESS:PORT-ADDRESS:PORT`);
    const is = (address: string, port: string): OfEnd => {
      const [host, number] = [END_WORDS.host!(address), END_WORDS.port!(port)];
      return (e) => host(e) && number(e);
    };
    const one = is(match[1]!, match[2]!);
    const other = match[3] === undefined ? () => true : is(match[3], match[4]!);
    return ({ client, server }) => (one(client) && other(server)) || (one(server) && other(client));
  },
  cause: ofRule,
  rule: ofRule,
  severity: (value) => {
    const severity = oneOf(SEVERITIES, 'severity', value);
    return (_c, findings) => findings.some((f) => f.severity === severity);
  },
  confidence: (value) => {
    const confidence = oneOf(CONFIDENCE_ORDER, 'confidence', value);
    return (_c, findings) => findings.some((f) => f.confidence === confidence);
  },
  /** A state that either socket was seen in, by events or in a table. */
  state(value) {
    const state = parseState(value);
    if (!state) throw new SyntaxError(`filter: "state ${value}" is no state of TCP, for example close-wait`);
    return ({ lives = [], rows = [] }) =>
      rows.some((r) => r.state === state) ||
      lives.some((l) => l?.state === state || l?.transitions.some((t) => t.from === state));
  },
  pid(value) {
    const pid = Number(value);
    if (!/^\d+$/.test(value)) throw new SyntaxError(`filter: "pid ${value}" is not a number`);
    return ofProcess((p) => p.pid === pid);
  },
  comm: (value) => ofProcess((p) => p.comm === value),
};

function ofRule(value: string): Keep {
  const ids = rules.map((r) => r.id);
  if (!ids.some((id) => id === value))
    throw new SyntaxError(
      `filter: no cause is called ${value}${didYouMean(value, ids)}; see tcpautopsy rules`,
    );
  return (_c, findings) => findings.some((f) => f.rule === value);
}

function ofProcess(holds: (process: { pid: number | null; comm: string | null }) => boolean): Keep {
  return (c) =>
    isWhole(c) &&
    ([0, 1] as const).some((side) => {
      const process = processOf(c, side);
      return process !== null && holds(process);
    });
}

/** What is found of a host has the ends that it names, and nothing of a connection. */
function isWhole(c: Parameters<Keep>[0]): c is Required<Parameters<Keep>[0]> {
  return c.lives !== undefined;
}

function oneOf<T extends string>(known: readonly T[], word: string, value: string): T {
  const found = known.find((k) => k === value);
  if (found === undefined) throw new SyntaxError(`filter: "${word} ${value}" is not ${known.join(', ')}`);
  return found;
}

function portOf(text: string, all: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new SyntaxError(`filter: "${all}" is not a port`);
  return port;
}

function network(words: readonly number[], bits: number): OfEnd {
  return ({ address }) => {
    const other = parseWords(address);
    if (!other) return false;
    for (let i = 0; i < 4; i++) {
      const left = Math.min(32, Math.max(0, bits - 32 * i));
      const mask = left === 0 ? 0 : (-1 << (32 - left)) | 0;
      if (((words[i]! ^ other[i]!) & mask) !== 0) return false;
    }
    return true;
  };
}

/** Two analyses side by side: which causes are gone, new, more or fewer. */
import { type Confidence, SEVERITY_ORDER, type Severity } from '../model/finding.ts';
import { type Interval, intervalOf, intervalOfChange, type Share } from './interval.ts';
import type { CauseCount, Summary } from './summary.ts';

export type Change = 'new' | 'more' | 'same' | 'fewer' | 'gone';

/** What is worst comes first. */
const CHANGES: readonly Change[] = ['new', 'more', 'same', 'fewer', 'gone'];

export interface Rate extends Share {
  /** Of 1,000 connections, and where it lies with 95 % confidence; null without connections. */
  perThousand: number | null;
  interval: Interval | null;
}

interface Compared {
  before: Rate;
  after: Rate;
  change: Change;
  /** The intervals leave no doubt that the share of connections changed; false where so few may be chance. */
  clear: boolean;
}

export interface ComparedCause extends Compared {
  rule: string;
  title: string;
  severity: Severity;
  /** Where it is found. */
  confidence: Confidence;
  /** Found of a host, of no connection. */
  ofHost: boolean;
}

interface ComparedServer extends Compared {
  /** `ADDRESS:PORT`. */
  server: string;
}

export interface Comparison {
  before: { name: string; connections: number };
  after: { name: string; connections: number };
  /** Worst first. */
  causes: ComparedCause[];
  /** Those with connections that are hurt. */
  servers: ComparedServer[];
}

export function compare(before: Summary, after: Summary): Comparison {
  const rules = new Set([...before.causes.keys(), ...after.causes.keys()]);
  const causes = [...rules].map((rule) => comparedCause(rule, before, after));
  const names = new Set([...before.servers.keys(), ...after.servers.keys()]);
  const none = { connections: 0, hurt: 0 };
  const servers = [...names]
    .map((server) => ({
      server,
      ...compared(before.servers.get(server) ?? none, after.servers.get(server) ?? none),
    }))
    .filter((s) => s.before.hurt + s.after.hurt > 0);
  const size = (c: Compared) => Math.abs((c.after.perThousand ?? 0) - (c.before.perThousand ?? 0));
  const order = (a: Compared, b: Compared) =>
    CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change) || size(b) - size(a);
  const bySeverity = (a: ComparedCause, b: ComparedCause) =>
    SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity);
  return {
    before: { name: before.name, connections: before.connections },
    after: { name: after.name, connections: after.connections },
    causes: causes.sort((a, b) => bySeverity(a, b) || order(a, b) || (a.rule < b.rule ? -1 : 1)),
    servers: servers.sort((a, b) => order(a, b) || (a.server < b.server ? -1 : 1)),
  };
}

function comparedCause(rule: string, before: Summary, after: Summary): ComparedCause {
  const [was, is] = [before.causes.get(rule), after.causes.get(rule)];
  const { title, severity, confidence } = (is ?? was)!;
  const ofHost = [was, is].every((c) => (c?.connections ?? 0) === 0);
  const shareOf = (cause: CauseCount | undefined, { connections }: Summary): Share => ({
    hurt: cause?.connections ?? 0,
    connections,
  });
  const found = compared(shareOf(was, before), shareOf(is, after));
  if (!ofHost) return { rule, title, severity, confidence, ofHost, ...found };
  // that a host said so is no share of anything
  const change: Change = was && is ? 'same' : is ? 'new' : 'gone';
  return { rule, title, severity, confidence, ofHost, ...found, change, clear: true };
}

function compared(before: Share, after: Share): Compared {
  const [low, high] = intervalOfChange(before, after);
  const clear = low > 0 || high < 0;
  return { before: rateOf(before), after: rateOf(after), change: changeOf(before, after, low, high), clear };
}

function changeOf(before: Share, after: Share, low: number, high: number): Change {
  if (before.hurt === 0 && after.hurt > 0) return 'new';
  if (before.hurt > 0 && after.hurt === 0) return 'gone';
  if (low > 0) return 'more';
  return high < 0 ? 'fewer' : 'same';
}

function rateOf({ hurt, connections }: Share): Rate {
  if (connections === 0) return { hurt, connections, perThousand: null, interval: null };
  const [low, high] = intervalOf({ hurt, connections });
  return {
    hurt,
    connections,
    perThousand: (1000 * hurt) / connections,
    interval: [1000 * low, 1000 * high],
  };
}

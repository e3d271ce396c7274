/**
 * Readings of counters brought together: which of them are totals since boot and which were added since the call before,
 * and which files are two readings of one host although none names it. Each conclusion is an assumption, and is said.
 */
import type { CounterSeries, Host } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';
import type { CounterEvent } from '../model/table-event.ts';
import { groupBy } from './tuple.ts';

/** Values that may fall while the host runs: no counters. */
const GAUGES = new Set(['TcpCurrEstab', 'TcpMaxConn']);
/** What people put into names of files to tell one reading from the other. */
const WHEN = /^(?:before|after|start|stop|begin|end|first|second|last|later|pre|post|old|new|now|t?\d+)$/i;
/** Without such names: so many counters, of which none falls, … */
const LIKENESS = 20;
/** … and a sum that grew by no more than this. The counters of two hosts lie farther apart. */
const GROWTH = 1.5;
/** Share of the values that must agree for two notations to tell of the same. */
const AGREEMENT = 0.9;
const LEAST_SHARED = 5;

/** Inputs that were said to be readings of one host, before and after what is to be explained: paths as given. */
export interface Readings {
  before: readonly string[];
  after: readonly string[];
}

export function counterSeries(
  sources: readonly Source[],
  events: ReadonlyMap<number, readonly KernelEvent[]>,
  hostOf: ReadonlyMap<number, Host>,
  diagnostics: Diagnostics,
  given: Readings = { before: [], after: [] },
): CounterSeries[] {
  const series: CounterSeries[] = [];
  for (const source of sources) {
    const readings = (events.get(source.id) ?? []).filter((e) => e.kind === 'counters');
    if (readings.length > 0) series.push({ source, host: hostOf.get(source.id) ?? null, readings });
  }
  const isGiven = (s: CounterSeries) => isOf(s, given.before) || isOf(s, given.after);
  const paired = [
    ...givenPairs(series.filter(isGiven), given, diagnostics),
    ...groups(series.filter((s) => !isGiven(s))).flatMap((group) => joined(group, diagnostics)),
  ].sort((a, b) => a.source.id - b.source.id);
  const assumed = new Map<Source, string>();
  const known = paired.map((one) => withKind(one, paired, assumed));
  const kept = withoutRepeats(known, diagnostics);
  for (const { source, readings } of kept) {
    const message = assumed.get(source);
    if (message) say(diagnostics, 'nstat-kind-unknown', source.name, message, `line ${readings[0]!.line}`);
  }
  return kept;
}

/** Read from one of these inputs: the file, a part of it, or a file below the folder. */
function isOf({ source }: CounterSeries, paths: readonly string[]): boolean {
  return paths.some(
    (path) =>
      source.name === path ||
      (/^[#/]/.test(source.name.slice(path.replace(/\/+$/, '').length)) && source.name.startsWith(path)),
  );
}

/** Readings of `--before` and `--after`: of each tool one series, unless the text itself says that it cannot be. */
function givenPairs(
  all: readonly CounterSeries[],
  given: Readings,
  diagnostics: Diagnostics,
): CounterSeries[] {
  return [...groupBy(all, (s) => s.source.format).values()].flatMap((group) => {
    const [before, after] = [given.before, given.after].map((paths) => group.filter((s) => isOf(s, paths)));
    const readings = [...inOrder(before!), ...inOrder(after!)];
    const why = unpairable(before!, after!, readings);
    if (why === null) return [{ ...group[0]!, host: group.find((s) => s.host)?.host ?? null, readings }];
    const names = group.map((s) => s.source.name).join(' and ');
    say(
      diagnostics,
      'counters-not-paired',
      names,
      `given as --before and --after, but ${why}: taken one by one`,
    );
    return group;
  });
}

function unpairable(
  before: readonly CounterSeries[],
  after: readonly CounterSeries[],
  readings: readonly CounterEvent[],
): string | null {
  if (before.length === 0 || after.length === 0)
    return `no ${before.length === 0 ? '--before' : '--after'} is of this tool`;
  const hosts = new Set([...before, ...after].flatMap((s) => s.host?.name ?? []));
  if (hosts.size > 1) return `they are of ${[...hosts].join(' and ')}`;
  if (readings.some((r) => r.delta)) return 'one holds what was added since the call before, not totals';
  const falls = fallen(readings);
  return (
    falls &&
    `a counter falls (${falls}): the host was started again between them, or they are the wrong way round`
  );
}

/** Series that may be one host's: of one tool, without a host, with names that differ in before and after only. */
function groups(all: readonly CounterSeries[]): CounterSeries[][] {
  const candidate = (s: CounterSeries) => s.host === null && s.readings.every((r) => !r.delta && !r.assumed);
  const byName = [
    ...groupBy(all, (s) =>
      candidate(s) ? `${s.source.format} ${stem(s.source.name)}` : `${s.source.id}`,
    ).values(),
  ];
  for (const format of new Set(all.map((s) => s.source.format))) {
    const own = byName.filter(([s]) => s!.source.format === format && candidate(s!));
    const [a, b] = own;
    if (own.length !== 2 || a!.length !== 1 || b!.length !== 1 || !isAlike(a![0]!, b![0]!)) continue;
    a!.push(...b!);
    byName.splice(byName.indexOf(b!), 1);
  }
  return byName;
}

/** `dir/netstat-s-before.txt` and `dir/netstat-s-after.txt` to the same text. */
function stem(name: string): string {
  return name
    .split(/[-_. ]/)
    .filter((word) => !WHEN.test(word))
    .join(' ');
}

function isAlike(a: CounterSeries, b: CounterSeries): boolean {
  const [x, y] = [a, b].map((s) => s.readings.reduce((sum, r) => sum + total(r), 0));
  const common = [...a.readings[0]!.values.keys()].filter((name) => b.readings[0]!.values.has(name));
  const near = Math.max(x!, y!) <= GROWTH * Math.min(x!, y!);
  return near && common.length >= LIKENESS && fallen(inOrder([a, b])) === null;
}

/** Totals since boot only grow, so their sum puts readings without a clock in order. */
function inOrder(group: readonly CounterSeries[]): CounterEvent[] {
  return group.flatMap((s) => s.readings).sort((a, b) => total(a) - total(b));
}

function total(reading: CounterEvent): number {
  let sum = 0;
  for (const value of reading.values.values()) sum += value;
  return sum;
}

/** The first counter that is smaller in a later reading; null when all only grow. */
function fallen(readings: readonly CounterEvent[]): string | null {
  for (const [i, later] of readings.entries()) {
    const earlier = readings[i - 1];
    if (!earlier) continue;
    for (const [name, value] of later.values) {
      const before = earlier.values.get(name);
      if (before !== undefined && value < before && !GAUGES.has(name)) return `${name} ${before} → ${value}`;
    }
  }
  return null;
}

function joined(group: CounterSeries[], diagnostics: Diagnostics): CounterSeries[] {
  const [first] = group;
  if (group.length === 1 || !first) return group;
  const readings = inOrder(group);
  const names = group.map((s) => s.source.name).join(' and ');
  const falls = fallen(readings);
  const byName = new Set(group.map((s) => stem(s.source.name))).size === 1;
  const why = byName
    ? 'their names differ only in the word for before and after'
    : 'their counters lie close together';
  const message = falls
    ? `${why}, but a counter falls (${falls}): taken for readings of two hosts, or of one that was started again between`
    : `${why}, and no counter falls: taken for readings of one host, in the order of their totals. Say --host NAME=FILE for each to decide`;
  say(diagnostics, falls ? 'counters-not-paired' : 'counters-paired', names, message);
  return falls ? group : [{ ...first, readings }];
}

/** Of nstat without its command line: what was added since the previous call, or totals since boot. */
function withKind(
  series: CounterSeries,
  all: readonly CounterSeries[],
  assumed: Map<Source, string>,
): CounterSeries {
  const [first] = series.readings;
  if (!first?.assumed) return series;
  const { delta, why } = kindOf(series, first, all);
  const what = delta ? 'what was added since the previous call' : 'totals since boot (nstat -a)';
  const message = `readings of nstat whose command line is not in the text: taken as ${what}, ${why}`;
  assumed.set(series.source, message);
  return { ...series, readings: series.readings.map((r) => ({ ...r, delta })) };
}

function kindOf(
  series: CounterSeries,
  first: CounterEvent,
  all: readonly CounterSeries[],
): { delta: boolean; why: string } {
  const falls = fallen(series.readings);
  if (falls) return { delta: true, why: `because a total does not fall (${falls})` };
  for (const { source, readings } of all.filter((s) => s.readings.every((r) => !r.delta && !r.assumed))) {
    const [a, b] = [readings[0]!, readings.at(-1)!];
    if (a !== b && agree(first.values, difference(a, b)))
      return { delta: true, why: `because they are the difference of the readings in ${source.name}` };
    if (readings.some((r) => agree(first.values, r.values)))
      return { delta: false, why: `because the totals in ${source.name} are the same` };
  }
  return { delta: false, why: 'although without -a they would be what was added since its previous call' };
}

/** Two tools that read the same counters over the same time tell of it once: the one that shows more. */
function withoutRepeats(all: readonly CounterSeries[], diagnostics: Diagnostics): CounterSeries[] {
  const kept: CounterSeries[] = [];
  const bySize = [...all].sort((a, b) => b.readings[0]!.values.size - a.readings[0]!.values.size);
  for (const series of bySize) {
    const same = kept.find((k) => isRepeated(series, k));
    if (!same) kept.push(series);
    else
      say(
        diagnostics,
        'counters-repeated',
        series.source.name,
        `counts the same as ${same.source.name}, which shows more: counted once`,
      );
  }
  return all.filter((s) => kept.includes(s));
}

function isRepeated(series: CounterSeries, other: CounterSeries): boolean {
  if (series.host && other.host && series.host !== other.host) return false;
  const [own, others] = [rises(series), rises(other)];
  if (own && others) return agree(own, others);
  if (own || others || series.source.format === other.source.format) return false;
  return agree(series.readings[0]!.values, other.readings[0]!.values);
}

/** What was added from the first to the last reading; null when one reading of totals is all there is. */
function rises({ readings }: CounterSeries): ReadonlyMap<string, number> | null {
  const [a, b] = [readings[0]!, readings.at(-1)!];
  if (!a.delta) return a === b ? null : difference(a, b);
  return readings.length === 1 ? a.values : null;
}

function difference(a: CounterEvent, b: CounterEvent): Map<string, number> {
  const names = [...b.values.keys()].filter((name) => a.values.has(name));
  return new Map(names.map((name) => [name, b.values.get(name)! - a.values.get(name)!]));
}

/** Most values that are not 0 are what the other side says; few values agree by chance. */
function agree(values: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): boolean {
  const shared = [...values].filter(([name, value]) => value !== 0 && others.has(name));
  const equal = shared.filter(([name, value]) => others.get(name) === value);
  return shared.length >= LEAST_SHARED && equal.length >= AGREEMENT * shared.length;
}

function say(diagnostics: Diagnostics, code: string, source: string, message: string, locator = ''): void {
  diagnostics.add({ code, severity: 'info', source, locator, message });
}

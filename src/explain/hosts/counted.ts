/**
 * Counters without a connection: what rose between two readings, and of one reading the totals that stand out. With
 * connections at hand counters are held against these instead (explain/counters.ts).
 */
import type { CounterSeries } from '../../model/case.ts';
import type { CounterEvent } from '../../model/table-event.ts';
import { counterEvidence } from '../facts/evidence.ts';
import { riseBySeries, stepsOf } from '../facts/steps.ts';
import type { World } from '../facts/world.ts';
import type { RuleId } from '../rules/index.ts';
import { list, number } from '../words.ts';
import { type CounterMeaning, counterMeaning, TELLING_COUNTERS } from './counter-meanings.ts';
import type { Sign } from './index.ts';

/** Raised at one place of the kernel only, where the cause is what it found. */
const EXACT: ReadonlySet<string> = new Set([
  'ListenOverflows',
  'TCPReqQFullDrop',
  'TCPTimeWaitOverflow',
  'TCPAbortOnMemory',
  'conntrack_drop',
  'conntrack_early_drop',
]);

/** A counter of one series. */
export interface Told {
  name: string;
  meaning: CounterMeaning;
  reading: CounterEvent;
  /** Risen by between the readings; null: one reading, a total since boot. */
  rise: number | null;
  value: number;
}

/** Counters of a series that stand out: those that rose where there are two readings, else those that are not 0. */
export function tellingOf(series: CounterSeries): Told[] {
  return TELLING_COUNTERS.flatMap((name) => {
    const reading = series.readings.findLast((r) => r.values.has(name));
    if (!reading) return [];
    const steps = stepsOf(series, name);
    const rise = steps.length === 0 ? null : steps.reduce((sum, s) => sum + s.delta, 0);
    const value = (rise ?? reading.values.get(name)!) - clashes(series, name, reading);
    return value > 0 ? [{ name, meaning: counterMeaning(name)!, reading, rise, value }] : [];
  });
}

/** Of the packets that connection tracking dropped, those whose entry clashed with another: nf_ct_resolve_clash counts them as both. */
function clashes(series: CounterSeries, name: string, { values }: CounterEvent): number {
  if (name !== 'conntrack_drop') return 0;
  return riseBySeries(series)('conntrack_insert_failed') ?? values.get('conntrack_insert_failed') ?? 0;
}

/** `17 of ListenOverflows (SYNs … that met a full accept queue: …)`. */
export function toldText({ name, meaning, value }: Told): string {
  const means = meaning.means === '' ? '' : `: ${meaning.means}`;
  return `${name} ${number(value)} (${meaning.counts}${means})`;
}

export function counted(world: World): Sign[] {
  if (world.context.cases.count > 0) return [];
  return world.counters.flatMap((series) => {
    const byRule = new Map<RuleId, Told[]>();
    for (const told of tellingOf(series)) {
      const { rule } = told.meaning;
      if (rule) byRule.set(rule, [...(byRule.get(rule) ?? []), told]);
    }
    return [...byRule].map(([rule, all]) => sign(world, series, rule, all));
  });
}

/** A total since boot is of any time: it names what has happened there, and is no incident. */
function sign(world: World, series: CounterSeries, rule: RuleId, all: readonly Told[]): Sign {
  const [first] = all as [Told];
  const isRise = first.rise !== null;
  const host = world.hostName(series.source.id);
  const what = list(all.map(toldText), 'and');
  return {
    rule,
    confidence: isRise && EXACT.has(first.name) ? 'inferred' : 'possible',
    severity: isRise ? 'warning' : 'info',
    side: 'server',
    moment: world.momentOf(first.reading),
    summary: `${isRise ? 'Between the readings' : 'Since boot'}${host && ` of ${host}`}: ${what}.`,
    remedy: isRise
      ? 'Capture the next time it rises: counters name no connection.'
      : 'Take a second reading later: what rises between the two is what happens now.',
    evidence: all.map(({ name, value, reading, rise }) =>
      counterEvidence(world, reading, rise === null ? `${name} is ${value}` : `${name} rose by ${value}`),
    ),
  };
}

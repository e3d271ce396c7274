/** An incident on one axis of time: how often each of its causes met a connection, and how full the accept queue was. */
import { getOr } from '../model/get-or.ts';
import type { Activity, Picture } from '../model/incident.ts';
import { type ClockLabel, type CommonTime, NS_PER_S } from '../model/time.ts';
import type { World } from './facts/world.ts';
import type { Explained, Rule } from './rule.ts';

/** Steps of a picture at most. */
const STEPS = 60;
/** Fewer are told, not drawn. */
const FEW = 3;

/** What happened to a connection once. */
export interface Happening extends Pick<Explained, 'n' | 'moment'> {
  rule: Pick<Rule, 'title'> & { id: string };
}

interface Timed<T> {
  e: T;
  at: CommonTime;
}

/** Those with a time, of the clock that most of them have. */
function timed<T extends Happening>(
  world: World,
  members: readonly T[],
): { list: Timed<T>[]; source: number } | null {
  const { timeline } = world.context;
  const domains: { source: number; list: Timed<T>[] }[] = [];
  for (const e of members) {
    const { moment } = e;
    if (moment === null || moment.at === null || timeline.label(moment.source) === 'order') continue;
    const own = domains.find((d) => timeline.comparable(d.source, moment.source));
    if (own) own.list.push({ e, at: moment.at });
    else domains.push({ source: moment.source, list: [{ e, at: moment.at }] });
  }
  return domains.sort((a, b) => b.list.length - a.list.length)[0] ?? null;
}

function extremes(list: readonly Timed<Happening>[]): [number, number] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { at } of list) {
    if (at < from) from = at;
    if (at > to) to = at;
  }
  return [from, to];
}

/** The first and last moment that these findings name; null without times. */
export function spanOfMoments(
  world: World,
  members: readonly Happening[],
): { since: string; until: string; clock: ClockLabel; lasted: number } | null {
  const found = timed(world, members);
  if (found === null) return null;
  const [from, to] = extremes(found.list);
  const { timeline } = world.context;
  const clock = timeline.label(found.source);
  const format = (at: number) => timeline.format(at as CommonTime, clock);
  return { since: format(from), until: format(to), clock, lasted: (to - from) / NS_PER_S };
}

/** `rules`: from the root down. Null where there is too little to draw. */
export function pictureOf(
  world: World,
  members: readonly Happening[],
  rules: readonly string[],
): Picture | null {
  const found = timed(world, members);
  if (found === null || found.list.length < FEW) return null;
  const [from, to] = extremes(found.list);
  if (to === from) return null;
  const { bin, steps, ...axis } = stepsOf(world, found.source, from, to, STEPS);
  const causes = new Map(rules.map((rule) => [rule, new Array<number>(steps).fill(0)]));
  const seen = new Set<string>();
  const titles = new Map<string, string>();
  for (const { e, at } of found.list) {
    const key = `${e.rule.id} ${e.n}`;
    if (seen.has(key)) continue;
    seen.add(key);
    titles.set(e.rule.id, e.rule.title);
    causes.get(e.rule.id)![bin(at)]!++;
  }
  return {
    ...axis,
    causes: [...causes].flatMap(([rule, counts]) =>
      titles.has(rule) ? [{ rule, label: titles.get(rule)!, counts }] : [],
    ),
    queue: queueOf(world, found.list, found.source, steps, bin),
  };
}

/** Round steps that cover it all, at most so many. */
function stepsOf(world: World, source: number, from: number, to: number, most: number) {
  const step = roundStep((to - from) / (most - 1));
  const start = Math.floor(from / step) * step;
  const steps = Math.floor((to - start) / step) + 1;
  const { timeline } = world.context;
  const clock = timeline.label(source);
  const format = (at: number) => timeline.format(at as CommonTime, clock);
  return {
    from: format(start),
    to: format(start + steps * step),
    clock,
    step: step / NS_PER_S,
    steps,
    bin: (at: number) => Math.floor((at - start) / step),
  };
}

/** Servers of a chart. */
const SERVERS = 20;
const FINE = 120;

/** Verdicts above info of all connections, one a connection and cause, by cause and by server. */
export function activityOf(world: World, explained: readonly Explained[]): Activity | null {
  const found = timed(
    world,
    explained.filter(({ finding }) => finding.severity !== 'info' && finding.role === 'verdict'),
  );
  if (found === null || found.list.length < FEW) return null;
  const [from, to] = extremes(found.list);
  if (to === from) return null;
  const { bin, steps, ...axis } = stepsOf(world, found.source, from, to, FINE);
  const none = () => new Array<number>(steps).fill(0);
  const causes = new Map<string, { label: string; counts: number[] }>();
  const servers = new Map<number, { n: number; counts: number[]; sum: number }>();
  const [byCause, counted] = [new Set<string>(), new Set<number>()];
  const { cases } = world.context;
  for (const { e, at } of found.list) {
    const key = `${e.rule.id} ${e.n}`;
    if (!byCause.has(key)) {
      byCause.add(key);
      getOr(causes, e.rule.id, () => ({ label: e.rule.title, counts: none() })).counts[bin(at)]!++;
    }
    if (counted.has(e.n)) continue;
    counted.add(e.n);
    const server = getOr(servers, cases.server(e.n), () => ({ n: e.n, counts: none(), sum: 0 }));
    server.counts[bin(at)]!++;
    server.sum++;
  }
  const busiest = [...servers.values()].sort((a, b) => b.sum - a.sum).slice(0, SERVERS);
  return {
    ...axis,
    causes: [...causes].map(([rule, own]) => ({ rule, ...own })),
    servers: busiest.map(({ n, counts }) => ({ label: world.serverOf(n), counts })),
  };
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= least)!;
}

/** Of the one listener: of several the pictures of their incidents have their own. */
function queueOf(
  world: World,
  list: readonly Timed<Happening>[],
  source: number,
  steps: number,
  bin: (at: number) => number,
): Picture['queue'] {
  const { timeline } = world.context;
  const { n } = list[0]!.e;
  const { cases } = world.context;
  if (list.some(({ e }) => cases.server(e.n) !== cases.server(n))) return null;
  const listener = world.listenerOf(n);
  const held = new Array<number | null>(steps).fill(null);
  const looks = [
    ...listener.queueLooks.map((l) => ({ moment: l.moment, held: l.held, limit: l.limit })),
    ...listener.sights.map(({ row }) => ({
      moment: world.momentOf(row),
      held: row.recvQ,
      limit: row.acceptLimit,
    })),
  ];
  let limit: number | null = null;
  for (const look of looks) {
    limit ??= look.limit;
    const { at } = look.moment;
    if (at === null || !timeline.comparable(look.moment.source, source)) continue;
    const i = bin(at);
    if (i >= 0 && i < steps) held[i] = Math.max(held[i] ?? 0, look.held);
  }
  return held.every((h) => h === null) ? null : { limit, held };
}

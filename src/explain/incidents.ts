/**
 * Faults side by side, each with what followed from it: a story that many connections share, or a cause of its own. Counts
 * are of all connections, whatever an output lists.
 */

import { CLIENT } from '../model/connection.ts';
import { CONFIDENCE_ORDER, SEVERITY_ORDER } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { Incident } from '../model/incident.ts';
import type { CauseGroup } from '../model/result.ts';
import type { SourceTime } from '../model/time.ts';
import { groupByRule, orderOf, parentsOf, treeOf } from './cause-tree.ts';
import { followsAtServer, followsFrom } from './consequences.ts';
import type { World } from './facts/world.ts';
import { whoOf } from './incident-who.ts';
import { type Happening, pictureOf, spanOfMoments } from './picture.ts';
import type { Explained, Moment } from './rule.ts';
import type { Fault, Story } from './stories/index.ts';
import { happened, serversOf, weakest } from './together.ts';
import { firstSentence, hedged } from './words.ts';

/** What is known of a fault before it is told. */
interface Draft {
  /** What no connection shows by itself. */
  fault:
    | (Pick<Fault, 'title' | 'headline' | 'action'> & Pick<Story, 'who' | 'confidence' | 'uncaused'>)
    | null;
  members: Explained[];
}

/** `stories`: in the order in which they were told, each of what those before it left. */
export function incidentsOf(
  world: World,
  explained: readonly Explained[],
  causes: readonly CauseGroup[],
  stories: readonly Story[],
): Incident[] {
  const left = new Set(explained.filter((e) => e.finding.severity !== 'info'));
  const drafts = stories.flatMap((story) => draftsOf(world, story, left));
  const byRule = new Map<string, Explained[]>();
  for (const e of left) getOr(byRule, e.rule.id, () => []).push(e);
  for (const members of joined(byRule)) drafts.push({ fault: null, members });
  const incidents = drafts.map((d) => tell(world, d));
  const ofHosts = causes.filter((c) => c.severity !== 'info' && c.connections.length === 0 && !c.unlisted);
  return [...incidents, ...ofHosts.map(withoutConnections)].sort(graver);
}

function graver(a: Incident, b: Incident): number {
  const rank = (i: Incident) => SEVERITY_ORDER.indexOf(i.severity);
  const doubt = (i: Incident) => (i.confidence === null ? 0 : CONFIDENCE_ORDER.indexOf(i.confidence));
  // what is only possible stands below what is more, however many it may be
  const isPossible = (i: Incident) => (i.confidence === 'possible' ? 1 : 0);
  return (
    rank(a) - rank(b) || isPossible(a) - isPossible(b) || b.connections - a.connections || doubt(a) - doubt(b)
  );
}

/** Takes what belongs to the story out of what is left. */
function draftsOf(world: World, { sentences, rules, faults, ...told }: Story, left: Set<Explained>): Draft[] {
  const take = (isPart: (e: Explained) => boolean, from: readonly string[]) => {
    const own = [...left].filter((e) => from.includes(e.rule.id) && isPart(e));
    for (const e of own) left.delete(e);
    return withConsequences(world, own, left);
  };
  if (faults) return faults.map((f) => ({ fault: f, members: take(f.isPart, f.rules) })).filter(hasMembers);
  const members = take(() => true, rules);
  const fault = {
    title: largestOf(members)?.rule.title ?? 'Worth knowing',
    headline: withoutFiles(sentences[0]!),
    action: '',
    ...told,
  };
  return [{ fault, members }];
}

/** And with what followed from them, taken out of what is left: on the same connection, or later on the same server. */
function withConsequences(world: World, own: readonly Explained[], left: Set<Explained>): Explained[] {
  const all: Explained[] = [];
  const shown = new Map<string, Set<number>>();
  const begun = new Map<string, Moment | null>();
  const add = (e: Explained) => {
    all.push(e);
    getOr(shown, e.rule.id, () => new Set()).add(e.n);
    const key = `${e.rule.id} ${serverOf(e)}`;
    const first = begun.get(key);
    if (first === undefined || isAtOrAfter(world, first, e.moment)) begun.set(key, e.moment);
  };
  const follows = (e: Explained) =>
    followsFrom(e.rule.id, (parent) => shown.get(parent)?.has(e.n) ?? false) ??
    followsAtServer(e.rule.id, (parent) => {
      const first = begun.get(`${parent} ${serverOf(e)}`);
      return first !== undefined && isAtOrAfter(world, e.moment, first);
    });
  own.forEach(add);
  // what follows may have followed before
  for (let known = 0; all.length > known; ) {
    known = all.length;
    for (const e of left) {
      if (!follows(e)) continue;
      add(e);
      left.delete(e);
    }
  }
  return all;
}

/** Known to be so: of clocks that cannot be compared it is not. */
function isAtOrAfter(world: World, a: Moment | null, b: Moment | null): boolean {
  return a !== null && b !== null && (world.between(a, b) ?? -1) >= 0;
}

function hasMembers({ members }: Draft): boolean {
  return members.length > 0;
}

function serverOf({ n, facts }: Explained): number {
  return facts.world.context.cases.server(n);
}

/** A cause joins another from which it can follow when all its connections show that one too. */
function joined(byRule: ReadonlyMap<string, Explained[]>): Explained[][] {
  const parentOf = parentsOf(byRule);
  const head = (id: string): string => {
    const parent = parentOf(id);
    return parent === null ? id : head(parent);
  };
  const groups = new Map<string, Explained[]>();
  for (const [id, own] of byRule) getOr(groups, head(id), () => []).push(...own);
  return [...groups.values()];
}

/** Said of a host, and of none of its connections. */
function withoutConnections({ rule, title, severity, confidence, summary, remedy }: CauseGroup): Incident {
  return {
    headline: firstSentence(summary),
    severity,
    confidence,
    cause: { rule, title, severity, connections: 0, confidences: {}, children: [] },
    who: [],
    since: '',
    until: '',
    clock: 'order',
    lasted: null,
    ...{ connections: 0, of: 0, clients: 0, ofClients: 0, servers: 0 },
    action: firstSentence(remedy),
    picture: null,
    example: '',
  };
}

/** When the connections began that a story tells of, but for those that have a cause of their own. */
function happeningsOf(world: World, fault: Draft['fault'], members: readonly Explained[]): Happening[] {
  if (!fault?.uncaused) return [];
  const { source, connections } = fault.uncaused;
  const rule = { id: '', title: fault.title };
  const caused = new Set(members.map((e) => e.n));
  return connections.flatMap((n) => {
    if (caused.has(n)) return [];
    const moment = world.momentOf({ source, time: world.context.cases.brief(n).start as SourceTime });
    return { n, rule, moment };
  });
}

/** Of connections without a cause it is the story alone that says what happened, for want of evidence. */
function tellUncaused(world: World, fault: NonNullable<Draft['fault']>): Incident {
  const { title, headline, action, who, confidence = 'possible' } = fault;
  const { connections } = fault.uncaused!;
  const happenings = happeningsOf(world, fault, []);
  const severity = 'warning';
  return {
    ...{ headline, severity, confidence, action },
    cause: {
      ...{ rule: '', title, severity, children: [] },
      connections: connections.length,
      confidences: { [confidence]: connections.length },
    },
    who: who === undefined ? [] : [who],
    ...spanOf(world, happenings),
    ...extentOf(world, new Set(connections)),
    picture: pictureOf(world, happenings, ['']),
    example: `c${connections[0]! + 1}`,
  };
}

function spanOf(
  world: World,
  happenings: readonly Happening[],
): Pick<Incident, 'since' | 'until' | 'clock' | 'lasted'> {
  return spanOfMoments(world, happenings) ?? { since: '', until: '', clock: 'order', lasted: null };
}

function tell(world: World, { fault, members }: Draft): Incident {
  if (fault?.uncaused && members.length === 0) return tellUncaused(world, fault);
  const severity = SEVERITY_ORDER.find((s) => members.some((e) => e.finding.severity === s)) ?? 'warning';
  const gravest = members.filter((e) => e.finding.severity === severity);
  const root = largestOf(gravest.length > 0 ? gravest : members);
  const told: Happening[] = [...members, ...happeningsOf(world, fault, members)];
  const hurt = new Set(told.map((e) => e.n));
  const extent = extentOf(world, hurt);
  const tree = treeOf(members, fault?.title ?? '');
  return {
    headline: fault?.headline ?? headlineOf(world, root!, members),
    severity,
    confidence: fault?.confidence ?? (gravest.length > 0 ? weakest(gravest) : null),
    cause: tree,
    who: fault?.who === undefined ? whoOf(world, members, root, extent) : [fault.who],
    ...spanOf(world, told),
    ...extent,
    action: fault?.action || (root ? firstSentence(root.finding.remedy) : ''),
    picture: pictureOf(world, members, orderOf(tree)),
    example: root ? `c${root.n + 1}` : '',
  };
}

/** The finding of the cause that most connections have; of a rule those of one that leads, where there are some. */
function largestOf(members: readonly Explained[]): Explained | undefined {
  const byRule = groupByRule(members.filter((e) => e.finding.role !== 'note'));
  const [largest] = [...(byRule.size > 0 ? byRule : groupByRule(members)).values()].sort(
    (a, b) => b.length - a.length,
  );
  return largest?.[0];
}

function headlineOf(world: World, root: Explained, members: readonly Explained[]): string {
  const own = members.filter((e) => e.rule === root.rule);
  const numbers = new Set(own.map((e) => e.n));
  if (numbers.size === 1) return firstSentence(own[0]!.finding.summary);
  const to = ` to ${serversOf(world, numbers)}`;
  const what = happened(own, root.rule).replace(/^\S+ connections?/, (n) => `${n}${to}`);
  return hedged(`${what}.`, weakest(own));
}

/** How many connections and clients it hurt, and how many there are to the same servers. */
function extentOf(world: World, hurt: ReadonlySet<number>) {
  const { cases } = world.context;
  const servers = new Set([...hurt].map((n) => cases.server(n)));
  const [clients, ofClients] = [new Set<number>(), new Set<number>()];
  let of = 0;
  for (const n of world.kept) {
    if (!servers.has(cases.server(n))) continue;
    of++;
    const key = cases.brief(n).keys[CLIENT];
    ofClients.add(key);
    if (hurt.has(n)) clients.add(key);
  }
  return {
    connections: hurt.size,
    of,
    clients: clients.size,
    ofClients: ofClients.size,
    servers: servers.size,
  };
}

/** Without the files that its sentences rest on, which stand in brackets at their ends. */
function withoutFiles(sentence: string): string {
  return sentence.replace(/ \([^()]*\.\w+[^()]*\)(?=\.(?: |$))/g, '');
}

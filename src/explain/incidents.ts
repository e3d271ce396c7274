/**
 * Faults side by side, each with what followed from it: a story that many connections share, or a cause of its own. Counts
 * are of all connections, whatever an output lists.
 */

import type { Host } from '../model/case.ts';
import { processOf } from '../model/case-process.ts';
import { CLIENT, SERVER } from '../model/connection.ts';
import { placeOf } from '../model/container.ts';
import { CONFIDENCE_ORDER, type Severity } from '../model/finding.ts';
import { getOr } from '../model/get-or.ts';
import type { Incident, IncidentCause, ServerHealth } from '../model/incident.ts';
import type { CauseGroup } from '../model/result.ts';
import { followsFrom, mayFollow, type Shown } from './consequences.ts';
import type { World } from './facts/world.ts';
import { SYN_TROUBLE } from './mask.ts';
import { pictureOf, spanOfMoments } from './picture.ts';
import type { Explained, Rule } from './rule.ts';
import type { Story } from './stories/index.ts';
import { happened, serversOf, weakest } from './together.ts';
import { firstSentence, hedged, number } from './words.ts';

const SEVERITY_ORDER: readonly Severity[] = ['error', 'warning', 'info'];
/** Connections of an incident that are asked for their process. */
const ASKED = 50;
const NAMED = 3;
const UNKNOWN = 'process not in these files';

/** What is known of a fault before it is told. */
interface Draft {
  /** What no connection shows by itself. */
  fault: { title: string; headline: string; action: string } | null;
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
  const drafts = stories.flatMap((story) => draftsOf(story, left));
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
  return rank(a) - rank(b) || b.connections - a.connections || doubt(a) - doubt(b);
}

/** Takes what belongs to the story out of what is left. */
function draftsOf({ sentences, rules, faults, title, action }: Story, left: Set<Explained>): Draft[] {
  const take = (isPart: (e: Explained) => boolean, from: readonly string[]) => {
    const own = [...left].filter((e) => from.includes(e.rule.id) && isPart(e));
    for (const e of own) left.delete(e);
    // what followed on the same servers: those causes say themselves what they follow from
    const ids = new Set(own.map((e) => e.rule.id));
    const servers = new Set(own.map(serverOf));
    for (const e of left) {
      if (!mayFollow(e.rule.id, ids) || !servers.has(serverOf(e))) continue;
      own.push(e);
      ids.add(e.rule.id);
      left.delete(e);
    }
    return own;
  };
  if (faults) return faults.map((f) => ({ fault: f, members: take(f.isPart, f.rules) })).filter(hasMembers);
  const members = take(() => true, rules);
  const fault = {
    title: title ?? largestOf(members)?.rule.title ?? 'Worth knowing',
    headline: withoutFiles(sentences[0]!),
    action: action ?? '',
  };
  return [{ fault, members }];
}

function hasMembers({ members }: Draft): boolean {
  return members.length > 0;
}

function serverOf({ n, facts }: Explained): number {
  return facts.world.context.cases.server(n);
}

/** A cause joins another from which it can follow when all its connections show that one too. */
function joined(byRule: ReadonlyMap<string, Explained[]>): Explained[][] {
  const numbers = connectionsByRule(byRule);
  const head = (id: string): string => {
    const parent = followsFrom(id, numbers, true);
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

function tell(world: World, { fault, members }: Draft): Incident {
  const severity = SEVERITY_ORDER.find((s) => members.some((e) => e.finding.severity === s)) ?? 'warning';
  const gravest = members.filter((e) => e.finding.severity === severity);
  const root = largestOf(gravest.length > 0 ? gravest : members);
  const span = spanOfMoments(world, members);
  const hurt = new Set(members.map((e) => e.n));
  const extent = extentOf(world, hurt);
  const tree = treeOf(members, fault?.title ?? '');
  return {
    headline: fault?.headline ?? headlineOf(world, root!, members),
    severity,
    confidence: gravest.length > 0 ? weakest(gravest.map((e) => e.finding)) : null,
    cause: tree,
    who: whoOf(world, members, root, extent),
    since: span?.since ?? '',
    until: span?.until ?? '',
    clock: span?.clock ?? 'order',
    lasted: span?.lasted ?? null,
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

function groupByRule(members: readonly Explained[]): Map<Rule, Explained[]> {
  const byRule = new Map<Rule, Explained[]>();
  for (const e of members) getOr(byRule, e.rule, () => []).push(e);
  return byRule;
}

function headlineOf(world: World, root: Explained, members: readonly Explained[]): string {
  const own = members.filter((e) => e.rule === root.rule);
  const numbers = new Set(own.map((e) => e.n));
  if (numbers.size === 1) return firstSentence(own[0]!.finding.summary);
  const to = ` to ${serversOf(world, numbers)}`;
  const what = happened(own, root.rule).replace(/^\S+ connections?/, (n) => `${n}${to}`);
  return hedged(`${what}.`, weakest(own.map((e) => e.finding)));
}

function connectionsByRule(byRule: ReadonlyMap<string, readonly Explained[]>): Shown {
  return new Map([...byRule].map(([id, own]) => [id, new Set(own.map((e) => e.n))]));
}

/** Each rule once, below what it follows from. */
function treeOf(members: readonly Explained[], fault: string): IncidentCause {
  const nodes = new Map<string, IncidentCause>();
  const byRule = new Map([...groupByRule(members)].map(([rule, own]) => [rule.id, own]));
  for (const [id, own] of byRule) nodes.set(id, nodeOf(own));
  const shown = connectionsByRule(byRule);
  const roots: IncidentCause[] = [];
  for (const [id, node] of nodes) {
    const parent = followsFrom(id, shown, false);
    (parent === null ? roots : nodes.get(parent)!.children).push(node);
  }
  for (const { children } of nodes.values()) children.sort(largerCause);
  roots.sort(largerCause);
  const [only] = roots;
  if (only && roots.length === 1 && (fault === '' || fault === only.title)) return only;
  const title = fault === '' ? only!.title : fault;
  const severity = only?.severity ?? 'warning';
  return { rule: '', title, severity, connections: 0, confidences: {}, children: roots };
}

function nodeOf(own: readonly Explained[]): IncidentCause {
  const { id, title } = own[0]!.rule;
  const confidences: IncidentCause['confidences'] = {};
  for (const confidence of CONFIDENCE_ORDER) {
    const n = new Set(own.filter((e) => e.finding.confidence === confidence).map((e) => e.n)).size;
    if (n > 0) confidences[confidence] = n;
  }
  const severity = SEVERITY_ORDER.find((s) => own.some((e) => e.finding.severity === s))!;
  return {
    rule: id,
    title,
    severity,
    connections: new Set(own.map((e) => e.n)).size,
    confidences,
    children: [],
  };
}

function largerCause(a: IncidentCause, b: IncidentCause): number {
  const rank = (c: IncidentCause) => SEVERITY_ORDER.indexOf(c.severity);
  return rank(a) - rank(b) || b.connections - a.connections;
}

/** Rules from the root down. */
function orderOf({ rule, children }: IncidentCause): string[] {
  return [...(rule === '' ? [] : [rule]), ...children.flatMap(orderOf)];
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

/** The processes at the side to blame, where the files name them; else that side's end. */
function whoOf(
  world: World,
  members: readonly Explained[],
  root: Explained | undefined,
  { clients, servers }: Pick<Incident, 'clients' | 'servers'>,
): string[] {
  if (!root) return [];
  const { side } = root.finding;
  if (side === 'path') return [];
  const index = side === 'client' ? CLIENT : SERVER;
  // one of many that nothing names says nothing
  const isOneOfMany = (index === SERVER ? servers : clients) > 1;
  const names = new Set<string>();
  for (const { facts, n, finding } of members.slice(0, ASKED)) {
    if (finding.side !== side) continue;
    const listening = index === SERVER ? facts.listener.owner : null;
    const process = listening ?? processOf(facts.case, index);
    const end = facts.endpoint(index);
    const place = placeOf(facts.case, index, world.context.sources);
    const at = index === SERVER ? world.serverOf(n) : end.address;
    const host = world.context.hosts.find((h) => isNamed(h) && h.addresses.has(end.address))?.name;
    if (!process?.comm && isOneOfMany) continue;
    const parts = [
      process?.comm ? `${process.comm}${process.pid === null ? '' : ` (pid ${process.pid})`} on ${at}` : at,
      ...placeWords(place?.container ?? process?.container, place?.pod ?? process?.pod),
      ...(host === undefined ? [] : [`host ${host}`]),
      ...(process?.comm ? [] : [UNKNOWN]),
    ];
    names.add(parts.join(', '));
  }
  const named = [...names].filter((n) => !n.endsWith(UNKNOWN));
  const all = named.length > 0 ? named : [...names];
  return all.length > NAMED ? [...all.slice(0, NAMED), `${number(all.length - NAMED)} more`] : all;
}

function placeWords(container: string | null | undefined, pod: string | null | undefined): string[] {
  return [...(pod ? [`pod ${pod}`] : []), ...(container ? [`container ${container}`] : [])];
}

/** `(none)` is what a kernel without a host name prints. */
function isNamed({ unnamed, name }: Host): boolean {
  return !unnamed && /^\w/.test(name);
}

/** Without the files that its sentences rest on, which stand in brackets at their ends. */
function withoutFiles(sentence: string): string {
  return sentence.replace(/ \([^()]*\.\w+[^()]*\)(?=\.(?: |$))/g, '');
}

/** Every server, those with most hurt connections first. */
export function serversHealth(world: World, explained: readonly Explained[]): ServerHealth[] {
  const { cases } = world.context;
  const hurt = new Set(explained.filter((e) => e.finding.severity !== 'info').map((e) => e.n));
  const unanswered = new Set(explained.filter((e) => e.rule.closes === 'unanswered').map((e) => e.n));
  const rows = new Map<
    number,
    Omit<ServerHealth, 'server' | 'clients'> & { n: number; clients: Set<number> }
  >();
  for (const n of world.kept) {
    const row = getOr(rows, cases.server(n), () => ({
      n,
      connections: 0,
      hurt: 0,
      well: 0,
      clients: new Set(),
    }));
    row.connections++;
    const { keys, answered } = cases.brief(n);
    row.clients.add(keys[CLIENT]);
    if (hurt.has(n)) row.hurt++;
    // of a SYN at the very end of a capture nobody knows whether it was answered
    else if (!unanswered.has(n) && (answered || !(world.mask(n) & SYN_TROUBLE))) row.well++;
  }
  return [...rows.values()]
    .map(({ n, clients, ...rest }) => ({ server: world.serverOf(n), ...rest, clients: clients.size }))
    .sort((a, b) => b.hurt - a.hurt || b.connections - a.connections);
}

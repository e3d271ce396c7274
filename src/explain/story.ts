/** What happened, in at most five sentences. */
import { formatEndpoint } from '../model/address.ts';
import type { CauseGroup } from '../model/result.ts';
import type { Facts } from './facts/facts.ts';
import type { World } from './facts/world.ts';
import { verdictsOf } from './roles.ts';
import type { Explained, Rule } from './rule.ts';
import { ruleById } from './rules/index.ts';
import { tellStories } from './stories/index.ts';
import { hedge, servers } from './together.ts';
import { capital, count, list, number, predicate } from './words.ts';

const SENTENCES = 5;

/** A story across connections first, else the cause that most of them share; then the numbers, then other causes. */
export function tellStory(
  world: World,
  explained: readonly Explained[],
  causes: readonly CauseGroup[],
): string[] {
  const cases = world.told;
  const hidden = world.context.cases.count - cases.length;
  if (cases.length === 0 && hidden > 0) return [`No connection passes the filter; it hides ${hidden}.`];
  if (cases.length === 0) return withoutConnections(world);
  const across = tellStories(world, explained);
  const story = across.flatMap((s) => s.sentences);
  const told = new Set(across.flatMap((s) => s.rules));
  const total = cases.length;
  const common = story.length === 0 ? commonCause(total, explained) : null;
  if (common) {
    story.push(`${common.sentence}.`);
    told.add(common.rule.id);
  }
  const endings = endingsOf(total, explained);
  story.push(`${story.length > 0 ? allOf(total, endings) : overview(world, total) + endings.after}.`);
  const verdicts = new Set(explained.filter((e) => e.finding.role === 'verdict').map((e) => e.rule.id));
  for (const cause of causes) {
    if (cause.severity === 'info' || told.has(cause.rule) || !verdicts.has(cause.rule)) continue;
    story.push(firstSentence(cause.summary));
  }
  if (hidden === 0) return story.slice(0, SENTENCES);
  return [...story.slice(0, SENTENCES - 1), `The filter hides ${count(hidden, 'other connection')}.`];
}

/** Function traces and tables of listeners name no connection, and tell much all the same. */
function withoutConnections(world: World): string[] {
  const walks = world.walks.flatMap((w) =>
    w.closes.map(
      ({ first, second }) =>
        `A connection with both ends on this host is closed in ${world.source(w.source).name}: socket ${first.socket} of process ${first.owner ?? '?'} ` +
        `closed first, socket ${second.socket} of process ${second.owner ?? '?'} second.`,
    ),
  );
  return walks.length > 0 ? walks.slice(0, SENTENCES) : ['No TCP connection was found in these files.'];
}

/** A verdict above info that at least half of all connections share. */
function commonCause(
  total: number,
  explained: readonly Explained[],
): { rule: Rule; sentence: string } | null {
  const byRule = new Map<Rule, Map<Facts, Explained>>();
  for (const e of explained) {
    if (e.finding.role !== 'verdict' || e.finding.severity === 'info') continue;
    const rule = ruleById(e.rule.id) ?? e.rule;
    const found = byRule.get(rule) ?? new Map<Facts, Explained>();
    byRule.set(rule, found.set(e.facts, e));
  }
  const ranked = [...byRule].sort((a, b) => b[1].size - a[1].size);
  const [rule, found] = ranked[0] ?? [];
  if (!rule || !found) return null;
  const n = found.size;
  if (n * 2 < total || total === 1) return null;
  const of =
    n === total ? (n === 2 ? 'Both' : `All ${number(n)}`) : `${capital(number(n))} of ${number(total)}`;
  const sentence = `${of} connections${toServers([...found.values()])} ${predicate(n, rule.happened)}${hedge([...found.values()])}`;
  return { rule, sentence };
}

function toServers(all: readonly Explained[]): string {
  const to = servers(all);
  return to.length > 80 ? '' : ` to ${to}`;
}

function allOf(total: number, { after, all }: Endings): string {
  if (total === 1) return `The connection${after}`;
  const which = total === 2 ? 'the two' : `all ${number(total)}`;
  return all === null
    ? `Of ${which} connections${after}`
    : `${capital(total === 2 ? 'both' : which)} connections ${all}`;
}

/** How many connections, and between whom. */
function overview(world: World, total: number): string {
  const byServer = new Map<string, number>();
  for (const c of world.told) {
    const server = formatEndpoint(c.server);
    byServer.set(server, (byServer.get(server) ?? 0) + 1);
  }
  const [busiest] = [...byServer].sort((a, b) => b[1] - a[1])[0]!;
  const who = capital(count(total, 'connection'));
  if (byServer.size === 1) return `${who} to ${busiest}`;
  const most = byServer.get(busiest)! * 2 > total ? `, most of them to ${busiest}` : '';
  return `${who} to ${byServer.size} servers${most}`;
}

interface Endings {
  /** Behind how many connections there are: `: 3 refused and 1 closed in good order`. */
  after: string;
  /** What all of them did, when it is one thing. */
  all: string | null;
}

/** Rules of how a connection began that began well. */
const CONNECTED = new Set(['syn-cookie-handshake', 'deferred-accept', 'simultaneous-open']);

function endingsOf(total: number, explained: readonly Explained[]): Endings {
  const byConnection = new Map<string, Explained[]>();
  for (const e of explained) {
    const known = byConnection.get(e.finding.connection);
    if (known) known.push(e);
    else byConnection.set(e.finding.connection, [e]);
  }
  let [orderly, silent, refused, reset, unanswered, halfOpen] = [0, 0, 0, 0, 0, 0];
  for (const own of byConnection.values()) {
    const { close, syn } = verdictsOf(own.map((e) => e.finding));
    if (close === 'graceful-close') orderly++;
    else if (close === 'retransmission-timeout') silent++;
    else if (close === 'connection-refused') refused++;
    else if (close !== '') reset++;
    else if (syn === 'accept-queue-overflow-ack') halfOpen++;
    else if (syn !== '' && !CONNECTED.has(syn)) unanswered++;
  }
  const rest = total - orderly - silent - refused - reset - unanswered - halfOpen;
  const one = total === 1;
  const parts = [
    [orderly, one ? 'was closed in good order' : 'closed in good order'],
    [reset, one ? 'was ended by a reset' : 'ended by a reset'],
    [refused, one ? 'was refused' : 'refused'],
    [silent, one ? 'was given up in silence' : 'given up in silence'],
    [unanswered, one ? 'had a SYN without an answer' : 'whose SYN had no answer or a late one'],
    [halfOpen, one ? 'had the ACK of its handshake refused' : 'had the ACK of their handshake refused'],
    [rest, one ? 'has its end outside these files' : 'whose end is not in the files'],
  ] as const;

  const known = parts.filter(([n]) => n > 0);
  const [only] = known;
  if (one) return { after: ` ${only![1]}`, all: null };
  if (rest === total) return { after: ', and the end of none is in the files', all: null };
  if (unanswered === total) return { after: ': no SYN had an answer in time', all: null };
  if (known.length > 1)
    return {
      after: `: ${list(known.map(([n, what]) => `${n.toLocaleString('en-US')} ${what}`))}`,
      all: null,
    };
  return { after: `: all ${only![1]}`, all: refused === total ? 'were refused' : only![1] };
}

/** Up to the first full stop that ends a sentence. */
function firstSentence(text: string): string {
  const match = /^.*?[.!?](?=\s+[A-Z]|$)/s.exec(text);
  return match ? match[0] : text;
}

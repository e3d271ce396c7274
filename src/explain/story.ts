/** What happened, in at most five sentences. */
import type { Case } from '../model/case.ts';
import { CLIENT, SERVER } from '../model/connection.ts';
import { getOr } from '../model/get-or.ts';
import type { CauseGroup } from '../model/result.ts';
import { RST } from '../model/tcp.ts';
import { LOST_SYN_ACKS, LOST_SYNS } from './excludes.ts';
import type { World } from './facts/world.ts';
import { gotSynAck } from './procedures/silence.ts';
import { isFiltered } from './procedures/silent-syn.ts';
import type { Explained, Rule } from './rule.ts';
import { ruleById } from './rules/index.ts';
import type { Story } from './stories/index.ts';
import { mixture, serversOf, toServers, weakest } from './together.ts';
import type { Verdicts } from './verdicts.ts';
import { count, firstSentence, hedged, list, MAYBE, number, predicate } from './words.ts';

const SENTENCES = 5;

/** A story across connections first, else the cause that most of them share; then the numbers, then other causes. */
export function tellStory(
  world: World,
  verdicts: Verdicts,
  explained: readonly Explained[],
  causes: readonly CauseGroup[],
  across: readonly Story[],
): string[] {
  const total = world.kept.length;
  const hidden = world.context.cases.count - total;
  if (total === 0 && hidden > 0) return [`No connections match (${number(hidden)} filtered out).`];
  if (total === 0) return withoutConnections(world, causes, across);
  const story = across.flatMap((s) => s.sentences);
  const told = new Set(across.flatMap((s) => s.rules));
  const common = story.length === 0 ? commonCause(total, explained) : null;
  if (common) {
    story.push(common.sentence);
    told.add(common.rule.id);
  }
  story.push(endingsOf(world, verdicts, story.length > 0));
  const leading = new Set(explained.filter((e) => e.finding.role === 'verdict').map((e) => e.rule.id));
  for (const cause of causes) {
    if (cause.severity === 'info' || told.has(cause.rule) || !leading.has(cause.rule)) continue;
    story.push(firstSentence(cause.summary));
  }
  if (hidden === 0) return story.slice(0, SENTENCES);
  return [...story.slice(0, SENTENCES - 1), `${count(hidden, 'other connection')} filtered out.`];
}

/** Function traces and tables of listeners name no connection, and tell much all the same. */
function withoutConnections(world: World, causes: readonly CauseGroup[], across: readonly Story[]): string[] {
  const walks = world.walks.flatMap((w) =>
    w.closes.map(
      ({ first, second }) =>
        `A connection with both ends on this host is closed in ${world.source(w.source).name}: socket ${first.socket} of process ${first.owner ?? '?'} ` +
        `closed first, socket ${second.socket} of process ${second.owner ?? '?'} second.`,
    ),
  );
  const left = causes.filter((c) => !across.some((s) => s.rules.includes(c.rule)));
  const told = [
    ...across.flatMap((s) => s.sentences),
    ...walks,
    ...left.map((c) => firstSentence(c.summary)),
  ];
  return told.length > 0 ? told.slice(0, SENTENCES) : ['No TCP connection was found in these files.'];
}

/** A verdict above info that at least half of all connections share. */
function commonCause(
  total: number,
  explained: readonly Explained[],
): { rule: Rule; sentence: string } | null {
  const byRule = new Map<Rule, Explained[]>();
  for (const e of explained) {
    if (e.finding.role !== 'verdict' || e.finding.severity === 'info') continue;
    getOr(byRule, ruleById(e.rule.id) ?? e.rule, () => []).push(e);
  }
  const [rule, found] = [...byRule].sort((a, b) => b[1].length - a[1].length)[0] ?? [];
  if (!rule || !found) return null;
  const n = found.length;
  if (n * 2 < total || total === 1) return null;
  const which = n === total ? allConnections(total) : `${number(n)} of ${count(total, 'connection')}`;
  const what = predicate(n, rule.happened, rule.factual ? '' : MAYBE);
  const text = `${which}${toServers(found)} ${what}.${mixture(found)}`;
  return { rule, sentence: hedged(text, weakest(found)) };
}

function allConnections(n: number): string {
  return n === 2 ? 'Both connections' : `All ${number(n)} connections`;
}

/** How the connections ended; `introduced`: a sentence before has said between whom they were. */
function endingsOf(world: World, verdicts: Verdicts, introduced: boolean): string {
  const { kept } = world;
  const total = kept.length;
  const numbers = new Map<Ending, number>();
  for (const n of kept) {
    const ending = endingOf(world, verdicts, n);
    numbers.set(ending, (numbers.get(ending) ?? 0) + 1);
  }
  const known = ENDINGS.filter((e) => numbers.has(e));
  const [only] = known;
  const who = count(total, 'connection');
  const to = introduced ? '' : ` to ${serversOf(world, kept)}`;
  if (total === 1) return `${introduced ? 'The connection' : who}${to} ${predicate(1, only!)}.`;
  if (known.length > 1) {
    const parts = known.map((e) => `${number(numbers.get(e)!)} ${predicate(numbers.get(e)!, e)}`);
    return `${introduced ? `Of all ${who}` : `${who}${to}`}: ${list(parts)}.`;
  }
  if (only === UNKNOWN) return `None of the ${who}${to} ends within these files.`;
  if (only === NO_SYN_ACK) return `None of the ${who}${to} got a SYN-ACK.`;
  return `${allConnections(total)}${to} ${only}.`;
}

const NO_SYN_ACK = 'got no SYN-ACK';
const ONLY_SYNS = 'showed nothing but SYNs';
const UNSEEN_END = 'ended with a RST or a timeout';
const UNKNOWN = 'do not end within these files';
/** As many connections did, in the order in which they are told. */
const ENDINGS = [
  'closed normally',
  'ended with a RST',
  UNSEEN_END,
  'were refused',
  'timed out',
  NO_SYN_ACK,
  ONLY_SYNS,
  'got a SYN-ACK only after retries',
  "were established from the client's side only",
  UNKNOWN,
] as const;
type Ending = (typeof ENDINGS)[number];

/** Rules of a SYN, or its answer, that came to nothing at first. */
const LOST: ReadonlySet<string> = new Set(['unanswered-syn', ...LOST_SYNS, ...LOST_SYN_ACKS]);

function endingOf(world: World, verdicts: Verdicts, n: number): Ending {
  const { close, syn } = verdicts.of(n);
  if (close === 'graceful-close') return 'closed normally';
  if (close === 'retransmission-timeout') return 'timed out';
  if (close === 'connection-refused') return 'were refused';
  const { cases } = world.context;
  if (close !== '')
    return isPossible(verdicts.all(n), close) && !sawReset(cases.at(n)) ? UNSEEN_END : 'ended with a RST';
  if (syn === 'accept-queue-overflow-ack') return "were established from the client's side only";
  if (!LOST.has(syn)) return UNKNOWN;
  if (gotSynAck(cases, n)) return 'got a SYN-ACK only after retries';
  return isFiltered(world.facts(n)) ? ONLY_SYNS : NO_SYN_ACK;
}

function isPossible(own: readonly Explained[], rule: string): boolean {
  return own.every((e) => e.rule.id !== rule || e.finding.confidence === 'possible');
}

/** A RST is in a capture or a list, was dropped, or the kernel sent or took one. */
export function sawReset({ wires, kernel, drops }: Case): boolean {
  return (
    wires.some((w) => w.rsts[CLIENT] + w.rsts[SERVER] > 0) ||
    kernel.some(
      (e) =>
        e.kind === 'reset-sent' ||
        e.kind === 'reset-received' ||
        (e.kind === 'probe' && e.packet && e.packet.flags & RST),
    ) ||
    drops.some((d) => d.flags !== null && d.flags & RST)
  );
}

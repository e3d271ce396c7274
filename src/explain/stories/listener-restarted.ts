/**
 * A listener that was gone for a while: a port answers SYNs, then refuses all of them, and answers again. A service behind a
 * balancer that is down at one of its hosts refuses some and answers others meanwhile; that is none. Nor is a firewall that
 * rejects some addresses always.
 */
import { CLIENT, SERVER } from '../../model/connection.ts';
import { HALF_OPEN, OPEN, ORDERLY, REFUSED } from '../../model/outcome.ts';
import type { CommonTime, SourceTime } from '../../model/time.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, HEDGES, predicate } from '../words.ts';
import { cite, clockTime, covered, during } from './cite.ts';
import type { StoryTeller } from './index.ts';

const RULES = ['connection-refused'];
const LOOK =
  'Look in its log at that time; to restart without refusals, hand the listening socket over (socket activation, SO_REUSEPORT) or drain it at the load balancer first.';
/** More gaps than this are no restarts: something answers now and then. */
const FEW = 5;

/** What a SYN of a client got. */
interface Reply {
  n: number;
  /** Of the SYN, or of what it got. */
  at: number;
  isRefusal: boolean;
  client: number;
}

interface Gap {
  /** The first and last SYN that was refused. */
  from: number;
  to: number;
  /** The last answer before, the first one after. */
  before: Reply;
  after: Reply;
  refused: number;
  /** One of those who were refused was answered at another time: not its address alone is rejected. */
  isForAll: boolean;
}

export const listenerRestarted: StoryTeller = (world, explained) => {
  const { cases } = world.context;
  const refused = new Map<number, Explained>();
  for (const e of explained) if (RULES.includes(e.rule.id)) refused.set(cases.server(e.n), e);
  const told = [...refused].flatMap(([server, { facts }]) => {
    const source = facts.wire?.wire.source;
    const members = source === undefined ? undefined : world.byServer[server];
    const sentences = members ? restarted(world, members, source!, world.serverOf(facts.n)) : [];
    return sentences.length > 0 ? [{ server, sentences }] : [];
  });
  const [first, ...others] = told;
  if (!first) return null;
  const also = others.length > 0 ? [`${count(others.length, 'other listener')} had such a gap too.`] : [];
  return {
    sentences: [...first.sentences, ...also],
    title: 'Port refused for a while',
    action: LOOK,
    rules: covered(explained, RULES, (e) => told.some((t) => t.server === cases.server(e.n))),
  };
};

function restarted(world: World, members: Int32Array, source: number, server: string): string[] {
  const { timeline } = world.context;
  const gaps = gapsOf(world, members, source).filter((g) => g.isForAll);
  const longest = [...gaps].sort((a, b) => b.refused - a.refused)[0];
  if (!longest || gaps.length > FEW || longest.refused < 2) return [];
  const at = (time: number) => timeline.at(source, time as SourceTime);
  const before = answerTime(world, longest.before);
  const cut = cutBetween(world, members, source, before, longest.from);
  const reset =
    cut > 0
      ? ` ${count(cut, 'open connection')} ${predicate(cut, 'were closed or reset')} by the server as it went.`
      : '';
  const last = at(before);
  const again = at(answerTime(world, longest.after));
  if (last === null || again === null) return [];
  const more = gaps.length > 1 ? ` This happened ${count(gaps.length, 'time')}.` : '';
  return [
    `${server} refused ${count(longest.refused, 'attempt')}${during(world, source, at(longest.from) as CommonTime, at(longest.to) as CommonTime)}, after an answer at ${clockTime(world, source, last, false)} and before one at ${clockTime(world, source, again, false)}: ` +
      `its listener was ${HEDGES.inferred}restarted${cite([world.source(source).name])}.${reset}${more}`,
    LOOK,
  ];
}

/** Runs of refusals between two answers. */
function gapsOf(world: World, members: Int32Array, source: number): Gap[] {
  const events = [...eventsOf(world, members, source)].sort((a, b) => a.at - b.at);
  const answered = new Set(events.filter((e) => !e.isRefusal).map((e) => e.client));
  const gaps: Gap[] = [];
  let before: Reply | null = null;
  let open: Gap | null = null;
  for (const reply of events) {
    const { at, isRefusal, client } = reply;
    if (!isRefusal) {
      if (open) gaps.push({ ...open, after: reply });
      open = null;
      before = reply;
    } else if (before !== null) {
      open ??= { from: at, to: at, before, after: reply, refused: 0, isForAll: false };
      open.to = at;
      open.refused++;
      open.isForAll ||= answered.has(client);
    }
  }
  return gaps;
}

function* eventsOf(world: World, members: Int32Array, source: number): Iterable<Reply> {
  const { cases } = world.context;
  for (const n of members) {
    const outcome = cases.outcome(n);
    const { keys, start, answered } = cases.brief(n);
    const client = keys[CLIENT];
    if (outcome === REFUSED) yield { n, at: start, isRefusal: true, client };
    // once, and how much later is asked of the few of which it matters
    else if (outcome === ORDERLY && answered) yield { n, at: start, isRefusal: false, client };
    else if (outcome === OPEN || outcome === HALF_OPEN) {
      const times: number[] = [];
      cases.synAcks(n, (time) => times.push(time));
      for (const at of times) yield { n, at, isRefusal: false, client };
    } else if (outcome === 0) {
      const w = cases.at(n).wires.find((wire) => wire.source === source);
      if (!w || w.syns[CLIENT] === 0) continue;
      if (w.synAcks[SERVER] > 0) yield { n, at: w.start, isRefusal: false, client };
      else if (w.rstTime[SERVER] !== null) yield { n, at: w.rstTime[SERVER], isRefusal: true, client };
    }
  }
}

/** When the SYN-ACK of an answer was sent. */
function answerTime({ context: { cases } }: World, { n, at }: Reply): number {
  let first = at;
  if (cases.outcome(n) === ORDERLY)
    cases.synAcks(n, (time) => {
      first = time;
    });
  return first;
}

/** Connections that were made, and that the server closed or reset between its last answer and the first refusal. */
function cutBetween(world: World, members: Int32Array, source: number, before: number, from: number): number {
  const { cases } = world.context;
  return members.filter((n) => {
    const w = cases.outcome(n) === 0 ? cases.at(n).wires.find((wire) => wire.source === source) : undefined;
    if (!w || w.synAcks[SERVER] === 0 || w.start > before) return false;
    const at = w.rstTime[SERVER] ?? (w.firstFin === SERVER ? w.finTime[SERVER] : null);
    return at !== null && at >= before && at <= from;
  }).length;
}

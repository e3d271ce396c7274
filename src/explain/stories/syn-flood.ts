/**
 * A SYN flood: very many attempts on one port, of one SYN each and nothing after it. A client that is there answers the
 * SYN-ACK, or sends its SYN again after a second (kernel-notes §3); who forges addresses does neither. What became of the
 * SYNs the packets show; which queue took them the counters of the server's host, and what those leave is said.
 */
import { addressKey, formatEndpoint, parseWords } from '../../model/address.ts';
import { type Case, numberOf } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import { HALF_OPEN, UNANSWERED } from '../../model/outcome.ts';
import type { CommonTime, SourceTime } from '../../model/time.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { distinct } from '../facts/numbers.ts';
import { SYN_RTO } from '../facts/timing.ts';
import type { World } from '../facts/world.ts';
import { count, list, number, period } from '../words.ts';
import type { Story, StoryTeller } from './index.ts';

/** Fewer are a scan, or clients that were switched off. */
const MANY = 100;
const RULES = ['unanswered-syn', 'syn-queue-full-drop', 'accept-queue-overflow-syn', 'netfilter-drop'];

interface Flood {
  case: Case;
  answered: number;
  silent: number;
  /** See addressKey; some again and again. */
  clients: number[];
  from: CommonTime | null;
  to: CommonTime | null;
  source: number;
}

export const synFlood: StoryTeller = (world) => {
  const { cases } = world.context;
  if (cases.count < MANY) return null;
  const floods = world.byServer.flatMap((own) => (own.length < MANY ? [] : [floodOf(world, own)]));
  const [largest] = floods.sort((a, b) => size(b) - size(a));
  return largest && size(largest) >= MANY ? tell(world, largest) : null;
};

function size({ answered, silent }: Flood): number {
  return answered + silent;
}

function floodOf(world: World, members: Int32Array): Flood {
  const { cases, timeline } = world.context;
  const first = cases.at(members[0]!);
  const flood: Flood = {
    case: first,
    answered: 0,
    silent: 0,
    clients: [],
    from: null,
    to: null,
    source: first.wires[0]?.source ?? 0,
  };
  for (const n of members) {
    const outcome = cases.outcome(n);
    if (outcome === HALF_OPEN || outcome === UNANSWERED) {
      const { clientKey, start } = cases.brief(n);
      if (isForsaken(world, flood.source, start))
        add(flood, outcome === HALF_OPEN, clientKey, timeline.at(flood.source, start as SourceTime));
    }
    if (outcome !== 0) continue;
    const c = cases.at(n);
    const answers = forsaken(world, c);
    if (answers === null) continue;
    const { source, start } = c.wires[0]!;
    const words = parseWords(c.client.address);
    add(flood, answers, words ? addressKey(...words) : 0, timeline.at(source, start));
  }
  return flood;
}

function add(flood: Flood, isAnswered: boolean, client: number, at: CommonTime | null): void {
  if (isAnswered) flood.answered++;
  else flood.silent++;
  flood.clients.push(client);
  if (at !== null && (flood.from === null || at < flood.from)) flood.from = at;
  if (at !== null && (flood.to === null || at > flood.to)) flood.to = at;
}

/** The capture went on for so long that the client would have sent its SYN again. */
function isForsaken(world: World, source: number, start: number): boolean {
  return world.captureSpan(source)[1] - start >= 2 * SYN_RTO;
}

/** One SYN, and nothing more of that client although there was time: whether it was answered. null for all others. */
function forsaken(world: World, { wires, lives, client }: Case): boolean | null {
  const [w] = wires;
  if (!w || wires.length > 1 || lives[CLIENT] || w.client.address !== client.address) return null;
  const packets = w.packets;
  if (packets[CLIENT] !== 1 || w.syns[CLIENT] !== 1 || w.rsts[SERVER] > 0) return null;
  if (!isForsaken(world, w.source, w.start)) return null;
  return w.synAcks[SERVER] > 0;
}

function tell(world: World, flood: Flood): Story {
  const { timeline } = world.context;
  const format = (at: CommonTime) => timeline.format(at, timeline.label(flood.source));
  const when = flood.from === null || flood.to === null ? '' : period(format(flood.from), format(flood.to));
  const n = size(flood);
  const became = [
    ...(flood.answered > 0
      ? [`${number(flood.answered)} were answered with a SYN-ACK that nobody took`]
      : []),
    ...(flood.silent > 0 ? [`${number(flood.silent)} had no answer`] : []),
  ];
  const file = world.source(flood.source).name;
  const first =
    `${formatEndpoint(flood.case.server)} was flooded with SYNs${when}: ${count(n, 'connection')} from ${count(distinct(flood.clients).length, 'address', 'addresses')}` +
    ` with one SYN each and nothing after it, neither an ACK nor a second try; ${list(became)} (${file.slice(file.lastIndexOf('/') + 1)}).`;
  return { sentences: [first, counted(world.listenerOf(numberOf(flood.case)), flood)], rules: RULES };
}

/** What the counters say of them, and what remains. */
function counted(listener: ListenerFacts, { answered, silent }: Flood): string {
  const rise = (name: string) => listener.rise(name);
  const [drops, overflows, full] = ['ListenDrops', 'ListenOverflows', 'TCPReqQFullDrop'].map(rise);
  const cookies = rise('SyncookiesSent') ?? rise('TCPReqQFullDoCookies');
  if (drops == null && cookies === null)
    return 'No counters of its host are here to say which queue was full: `nstat -az` before and after would.';
  const parts = [];
  if (cookies)
    parts.push(`${count(cookies, 'SYN-ACK')} were SYN cookies${restOf(answered - cookies, ', $ were not')}`);
  else if (answered > 0 && cookies === 0) parts.push('no SYN-ACK was a SYN cookie');
  if (drops) {
    parts.push(`its listener dropped ${number(drops)}${whyDropped(drops, full ?? 0, overflows ?? 0)}`);
  }
  const left = silent - (drops ?? 0);
  if (drops != null && left > 0) parts.push(`${number(left)} without an answer no counter tells of`);
  if (drops != null && left < 0) parts.push(`${number(-left)} of those dropped are not among them`);
  return `By the counters ${parts.length > 0 ? list(parts) : 'none was dropped and none had a cookie'}.`;
}

function whyDropped(drops: number, full: number, overflows: number): string {
  if (full === drops) return ', all of them because the SYN queue was full';
  if (overflows === drops) return ', all of them because the accept queue was full';
  const rest = drops - full - overflows;
  const why = [
    ...(full > 0 ? [`${number(full)} met a full SYN queue`] : []),
    ...(overflows > 0 ? [`${number(overflows)} a full accept queue`] : []),
    ...(rest > 0 && rest < drops ? [`${number(rest)} neither`] : []),
  ];
  return why.length > 0 ? `, of which ${list(why)}` : '';
}

/** `$` for the number, when there is one. */
function restOf(n: number, text: string): string {
  return n > 0 ? text.replace('$', number(n)) : '';
}

/**
 * A host that vanished: nothing of it comes any more, to connections that were in use nor to new ones, while others are
 * still heard in the same capture. It may be down, or the path to it: packets do not say which.
 */
import { CLIENT, SERVER, type WireConnection } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { OPEN, UNANSWERED } from '../../model/outcome.ts';
import { NS_PER_S, type SourceTime } from '../../model/time.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { count, list, span } from '../words.ts';
import { cite, clockTime, covered } from './cite.ts';
import type { StoryTeller } from './index.ts';

const SILENT = ['retransmission-timeout', 'peer-silent'];
const RULES = [...SILENT, 'unanswered-syn'];
/** A shorter silence is a pause. */
const LONG = 3 * NS_PER_S;
const NAMED = 3;

export const hostGone: StoryTeller = (world, explained) => {
  if (!explained.some((e) => SILENT.includes(e.rule.id))) return null;
  const silent = new Map<string, Explained[]>();
  for (const e of explained) {
    const address = RULES.includes(e.rule.id) ? silentHost(e) : null;
    if (address !== null) getOr(silent, address, () => []).push(e);
  }
  // one that times out is its own affair; one that never answered was not there before
  const candidates = [...silent].filter(
    ([, own]) => own.length > 1 && own.some((e) => SILENT.includes(e.rule.id)),
  );
  const gone = candidates.flatMap(([address, own]) => {
    const sentences = tell(world, address, own);
    return sentences.length > 0 ? [{ address, sentences, own }] : [];
  });
  const [most] = gone.sort((a, b) => b.own.length - a.own.length);
  if (!most) return null;
  const also = gone.slice(1).map((g) => g.address);
  const parts = new Set(gone.flatMap((g) => g.own));
  return {
    sentences: [...most.sentences, ...(also.length > 0 ? [`So did ${list(also.slice(0, NAMED))}.`] : [])],
    title: 'Host fell silent',
    action: actionOf(most.address),
    who: most.address,
    rules: covered(explained, RULES, (e) => parts.has(e)),
  };
};

/** Whose end fell silent: the one last heard before the other went on. */
function silentHost({ facts }: Explained): string | null {
  const w = facts.wires.length === 1 ? facts.wires[0]! : null;
  if (!w) return null;
  const [client, server] = [w.of(w.wire.lastTime, CLIENT), w.of(w.wire.lastTime, SERVER)];
  if (client !== null && (server === null || server < client)) return facts.case.server.address;
  return server !== null && (client === null || client < server) ? facts.case.client.address : null;
}

function tell(world: World, address: string, own: readonly Explained[]): string[] {
  const { timeline } = world.context;
  const { source } = own[0]!.facts.wires[0]!.wire;
  const heard = lastHeard(world, source, address);
  const last = heard.get(address);
  const end = world.captures.span(source)[1];
  if (last === undefined || end - last < LONG) return [];
  // all of them, or it was one program
  if (own.some(({ facts }) => facts.wires[0]!.wire.source !== source)) return [];
  const peers = new Set(own.map(({ facts: { case: c } }) => otherEnd(c, address)));
  const others = [...heard].filter(([a, at]) => a !== address && !peers.has(a) && at > last + LONG / 2);
  const at = timeline.at(source, last as SourceTime);
  if (others.length === 0 || at === null) return [];
  const open = own.filter((e) => SILENT.includes(e.rule.id)).length;
  const tried = own.length - open;
  const unheard = [
    `${count(open, 'open connection')} ${open === 1 ? 'got' : 'all got'} no more answers`,
    ...(tried > 0 ? [`${count(tried, 'new attempt')} got no SYN-ACK`] : []),
  ];
  const names = others.map(([a]) => a);
  const shown = names.length > NAMED ? count(names.length, 'other host') : list(names);
  return [
    `${address} was last heard at ${clockTime(world, source, at)}; nothing came from it in the ${span(end - last)} after that: ${list(unheard)}, while ${shown} ${others.length === 1 ? 'was' : 'were'} still heard${cite([world.source(source).name])}.`,
    actionOf(address),
  ];
}

function actionOf(address: string): string {
  return `Check whether ${address} was down or restarted, and the path to it (ARP or neighbour entry, route, link); keepalive or TCP_USER_TIMEOUT lets clients give up sooner.`;
}

function otherEnd(c: { client: { address: string }; server: { address: string } }, address: string): string {
  return c.client.address === address ? c.server.address : c.client.address;
}

/** When each address was last heard in a capture; of others than this one at least so late. */
function lastHeard(world: World, source: number, exact: string): Map<string, number> {
  const { cases } = world.context;
  const heard = new Map<string, number>();
  const add = (address: string, at: number | null) => {
    if (at !== null && at > (heard.get(address) ?? Number.NEGATIVE_INFINITY)) heard.set(address, at);
  };
  const ofWire = (w: WireConnection) => {
    add(w.client.address, w.lastTime[CLIENT]);
    add(w.server.address, w.lastTime[SERVER]);
  };
  for (let n = 0; n < cases.count; n++) {
    const outcome = cases.outcome(n);
    // its client is heard in what is looked at
    if (outcome === UNANSWERED) continue;
    const { address } = cases.servers[cases.server(n)]!;
    if (outcome !== 0 && outcome !== OPEN && address !== exact) add(address, cases.brief(n).start);
    else for (const w of cases.at(n).wires) if (w.source === source) ofWire(w);
  }
  return heard;
}

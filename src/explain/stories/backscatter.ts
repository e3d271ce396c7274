/**
 * Backscatter: a host answers SYNs that are not in the file, from many addresses or ports, and the addressed hosts know of
 * nothing: they reset its SYN-ACKs, or are silent. Somebody forges these addresses as senders. SYNs that took a way which the
 * capture does not see look alike, so that a capture of one direction tells nothing.
 */
import { CLIENT, SERVER, type SideIndex, type WireConnection } from '../../model/connection.ts';
import type { Confidence } from '../../model/finding.ts';
import { getOr } from '../../model/get-or.ts';
import { ACK, RST } from '../../model/tcp.ts';
import type { CommonTime } from '../../model/time.ts';
import { Numbers } from '../facts/numbers.ts';
import type { World } from '../facts/world.ts';
import { isUnclear } from '../mask.ts';
import { count, HEDGES, list, number } from '../words.ts';
import { cite, covered, during } from './cite.ts';
import type { StoryTeller } from './index.ts';

const MANY = 20;
const RULES = ['no-socket-reset', 'unexplained-reset', 'bad-syn-ack-reset'];

interface Backscatter {
  address: string;
  members: Set<number>;
  addressed: Set<string>;
  synAcks: number;
  resets: number;
  /** SYN-ACKs that the addressed host reset. */
  disowned: number;
  times: Numbers;
  source: number;
}

export const backscatter: StoryTeller = (world, explained) => {
  const { cases } = world.context;
  if (cases.count < MANY) return null;
  const byReplier = new Map<string, Backscatter>();
  for (let n = 0; n < cases.count; n++) {
    if (cases.outcome(n) !== 0 || !isUnclear(world.mask(n))) continue;
    const { wires } = cases.at(n);
    const [w] = wires;
    const side = w && wires.length === 1 ? replier(w) : null;
    if (w && side !== null) add(world, byReplier, n, w, side);
  }
  const [largest, ...others] = [...byReplier.values()]
    .filter((b) => b.members.size >= MANY && b.synAcks > 0 && !world.captures.isOneDirection(b.source))
    .sort((a, b) => b.members.size - a.members.size);
  if (!largest) return null;
  const all = [largest, ...others];
  return {
    sentences: tell(world, largest, others.length),
    title: 'Answers to SYNs that no host here sent',
    action: actionOf(largest),
    confidence: confidenceOf(largest),
    who: largest.address,
    rules: covered(explained, RULES, (e) => all.some((b) => b.members.has(e.facts.n))),
  };
};

/** Who sent SYN-ACKs or refusals, to a side that sent nothing but RSTs. */
function replier(w: WireConnection): SideIndex | null {
  if (w.syns[0] + w.syns[1] > 0) return null;
  for (const side of [SERVER, CLIENT] as const) {
    const other = (1 - side) as SideIndex;
    const answers = w.synAcks[side] + w.rsts[side];
    if (answers === 0 || w.packets[side] !== answers || w.packets[other] !== w.rsts[other]) continue;
    // a refusal acknowledges the SYN and has no number of its own (RFC 9293 §3.10.7.1)
    const refuses = w.keyPackets.some(
      (p) => p.side === side && p.flags & RST && p.flags & ACK && p.seq === 0,
    );
    if (w.synAcks[side] > 0 || (refuses && w.rsts[other] === 0)) return side;
  }
  return null;
}

function add(
  world: World,
  byReplier: Map<string, Backscatter>,
  n: number,
  w: WireConnection,
  side: SideIndex,
): void {
  const [own, other] = side === CLIENT ? [w.client, w.server] : [w.server, w.client];
  const b = getOr(byReplier, `${w.source} ${own.address}`, () => ({
    address: own.address,
    members: new Set<number>(),
    addressed: new Set<string>(),
    synAcks: 0,
    resets: 0,
    disowned: 0,
    times: new Numbers(),
    source: w.source,
  }));
  b.members.add(n);
  b.addressed.add(other.address);
  if (w.synAcks[side] > 0) b.synAcks++;
  else b.resets++;
  if (w.rsts[1 - side]! > 0) b.disowned++;
  const at = world.context.timeline.at(w.source, w.start);
  if (at !== null) b.times.push(at);
}

/** A host that resets what it is answered did not ask. */
function confidenceOf({ disowned }: Backscatter): Confidence {
  return disowned > 0 ? 'inferred' : 'possible';
}

function actionOf({ address }: Backscatter): string {
  return `The addressed hosts need no fix; at ${address}, SYN cookies and filtering of forged sources (BCP 38) help.`;
}

function tell(world: World, b: Backscatter, others: number): string[] {
  const { sorted } = b.times;
  const [from, to] = [sorted[0] ?? null, sorted.at(-1) ?? null] as (CommonTime | null)[];
  const answers = [
    `${number(b.synAcks)} with a SYN-ACK`,
    ...(b.resets > 0 ? [`${number(b.resets)} with a RST`] : []),
  ];
  const reset = b.disowned > 0 ? `; hosts there reset ${number(b.disowned)} of them` : '';
  return [
    `${b.address} answered ${count(b.members.size, 'SYN')} from ${count(b.addressed.size, 'address', 'addresses')} that no host sent in these files${during(world, b.source, from!, to!)}: ` +
      `${list(answers)}${reset}${cite([world.source(b.source).name])}.`,
    `These addresses were ${HEDGES[confidenceOf(b)]}forged (backscatter of a SYN flood or scan of ${b.address}); SYNs on a way that this capture does not see look alike.`,
    actionOf(b),
    ...(others > 0 ? [`${count(others, 'other host')} sent such answers too.`] : []),
  ];
}

/**
 * ICMP errors about segments of a connection: who refused them. In SYN_SENT they end connect() at once, later they are
 * soft errors (tcp_v4_err, RFC 1122 §4.2.3.9): the segments are sent again until the kernel gives up.
 */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { IcmpEvent } from '../../model/event.ts';
import { icmpFact } from '../../model/icmp.ts';
import { RST, seqDiff } from '../../model/tcp.ts';
import { eventEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import { ICMP } from '../mask.ts';
import { memoised } from '../memo.ts';
import { count, list } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { otherSide, SIDE_NAMES } from './common.ts';

/** Programs that look for the way to a host (tcptraceroute) send SYNs whose TTL runs out: with a TTL of up to this. */
const TRACEROUTE_TTL = 32;

export interface Rejection {
  /** Nothing was established yet. */
  ofHandshake: boolean;
  /** Who sent the segments that were refused. */
  sender: SideIndex;
  errors: readonly IcmpEvent[];
  candidate: Candidate;
}

/** Segments that something refused, and that did not get through later; null when none. */
export const icmpRejection = memoised((f: Facts): Rejection | null => {
  const errors = f.case.icmp.filter((e) => isRefusal(f, e) && !gotThrough(f, e));
  const [first] = errors;
  if (!first) return null;
  const sender = quotedSide(f, first);
  const ofHandshake = isOfHandshake(f, first, sender);
  const by = [...new Set(errors.map((e) => e.by))];
  const candidate: Candidate = {
    rule: 'icmp-rejected',
    side: by.every((address) => address === first.to.address) ? SIDE_NAMES[otherSide(sender)]! : 'path',
    confidence: confidenceOf(f, errors, sender),
    because: () => {
      const said = [...new Set(errors.map((e) => `"${e.text}"`))];
      const times = errors.reduce((sum, e) => sum + e.count, 0);
      const what = !ofHandshake ? 'segment' : sender === CLIENT ? 'SYN' : 'SYN-ACK';
      const verb = errors.every((e) => e.says === 'expired') ? 'discarded' : 'refused';
      return `${whoSaid(f, first, by)} ${verb} ${count(times, what)} of ${f.name(sender)} to ${f.name(otherSide(sender))} with ICMP ${list(said)}`;
    },
    moment: f.atEvent(first),
    evidence: errors.slice(0, 3).map((e) => eventEvidence(f.world, e, () => icmpFact(e))),
  };
  return { ofHandshake, sender, errors, candidate };
});

function whoSaid(f: Facts, first: IcmpEvent, by: readonly string[]): string {
  const sender = quotedSide(f, first);
  const end = ([sender, otherSide(sender)] as const).find((side) =>
    by.every((a) => a === f.endpoint(side).address),
  );
  if (end !== undefined) return `the host of ${f.name(end)} itself`;
  return `${by.length === 1 ? 'the device' : 'the devices'} ${list(by)}`;
}

/** Who sent the segment that an error quotes. */
export function quotedSide(f: Facts, e: IcmpEvent): SideIndex {
  const side = f.wires.map((w) => w.sideAt(e.from)).find((s) => s !== null);
  return side ?? (sameEndpoint(e.from, f.case.client) ? CLIENT : SERVER);
}

function isRefusal(f: Facts, e: IcmpEvent): boolean {
  return e.says === 'expired' ? !isOfTraceroute(f, e) : e.says === 'unreachable';
}

function isOfTraceroute(f: Facts, { says, from }: IcmpEvent): boolean {
  return (
    says === 'expired' &&
    f.wires.some((w) => {
      const side = w.sideAt(from);
      const ttl = side === null ? null : w.of(w.wire.ttl, side);
      return ttl !== null && ttl > 0 && ttl <= TRACEROUTE_TTL;
    })
  );
}

/** A SYN whose TTL was to run out: which router it reached is what its sender asked. Empty when it was not so. */
export function traceroute(f: Facts): Candidate[] {
  // without unpacking a million that nobody sent an error about
  if (!(f.world.mask(f.n) & ICMP)) return [];
  const expired = f.case.icmp.filter((e) => isOfTraceroute(f, e));
  const [first] = expired;
  if (!first || f.wires.some((w) => w.wire.synAcks[CLIENT] + w.wire.synAcks[SERVER] > 0)) return [];
  const by = [...new Set(expired.map((e) => e.by))];
  return [
    {
      rule: 'unanswered-syn',
      side: 'path',
      confidence: 'possible',
      severity: 'info',
      because: () => `its TTL ran out at ${list(by)} (ICMP time exceeded), as a traceroute means it to`,
      moment: f.atEvent(first),
      evidence: expired.slice(0, 3).map((e) => eventEvidence(f.world, e, () => icmpFact(e))),
    },
  ];
}

/** What is quoted, or what was sent since, was acknowledged: the segment got through when it was sent again. */
function gotThrough(f: Facts, e: IcmpEvent): boolean {
  const sender = quotedSide(f, e);
  return f.wires.some((w) => {
    const acked = w.of(w.wire.acked, otherSide(sender));
    if (acked === null) return false;
    // an error about a number that the connection never had stops nothing (tcp_v4_err)
    if (e.seq === null || !isOwn(f, e, sender)) return answeredSince(w, e, otherSide(sender));
    const beyond = seqDiff(acked, e.seq);
    // an acknowledgment without data, which nobody acknowledges
    const isBare = beyond === 0 && f.wires.every((v) => v.of(v.wire.nextSeq, sender) === acked);
    return beyond > 0 || (isBare && w.of(w.wire.repeats, otherSide(sender)) === null);
  });
}

function answeredSince(w: WireFacts, { last }: IcmpEvent, side: SideIndex): boolean {
  return w.packets.some((p) => w.sideOf(p) === side && p.time > last && !(p.flags & RST));
}

function confidenceOf(f: Facts, errors: readonly IcmpEvent[], sender: SideIndex): Candidate['confidence'] {
  // nothing that it sent is in the files: whose the number is they do not show
  if (f.wires.every((w) => w.of(w.wire.nextSeq, sender) === null)) return 'inferred';
  if (errors.some((e) => e.seq !== null && isOwn(f, e, sender))) return 'proved';
  return errors.some((e) => e.seq === null) ? 'inferred' : 'possible';
}

/** The number that is quoted is one of the connection: anybody can send an error (RFC 5927). */
function isOwn(f: Facts, { seq }: IcmpEvent, sender: SideIndex): boolean {
  return f.wires.every(({ wire }, i) => {
    const w = f.wires[i]!;
    const [isn, next] = [w.of(wire.isn, sender), w.of(wire.nextSeq, sender)];
    return (isn === null || seqDiff(seq!, isn) >= 0) && (next === null || seqDiff(next, seq!) >= 0);
  });
}

/** More than its SYN, in a capture that has that: which need not have the other direction. */
function hasSentData(w: WireFacts, side: SideIndex): boolean {
  return w.of(w.wire.isn, side) !== null && w.of(w.wire.bytes, side) > 0;
}

/** The segment was a SYN or SYN-ACK, or nothing shows that one had been acknowledged. */
function isOfHandshake(f: Facts, { seq }: IcmpEvent, sender: SideIndex): boolean {
  if (f.wires.some((w) => seq !== null && w.of(w.wire.isn, sender) === seq)) return true;
  if (f.wires.some((w) => seq !== null && hasSentData(w, sender))) return false;
  const isEstablished =
    f.wires.some(
      (w) => w.startsMidStream || (w.of(w.wire.acked, CLIENT) !== null && w.of(w.wire.synAcks, SERVER) > 0),
    ) || f.lives.some((l) => l.was('ESTABLISHED'));
  return !isEstablished;
}

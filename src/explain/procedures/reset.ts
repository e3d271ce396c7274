/**
 * Which cause a reset had, in packets by kernel-notes §1.1; the likeliest first. A procedure step that
 * knows the cause of another group (half-handshake.ts) goes before all others.
 */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, RST } from '../../model/tcp.ts';
import { type ForgedReset, resetMadeBetween } from '../facts/crossing.ts';
import { packetEvidence, reasoning, resetText } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { memoised } from '../memo.ts';
import { count, span } from '../words.ts';
import { activeReset } from './active-reset.ts';
import type { Candidate } from './candidate.ts';
import { named, otherSide } from './common.ts';
import { gaveUp, tookReset, wasDestroyed } from './ended.ts';
import { unanswered } from './given-up.ts';
import { halfHandshakeReset } from './half-handshake.ts';
import { resetAfterSilence, resetOfIdle } from './idle.ts';
import { withoutSocket } from './kernel-leftover.ts';
import { kernelReset } from './kernel-reset.ts';
import { decisiveSaid } from './kernel-said.ts';
import { listenerClosed } from './listener-closed.ts';
import { passiveReset } from './passive-reset.ts';
import { killedBySs, resetInStates } from './reset-in-states.ts';
import { isForeignTtl, usualTtl } from './ttl.ts';
import { listedReset, tracedReset, unexplained } from './unexplained-reset.ts';
import { untranslatedPacket, untranslatedReply } from './untranslated.ts';
import { weighed } from './weighed.ts';

/** Candidates for the reset that ended the connection; empty when none did, or when it ended well before. */
export const resetCandidates = memoised((f: Facts): Candidate[] => {
  if ((f.mask & MAY_BE_RESET) === 0) return [];
  const { wire } = f;
  const reset = wire?.decisiveReset;
  if (wire && reset && endedWell(wire)) return [];
  if (gaveUp(f)) return [];
  const told = kernelReset(f);
  if (told.length > 0) return wire && reset ? weighed(f, wire, reset, told) : told;
  const untranslated = untranslatedReply(f) ?? untranslatedPacket(f);
  if (untranslated) return [untranslated, ...named(['no-socket-reset'], 'client')];
  const forged = resetMadeBetween(f);
  if (forged) return madeBetween(f, forged);
  const half = halfHandshakeReset(f);
  if (half.length > 0) return half;
  if (wire && reset) return weighed(f, wire, reset, withoutSocket(decisiveSaid(f), onWire(f, wire, reset)));
  if (unanswered(f)?.end) return [];
  const inStates = resetInStates(f);
  if (inStates.length > 0) return inStates;
  const inList = listedReset(f);
  return inList.length > 0 ? inList : tracedReset(f);
});

/** Both FINs were acknowledged before: the RST that came after ended nothing. */
function endedWell(wire: WireFacts): boolean {
  const acked = [wire.of(wire.wire.finAckedTime, CLIENT), wire.of(wire.wire.finAckedTime, SERVER)];
  const reset = wire.resets[0];
  return reset !== undefined && acked.every((t) => t !== null && t <= reset.packet.time);
}

function onWire(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  const idle = wire.finTime(reset.side) === null || reset.disowned ? resetAfterSilence(f, wire, reset) : null;
  const all = withoutIdle(f, wire, reset);
  const ofIdle = resetOfIdle(f, wire, reset);
  if (ofIdle) return [ofIdle, ...all];
  if (!idle) return all;
  return idle.isKnown ? [idle.candidate, ...all] : [...all, ...named(['idle-mapping-expired'], 'path')];
}

function withoutIdle(f: Facts, wire: WireFacts, reset: WireReset): Candidate[] {
  if (reset.disowned) return disownedReset(f, wire, reset);
  if (isAlone(f, wire, reset)) return passiveReset(f, wire, reset);
  const elsewhere = fromElsewhere(f, wire, reset);
  if (elsewhere) return [elsewhere];
  if (reset.packet.payload > 0 && !reset.refuses) return foreignReset(f, wire, reset);
  const life = f.life(reset.side);
  const closed = listenerClosed(f, reset.side);
  if (closed.length > 0 && reset.shape !== 'passive') return closed;
  const isOwn = reset.shape !== 'passive' && reset.shape !== 'foreign';
  if (life && isOwn && wasDestroyed(life) && !tookReset(f, life)) return killedBySs(f, life);
  switch (reset.shape) {
    case 'passive':
      return passiveReset(f, wire, reset);
    case 'foreign':
      return foreignReset(f, wire, reset);
    default:
      return activeReset(f, wire, reset);
  }
}

/** §1.1 (5), seen from both ends. */
function madeBetween(f: Facts, forged: ForgedReset): Candidate[] {
  const { wire, reset, without, goesOn, lacksNothingElse } = forged;
  const { packet, side } = reset;
  const on = goesOn ? ', and it went on' : '';
  const proved = goesOn !== null && lacksNothingElse;
  const all = proved ? ', has all else that it sent' : '';
  const because = () => `the capture nearer to ${f.name(side)} was running${all} and has no RST of it${on}`;
  const evidence = [packetEvidence(f, wire, packet, () => `the RST, TTL ${packet.ttl}`)];
  if (goesOn)
    evidence.push(packetEvidence(f, without, goesOn, 'sent after that, as the nearer capture shows'));
  const moment = f.atPacket(wire, packet);
  const confidence = proved ? 'proved' : 'inferred';
  return [
    { rule: 'middlebox-reset', side: 'path', confidence, because, moment, evidence },
    ...named(['netfilter-drop'], 'path'),
  ];
}

/** Nothing is known of the connection but RSTs of one side. */
function isAlone(f: Facts, wire: WireFacts, { side }: WireReset): boolean {
  return (
    f.lives.length + f.case.rows.length === 0 &&
    wire.of(wire.wire.packets, otherSide(side)) === 0 &&
    wire.of(wire.wire.packets, side) === wire.of(wire.wire.rsts, side)
  );
}

/** §1.1 (5), seen from one end: a firewall that rejects, or an injector, reset both ends in each other's name. */
function disownedReset(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate[] {
  const next = wire.packets.find((p) => wire.sideOf(p) === side && p.time > packet.time && !(p.flags & RST))!;
  const because = () =>
    `${f.name(side)} went on ${span(next.time - packet.time)} later as if it had not sent this RST, and the other side had taken it`;
  return [
    {
      rule: 'middlebox-reset',
      side: 'path',
      confidence: 'inferred',
      because,
      moment: f.atPacket(wire, packet),
      evidence: [packetEvidence(f, wire, packet, 'the RST'), packetEvidence(f, wire, next, 'and went on')],
    },
    ...named(['netfilter-drop'], 'path'),
  ];
}

/** §1.1 (4): like neither of the kernel's two ways. */
function foreignReset(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate[] {
  const text = resetText(f.world, wire.wire.source, packet);
  const oddity = oddityOf(packet) + (text && ` ${text}`);
  const because = () => `a RST of this shape is not made by Linux: ${oddity}`;
  const evidence = [packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`)];
  const moment = f.atPacket(wire, packet);
  const between: Candidate = {
    rule: 'middlebox-reset',
    side: 'path',
    confidence: 'possible',
    because,
    moment,
    evidence: [...evidence, reasoning(because)],
  };
  const [first, ...others] = unexplained(f, side, evidence, moment);
  const sent = () => `${f.name(side)} sent a RST that Linux does not make: ${oddity}`;
  const own = [packet.payload > 0 ? { ...first!, because: sent } : first!, ...others];
  // other stacks make such RSTs themselves
  return f.stack(side) === 'linux' ? [between, ...own] : [...own, between];
}

function oddityOf({ flags, payload }: KeyPacket): string {
  if (payload > 0) return `${count(payload, 'byte')} of data in it`;
  return flags & ACK
    ? 'RST|ACK without window or timestamps on a flow that has them'
    : 'a window or options on a bare RST';
}

/** §1.1 (4): from another number of hops away than all else that bears this address. */
function fromElsewhere(f: Facts, wire: WireFacts, { packet, side }: WireReset): Candidate | null {
  const usual = usualTtl(wire, side, packet);
  if (!isForeignTtl(usual, packet.ttl)) return null;
  const other = wire.packets.find((p) => wire.sideOf(p) === side && p.ttl === usual)!;
  return {
    rule: 'middlebox-reset',
    side: 'path',
    confidence: 'inferred',
    because: () => `the RST has TTL ${packet.ttl}, all else of ${f.name(side)} ${usual}`,
    moment: f.atPacket(wire, packet),
    evidence: [
      packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`),
      packetEvidence(f, wire, other, () => `TTL ${usual}`),
    ],
  };
}

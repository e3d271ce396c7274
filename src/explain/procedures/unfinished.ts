/** Handshakes between "no answer" and "established": the SYN was answered, again and again, and no ACK came. */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { packetEvidence, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { synAcksOf } from '../facts/handshake.ts';
import { SHORTEST_RTO, SYN_RTO } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import type { Verdict } from '../rule.ts';
import { count, span } from '../words.ts';
import { fullQueue } from './overflow-ack.ts';

/** With the reason in one clause. */
export interface Unfinished extends Verdict {
  because(): string;
}

export const unfinished = memoised((f: Facts): Unfinished | null => {
  // a socket of either end says itself how far it got
  if (f.life(SERVER) || f.life(CLIENT)?.was('ESTABLISHED')) return null;
  return f.wire ? onWire(f) : inTables(f);
});

function onWire(f: Facts): Unfinished | null {
  const half = f.wires.find((w) => isHalfOpen(f, w));
  if (!half) return null;
  const other = f.wires.find(
    (w) =>
      w.wire.source !== half.wire.source && f.world.captures.ranTogether(w.wire.source, half.wire.source),
  );
  // what one end sent and the other lacks was lost on the way: syn-ack-lost-on-path
  if (other && other.of(other.wire.synAcks, SERVER) === 0) return null;
  const elsewhere = other !== undefined && areApart(half, other);
  const synAcks = synAcksOf(half);
  const [first, last] = [synAcks[0]!, synAcks.at(-1)!];
  const isRepeated = synAcks.length > 1;
  const again = synAfter(half, first);
  const isUnseen = half.of(half.wire.packets, CLIENT) === 0;
  const evidence = isRepeated
    ? [packetEvidence(f, half, first, 'the first SYN-ACK'), packetEvidence(f, half, last, 'the last SYN-ACK')]
    : again
      ? [packetEvidence(f, half, first), packetEvidence(f, half, again, 'the SYN again')]
      : [packetEvidence(f, half, first, 'nothing follows it')];
  const ack = other?.packets.find((p) => other.sideOf(p) === CLIENT && p.flags & ACK);
  if (other && ack) evidence.push(packetEvidence(f, other, ack, 'in one capture only'));
  const because = () => {
    const times = count(half.of(half.wire.synAcks, SERVER), 'SYN-ACK');
    const over = isRepeated ? ` over ${span(last.time - first.time)}` : '';
    if (again && !isRepeated && !other)
      return `${f.name(SERVER)} sent ${times} to ${f.name(CLIENT)}, which sent its SYN again ${span(again.time - first.time)} later`;
    const within = isRepeated ? '' : ` within ${span(captured(f, half) - first.time)}`;
    if (isUnseen)
      return `${f.name(SERVER)} sent ${times} to ${f.name(CLIENT)}${over}, so it had taken no ACK of it; the file has nothing of ${f.name(CLIENT)}`;
    const saw = !other
      ? `no ACK came${within}`
      : ack
        ? 'the ACK is in the other capture only'
        : `neither capture has an ACK${within}`;
    return `${f.name(SERVER)} sent ${times} to ${f.name(CLIENT)}${over} and ${saw}`;
  };
  return {
    side: 'path',
    confidence: elsewhere ? 'inferred' : 'possible',
    // a SYN cookie is sent once; so is a SYN-ACK whose ACK took a way that the capture does not see
    ...(isRepeated || again ? {} : { severity: 'info' }),
    moment: f.atPacket(half, first),
    evidence,
    alternatives: elsewhere
      ? []
      : isUnseen
        ? ['accept-queue-overflow-ack', 'deferred-accept', 'netfilter-drop', 'syn-ack-lost-on-path']
        : ['netfilter-drop', 'syn-ack-lost-on-path'],
    because,
  };
}

/** SYN-ACKs that a server sends again although the way of the client's packets does not pass the capture. */
const UNSEEN = 3;

/** There are hops between the two places, as a TTL shows: of one host, or one wire, two captures are one witness. */
function areApart(a: WireFacts, b: WireFacts): boolean {
  return ([CLIENT, SERVER] as const).some((side) => {
    const [here, there] = [a.of(a.wire.ttl, side), b.of(b.wire.ttl, side)];
    // 0: of a text without it
    return here && there && here !== there;
  });
}

/** SYNs of the client, SYN-ACKs of the server, either again by its timer, or long before the end of the file, and nothing else. */
function isHalfOpen(f: Facts, wire: WireFacts): boolean {
  const { packets, syns, rsts } = wire.wire;
  const own = wire.of(packets, CLIENT);
  if (own !== wire.of(syns, CLIENT) || rsts[0] + rsts[1] > 0) return false;
  if (!wire.sentOnlySynAcks(SERVER)) return false;
  const synAcks = synAcksOf(wire);
  if (own === 0 && synAcks.length < UNSEEN) return false;
  if (synAcks.length > 1) return synAcks.at(-1)!.time - synAcks[0]!.time >= SHORTEST_RTO;
  const [only] = synAcks;
  if (only && synAfter(wire, only)) return true;
  // its ACK may have been filtered out
  if (!only || f.world.captures.holdsOnlySyns(wire.wire.source)) return false;
  return captured(f, wire) - only.time >= 2 * SYN_RTO;
}

/** A SYN that the client sent by its timer although a SYN-ACK had passed. */
function synAfter(wire: WireFacts, synAck: KeyPacket): KeyPacket | undefined {
  return wire.packets.find(
    (p) =>
      wire.sideOf(p) === CLIENT && (p.flags & (SYN | ACK)) === SYN && p.time - synAck.time >= SHORTEST_RTO,
  );
}

/** The last moment of its capture. */
function captured(f: Facts, { wire }: WireFacts): number {
  return f.world.captures.span(wire.source)[1];
}

/** A table shows the request, which a full accept queue does not explain. */
function inTables(f: Facts): Unfinished | null {
  const rows = f.rows(SERVER);
  const [row] = rows;
  if (!row || f.rows(CLIENT).length > 0 || rows.some((r) => r.state !== 'SYN_RECV')) return null;
  if (fullQueue(f).length > 0) return null;
  const waits = rows.length > 1 || isSentAgain(row);
  return {
    side: 'path',
    confidence: 'possible',
    // a round trip of any handshake shows it too
    ...(waits || f.listener.halfOpen >= MANY ? {} : { severity: 'info' }),
    moment: f.atEvent(row),
    evidence: rows.slice(0, 3).map((r) => rowEvidence(f.world, r)),
    alternatives: ['accept-queue-overflow-ack', 'deferred-accept', 'netfilter-drop'],
    because: () => `${f.name(SERVER)} was in SYN_RECV for ${f.name(CLIENT)} when the table was taken`,
  };
}

/** So many half-open at one moment are no handshakes under way. */
const MANY = 20;

function isSentAgain({ timer }: SocketEvent): boolean {
  return timer !== null && timer.retransmits > 0;
}

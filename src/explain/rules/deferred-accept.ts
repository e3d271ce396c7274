import { formatEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, WHY_FIRST_DATA, WHY_THIRD_ACK } from '../../model/connection.ts';
import { SYN } from '../../model/tcp.ts';
import { eventEvidence, packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { takenAtFirstData } from '../facts/handshake.ts';
import { heldText, isFullLook, lookOf } from '../facts/queue.ts';
import { MARGIN } from '../facts/timing.ts';
import { EVENTS, STATES, SYN_ACK_AGAIN } from '../mask.ts';
import { wanted } from '../missing.ts';
import { fullQueue } from '../procedures/overflow-ack.ts';
import type { Rule, Verdict } from '../rule.ts';
import { MAYBE, span } from '../words.ts';

export interface Deferred extends Verdict {
  summary(): string;
  /** A probe read the queue. */
  look?: true;
}

export const rule: Rule<'deferred-accept', Deferred> = {
  id: 'deferred-accept',
  group: 'syn',
  title: 'TCP_DEFER_ACCEPT: connection created with its first data',
  severity: 'info',
  happened: 'were created when the first data came (TCP_DEFER_ACCEPT)',
  condition:
    'The listener has TCP_DEFER_ACCEPT: the bare ACK of the handshake is dropped on purpose, and the socket is made of the first data.',
  when: STATES | EVENTS | SYN_ACK_AGAIN,
  linuxOnly: true,
  reference: 'tcp_check_req (TCPDeferAcceptDrop), tcp(7) TCP_DEFER_ACCEPT',
  signatures: [
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'LISTEN → SYN_RECV at the first data, and the SYN-ACK was not sent again',
    },
    {
      by: ['fields'],
      kernels: '6.2+ with BTF',
      claims: 'inferred',
      sign: 'tcp_retransmit_synack of a half-open connection that had got its ACK, with room in the accept queue',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'SYN-ACK sent again after the ACK, and the first data taken when they were sent once',
    },
  ],
  decide: (f) => madeOfData(f) ?? requestWaited(f) ?? takenAtOnce(f),
  tell: (_f, { summary, look }) => ({
    summary: summary(),
    remedy:
      'No action needed if the program sets TCP_DEFER_ACCEPT on purpose (nginx "deferred", Apache AcceptFilter).',
    missing: look ? [] : wanted('queue-at-ack', 'server'),
  }),
};

/** The server's socket was made when the first data came. */
function madeOfData(f: Facts): Deferred | null {
  const { wire } = f;
  const life = f.life(SERVER);
  const birth = life?.find('LISTEN', 'SYN_RECV');
  if (!wire || !life || !birth) return null;
  const first = (why: number) =>
    wire.packets.find((p) => p.why & why && wire.sideOf(p) === CLIENT && !(p.flags & SYN));
  const [ack, data] = [first(WHY_THIRD_ACK), first(WHY_FIRST_DATA)];
  if (!ack || !data || wire.of(wire.wire.synAcks, SERVER) !== 1) return null;
  const made = f.atTransition(life, birth);
  const afterAck = f.world.between(made, f.atPacket(wire, ack));
  const afterData = f.world.between(made, f.atPacket(wire, data));
  if (afterAck === null || afterData === null) return null;
  const clocks = f.world.clockError(made.source, wire.wire.source);
  const error = clocks + MARGIN;
  // data that were sent when the socket stood already did not make it
  if (afterAck <= 2 * error || afterData > error || afterData < -clocks) return null;
  return {
    confidence: 'inferred',
    side: 'server',
    moment: made,
    summary: () =>
      `${f.name(SERVER)} created the connection from ${formatEndpoint(f.case.client)} only when its first data came, ${span(afterAck)} after the handshake, ` +
      `${MAYBE}because its listener has TCP_DEFER_ACCEPT.`,
    evidence: [
      packetEvidence(f, wire, ack, 'the ACK of the handshake'),
      packetEvidence(f, wire, data, 'the first data'),
      transitionEvidence(f, life, birth, 'the socket is made'),
    ],
    alternatives: ['accept-queue-overflow-ack'],
  };
}

/** A probe read the request when its SYN-ACK was sent again: it had got the ACK, and the accept queue had room. */
function requestWaited(f: Facts): Deferred | null {
  const looks = f.probes
    .of('synack-retransmit')
    .filter((e) => e.values.acked === 1)
    .map((e) => lookOf(f.world, e));
  const [look] = looks;
  if (!look || looks.some((l) => l === null || isFullLook(l))) return null;
  return {
    confidence: 'inferred',
    side: 'server',
    moment: look.moment,
    summary: () =>
      `${f.name(SERVER)} had the ACK of ${f.name(CLIENT)} and room in its accept queue (${look.held} of ${look.limit}), and still waited, ${MAYBE}because its listener has TCP_DEFER_ACCEPT.`,
    evidence: [eventEvidence(f.world, look.event, () => `the ACK had come; ${heldText(look)}`)],
    look: true,
    alternatives: ['accept-queue-overflow-ack'],
  };
}

/** Packets alone: a queue that had room again by then looks the same. */
function takenAtOnce(f: Facts): Deferred | null {
  const found = takenAtFirstData(f);
  const { wire } = f;
  if (!found || !wire || fullQueue(f).length > 0) return null;
  const { ack, data, taken } = found;
  return {
    confidence: 'possible',
    side: 'server',
    moment: f.atPacket(wire, taken),
    summary: () =>
      `${f.name(SERVER)} sent its SYN-ACK again although ${f.name(CLIENT)} had answered it, and took the first data when they came, ${MAYBE}because its listener has TCP_DEFER_ACCEPT.`,
    evidence: [
      packetEvidence(f, wire, ack, 'the ACK of the handshake'),
      packetEvidence(f, wire, data, 'the first data'),
      packetEvidence(f, wire, taken, 'acknowledges them'),
    ],
    alternatives: ['accept-queue-overflow-ack', 'netfilter-drop'],
  };
}

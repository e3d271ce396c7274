import { formatEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, WHY_FIRST_DATA, WHY_THIRD_ACK } from '../../model/connection.ts';
import { SYN } from '../../model/tcp.ts';
import { packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import { MARGIN } from '../facts/timing.ts';
import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Rule } from '../rule.ts';
import { MAYBE, span } from '../words.ts';

export const rule: Rule = {
  id: 'deferred-accept',
  group: 'syn',
  title: 'TCP_DEFER_ACCEPT: connection created with its first data',
  severity: 'info',
  happened: 'were created when the first data came (TCP_DEFER_ACCEPT)',
  condition:
    'The listener has TCP_DEFER_ACCEPT: the bare ACK of the handshake is dropped on purpose, and the socket is made of the first data.',
  when: STATES,
  reference: 'tcp_check_req (TCPDeferAcceptDrop), tcp(7) TCP_DEFER_ACCEPT',
  signatures: [
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'LISTEN → SYN_RECV at the first data, and the SYN-ACK was not sent again',
    },
  ],
  explain: (f) => {
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
    const error = f.world.clockError(made.source, wire.wire.source) + MARGIN;
    if (afterAck <= 2 * error || Math.abs(afterData) > error) return null;
    return {
      confidence: 'inferred',
      side: 'server',
      moment: made,
      summary:
        `${f.name(SERVER)} created the connection from ${formatEndpoint(f.case.client)} only when its first data came, ${span(afterAck)} after the handshake, ` +
        `${MAYBE}because its listener has TCP_DEFER_ACCEPT.`,
      remedy:
        'No action needed if the program sets TCP_DEFER_ACCEPT on purpose (nginx "deferred", Apache AcceptFilter).',
      evidence: [
        packetEvidence(f, wire, ack, 'the ACK of the handshake'),
        packetEvidence(f, wire, data, 'the first data'),
        transitionEvidence(f, life, birth, 'the socket is made'),
      ],
      missing: wanted('queue-at-ack', 'server'),
      alternatives: ['accept-queue-overflow-ack'],
    };
  },
};

import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import { FIN } from '../../model/tcp.ts';
import { packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { DELAYED_ACK_MAX, DELAYED_ACK_MIN } from '../facts/timing.ts';
import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { howMany } from '../together.ts';
import { MAYBE, span } from '../words.ts';

export interface Delayed extends Verdict {
  closer: SideIndex;
  /** In FIN_WAIT1, ns. */
  waited: number;
}

export const rule: Rule<'delayed-ack-of-fin', Delayed> = {
  id: 'delayed-ack-of-fin',
  group: 'fin-wait2',
  title: 'FIN waited 40 ms or more for a delayed ACK',
  severity: 'info',
  happened: 'waited for a delayed ACK of the FIN',
  condition:
    'The side that got the FIN neither closed nor wrote within 40 ms, so the acknowledgment came from the delayed-ACK timer.',
  when: STATES,
  noteOnly: true,
  reference: 'tcp_fin, tcp_send_delayed_ack (TCP_ATO_MIN 40 ms, TCP_DELACK_MAX 200 ms)',
  signatures: [
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'FIN_WAIT1 of 36 to 210 ms, and the ACK carried nothing',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the FIN acknowledged after 36 to 210 ms by a packet that carries nothing',
    },
    { by: ['states'], kernels: '4.16+', claims: 'inferred', sign: 'FIN_WAIT1 of 36 to 210 ms' },
  ],
  decide: (f) => ([CLIENT, SERVER] as const).flatMap((side) => delayed(f, side)),
  tell: (f, { closer, waited }) => {
    const peer = otherSide(closer);
    return {
      summary:
        `${f.name(closer)} waited ${span(waited)} in FIN_WAIT1, ${MAYBE}because ${f.name(peer)} delayed its ACK: ` +
        `it neither closed nor sent anything in that time (round trip ${span(f.connectTime!)}).`,
      remedy: 'No action needed.',
      missing: f.wire ? [] : wanted('states', SIDE_NAMES[peer]!),
    };
  },
  together: (all) =>
    `${howMany(all)} stayed in FIN_WAIT1 for 40 ms or more, ${MAYBE}because the ACK of the FIN was delayed. No action needed.`,
};

function delayed(f: Facts, side: SideIndex): Delayed[] {
  const life = f.life(side);
  const t = life?.find('FIN_WAIT1', 'FIN_WAIT2');
  const waited = life?.finWait1 ?? null;
  if (!life || !t || waited === null || waited < DELAYED_ACK_MIN || waited > DELAYED_ACK_MAX) return [];
  // a long way there and back looks the same
  if (f.connectTime === null || f.connectTime > waited / 2) return [];
  const ack = f.wire?.ackOfFin(side);
  if (ack && (ack.flags & FIN || ack.payload > 0)) return [];
  const evidence = [transitionEvidence(f, life, t)];
  if (f.wire && ack) evidence.push(packetEvidence(f, f.wire, ack, 'a pure ACK'));
  return [
    {
      confidence: 'inferred',
      side: SIDE_NAMES[side]!,
      moment: f.atTransition(life, t),
      evidence,
      closer: side,
      waited,
    },
  ];
}

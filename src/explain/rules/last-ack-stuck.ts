import { MAY_REPEAT } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { type OfUnanswered, ofUnanswered, unanswered, withTimers } from '../procedures/given-up.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'last-ack-stuck', OfUnanswered> = {
  id: 'last-ack-stuck',
  group: 'stuck',
  title: 'LAST_ACK: the last FIN was not acknowledged',
  severity: 'warning',
  happened: 'waited in LAST_ACK for the ACK of the last FIN',
  condition:
    'The side that closed second sends its FIN again and again: the peer is gone, or its TIME_WAIT is.',
  when: MAY_REPEAT,
  reference: 'tcp_retransmit_timer in LAST_ACK, tcp_orphan_retries',
  signatures: [
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a FIN sent again without an answer, and LAST_ACK in a table',
    },
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same, and LAST_ACK in the states',
    },
    { by: ['tables'], kernels: 'any', claims: 'inferred', sign: 'LAST_ACK with a retransmission timer' },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'LAST_ACK in tables that show no timers' },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the second FIN sent again without an answer',
    },
  ],
  decide: (f) => {
    const u = unanswered(f);
    if (!u?.isFin || !u.peerClosed || f.life(u.side)?.was('CLOSING') || u.row?.state === 'CLOSING')
      return null;
    return ofUnanswered(u, u.row !== null || f.life(u.side)?.was('LAST_ACK') ? 'inferred' : 'possible');
  },
  tell: (f, { found }) => ({
    summary: `${found.because()}: it ${MAYBE}waits in LAST_ACK for the ACK of its FIN.`,
    remedy:
      withTimers(found) +
      'Harmless in small numbers, and normal after the peer rebooted. Otherwise look for what drops the ACK on the path.',
    missing: peerPackets(f),
  }),
};

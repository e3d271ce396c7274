import { MAY_REPEAT } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { type OfUnanswered, ofUnanswered, unanswered, withTimers } from '../procedures/given-up.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'closing-stuck', OfUnanswered> = {
  id: 'closing-stuck',
  group: 'stuck',
  title: 'CLOSING: the FINs crossed, one was not acknowledged',
  severity: 'warning',
  happened: 'waited in CLOSING for the ACK of a FIN',
  condition: 'Both FINs crossed, and the acknowledgment of one does not come.',
  when: MAY_REPEAT,
  reference: 'tcp_rcv_state_process (TCP_CLOSING), tcp_orphan_retries',
  signatures: [
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'crossed FINs, one sent again without an answer, CLOSING in the states',
    },
    { by: ['tables'], kernels: 'any', claims: 'inferred', sign: 'CLOSING with a retransmission timer' },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'CLOSING in tables that show no timers' },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'crossed FINs, one sent again without an answer',
    },
  ],
  decide: (f) => {
    const u = unanswered(f);
    if (!u?.isFin || !(f.life(u.side)?.was('CLOSING') || u.row?.state === 'CLOSING')) return null;
    return ofUnanswered(u, 'inferred');
  },
  tell: (f, { found }) => ({
    summary: `${found.because()}: it ${MAYBE}waits in CLOSING for the ACK of its FIN.`,
    remedy:
      withTimers(found) +
      'Look for what drops the ACK on the path; the kernel gives up after tcp_orphan_retries.',
    missing: peerPackets(f),
  }),
};

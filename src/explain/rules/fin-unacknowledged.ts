import { MAY_REPEAT } from '../mask.ts';
import { peerPackets, wanted } from '../missing.ts';
import { type OfUnanswered, ofUnanswered, unanswered, withTimers } from '../procedures/given-up.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'fin-unacknowledged', OfUnanswered> = {
  id: 'fin-unacknowledged',
  group: 'fin-wait2',
  title: 'FIN never acknowledged: stuck in FIN_WAIT1',
  severity: 'warning',
  happened: 'had a FIN that was never acknowledged',
  condition:
    'The FIN, or data before it, is not acknowledged; the orphaned socket retries tcp_orphan_retries times and is then dropped silently.',
  when: MAY_REPEAT,
  reference: 'tcp_retransmit_timer, tcp_orphan_retries (net/ipv4/tcp_timer.c)',
  signatures: [
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a FIN sent again without an answer, then FIN_WAIT1 → CLOSE',
    },
    {
      by: ['fields'],
      kernels: '4.16+ with BTF',
      claims: 'inferred',
      sign: 'FIN_WAIT1 → CLOSE by a timer, with ETIMEDOUT in sk_err',
    },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'FIN_WAIT1 in tables that show no timers' },
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'a FIN sent again without an answer' },
  ],
  decide: (f) => {
    const u = unanswered(f);
    if (!u?.isFin || u.peerClosed) return null;
    return ofUnanswered(u, u.end !== null || u.row !== null ? 'inferred' : 'possible');
  },
  tell: (f, { side, found }) => ({
    summary: `${found.because()}: its FIN was ${MAYBE}never acknowledged${found.end ? ', and the socket went from FIN_WAIT1 to CLOSE' : ''}.`,
    remedy:
      withTimers(found) +
      'Look at the peer and the path. Many such sockets at once can be limited with net.ipv4.tcp_orphan_retries and tcp_max_orphans.',
    missing: found.end ? peerPackets(f) : [...wanted('states', side), ...peerPackets(f)],
  }),
};

import { STATES } from '../mask.ts';
import { wanted } from '../missing.ts';
import { among, type Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { finCandidatesFor } from '../procedures/fin.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'fin-with-ack', Candidate> = {
  id: 'fin-with-ack',
  group: 'fin-wait2',
  title: 'FIN and ACK in one packet: FIN_WAIT2 skipped',
  severity: 'info',
  happened: "skipped FIN_WAIT2, because the peer's FIN came with the ACK",
  condition:
    'The packet that acknowledged the FIN carried a FIN itself: the socket passes FIN_WAIT2 within that packet and goes to TIME_WAIT.',
  when: STATES,
  wireProves: true,
  reference: 'tcp_rcv_state_process → tcp_fin → tcp_time_wait(sk, TCP_TIME_WAIT, 0)',
  signatures: [
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'proved',
      sign: "the packet that acknowledged the FIN carried the peer's",
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'SOCK_DEAD and SOCK_DONE at FIN_WAIT2 → CLOSE at once',
    },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'FIN_WAIT2 → CLOSE at once' },
  ],
  decide: (f) => finCandidatesFor(f, 'fin-with-ack').map((list) => among(list, 'fin-with-ack')),
  tell: (f, { side, because }) => ({
    summary: `${sideEndpoint(f, side)} ${MAYBE}passed FIN_WAIT2 within one packet: ${because()}.`,
    remedy: 'No action needed: the peer closed before it had to acknowledge.',
    missing: [...wanted('packets', side), ...wanted('minisock', side)],
  }),
};

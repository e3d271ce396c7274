import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'linger2-reset', Candidate> = {
  id: 'linger2-reset',
  group: 'close',
  title: 'TCP_LINGER2 below 0: RST after the FIN',
  severity: 'info',
  happened: 'were reset by a socket with a negative TCP_LINGER2',
  condition:
    'TCP_LINGER2 is negative: the socket is reset on close() in FIN_WAIT2, or when its FIN is acknowledged after close().',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: '__tcp_close, tcp_rcv_state_process (TCP_ABORT_ON_LINGER), tcp(7) TCP_LINGER2',
  signatures: [
    {
      by: ['reasons'],
      kernels: '6.12+',
      claims: 'proved',
      sign: 'reason TCP_ABORT_ON_LINGER; TCP_ABORT_ON_DATA for a bare ACK with linger2 below 0',
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'linger2 below 0 at FIN_WAIT2 → CLOSE, and a RST of its own',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a bare RST answers the very ACK of its FIN',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the connection after its own FIN, ${MAYBE}because its TCP_LINGER2 is negative: ${c.because()}.`,
    remedy: 'If the RST is not wanted, do not set TCP_LINGER2 below 0.',
    missing: [...wanted('close-call', c.side), ...wanted('reset-reason', c.side)],
  }),
};

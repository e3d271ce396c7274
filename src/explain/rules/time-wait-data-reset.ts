import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { lateAnswer } from '../procedures/late-answer.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'time-wait-data-reset', Candidate> = {
  id: 'time-wait-data-reset',
  group: 'close',
  title: 'Data for a closed connection in FIN_WAIT2: RST',
  severity: 'warning',
  happened: 'were reset because data came for a closed connection in FIN_WAIT2',
  condition:
    'The process had closed, the FIN was acknowledged and a timewait socket in FIN_WAIT2 stood for the connection when a segment with new data came.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_timewait_state_process (TCP_TW_RST), RFC 1122 §4.2.2.13',
  signatures: [
    { by: ['reasons'], kernels: '6.10+', claims: 'proved', sign: 'reason TCP_TIMEWAIT_SOCKET' },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_v4_send_reset in state TIME_WAIT for data or a FIN',
    },
    {
      by: ['states', 'packets'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a bare RST answers data when the full socket had left FIN_WAIT2',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'a bare RST answers data after the FIN was acknowledged',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => {
    const late = c.side === 'client' ? lateAnswer(f) : null;
    return {
      summary: `${sideEndpoint(f, c.side)} reset the connection, ${MAYBE}because data came for a closed connection in FIN_WAIT2: ${c.because()}.${late?.told ?? ''}`,
      remedy:
        late?.remedy ??
        'The side that closes should shut down only its sending side and read until the end of file; the other should stop sending when it reads the end of file.',
      missing: [...wanted('reset-reason', c.side), ...wanted('minisock', c.side)],
    };
  },
};

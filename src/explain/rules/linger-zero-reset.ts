import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'linger-zero-reset', Candidate> = {
  id: 'linger-zero-reset',
  group: 'close',
  title: 'SO_LINGER with time 0: RST instead of FIN',
  severity: 'info',
  happened: 'were reset by a close() with SO_LINGER 0',
  condition:
    'close() on a socket with SO_LINGER on and a linger time of 0, in a state that tcp_need_reset names; data not yet sent are thrown away.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: '__tcp_close → tcp_disconnect (net/ipv4/tcp.c), socket(7) SO_LINGER',
  signatures: [
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'SOCK_LINGER with sk_lingertime 0 and sk_shutdown 3 at the step to CLOSE, and a RST of its own',
    },
    {
      by: ['reasons', 'fields'],
      kernels: '6.12+',
      claims: 'inferred',
      sign: 'MPTCP: reason TCP_ABORT_ON_CLOSE in a live state, and SO_LINGER on with time 0',
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: 'the same after its FIN: shutdown(SHUT_RDWR) and connect(AF_UNSPEC) leave it so as well',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'RST|ACK with a window, TCPAbortOnData rose and TCPAbortOnClose did not',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a live state → CLOSE in its own process, and the same counters',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'RST|ACK with a window and nothing received',
    },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'a live state → CLOSE in its own process' },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary:
      `${sideEndpoint(f, c.side)} ended the connection with a RST, ${MAYBE}because its process closed the socket with SO_LINGER 0: ` +
      `${c.because()}.`,
    remedy:
      'If the RST is not wanted, remove the SO_LINGER 0 from the program. Health checks, load generators and some connection pools set it on purpose, to leave no TIME_WAIT behind.',
    missing: [...wanted('close-call', c.side), ...wanted('reset-reason', c.side)],
  }),
};

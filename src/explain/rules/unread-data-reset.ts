import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'unread-data-reset', Candidate> = {
  id: 'unread-data-reset',
  group: 'close',
  title: 'Closed with unread data: RST instead of FIN',
  severity: 'warning',
  happened: 'were reset because a process closed its socket with data unread',
  condition:
    'close() (or the end of the process) found bytes in the receive queue that nobody had read; the kernel then resets instead of sending FIN, because the peer must learn that its data were lost.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: '__tcp_close (net/ipv4/tcp.c), RFC 2525 §2.17, RFC 9293 §3.10.4',
  signatures: [
    {
      by: ['reasons', 'fields'],
      kernels: '6.12+',
      claims: 'proved',
      sign: 'reason TCP_ABORT_ON_CLOSE in CLOSE, with rcv_nxt − copied_seq above 0',
    },
    {
      by: ['reasons'],
      kernels: '6.12+',
      claims: 'inferred',
      sign: "reason TCP_ABORT_ON_CLOSE in CLOSE; MPTCP's fast-close gives it in the other states, whatever the cause",
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'rcv_nxt − copied_seq above 0 and sk_shutdown 3 at the step to CLOSE, and a RST of its own',
    },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_close found bytes unread, then tcp_send_active_reset',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'RST|ACK with a window, and Recv-Q above 0 in the last table before',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'RST|ACK with a window, TCPAbortOnClose rose and TCPAbortOnData did not',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'a live state → CLOSE in its own process, TCPAbortOnClose rose and TCPAbortOnData did not',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'RST|ACK with a window that acknowledges data nobody answered',
    },
    { by: ['states'], kernels: '4.16+', claims: 'possible', sign: 'a live state → CLOSE in its own process' },
    {
      by: ['states', 'tables'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same, and Recv-Q above 0 before',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} ended the connection with a RST, ${MAYBE}because its process closed the socket with received data unread: ${c.because()}.`,
    remedy:
      'Let the application read to the end before it closes: shutdown(SHUT_WR), read() until it returns 0, then close(). ' +
      'An HTTP server has to read the whole request body before it answers and closes; look for early returns on errors and timeouts.',
    missing: [...wanted('close-call', c.side), ...wanted('reset-reason', c.side)],
  }),
};
